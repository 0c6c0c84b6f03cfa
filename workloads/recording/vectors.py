"""Record the operators without multiply-accumulates, from normalisations to concatenations."""

from collections.abc import Sequence
from math import prod

from workloads.graph import broadcasts
from workloads.layers import VectorKind
from workloads.recording.call import Call
from workloads.recording.other import activations, is_real, record_other, record_unknown
from workloads.recording.tape import Tape
from workloads.recording.values import Tensor


def keeps_shape(tape: Tape, call: Call, kind: VectorKind) -> None:
    """One activation in, one of its shape out; indices, means and the like beside it are dropped."""
    out, read = next(filter(is_real, call.outputs)), activations(tape, call)
    if len(read) > 1 or read[0].shape != out.shape:
        record_unknown(tape, call)
    else:
        tape.record_vector(call, kind, out, [tape.read(read[0], tape.sample_shape(out))])


def pool(tape: Tape, call: Call) -> None:
    """Pool two dimensions; a one-dimensional pooling comes as one of height 1."""
    tape.record_vector(call, "pool", next(filter(is_real, call.outputs)), [tape.read(call.tensors[0])])


def mean(tape: Tape, call: Call, axes: Sequence[int]) -> None:
    """Take the mean over some axes; over the last dimensions of a sample it is a global pooling."""
    image = call.tensors[0]
    sample = tape.sample_shape(image)
    dims = sorted(axis % image.dim() for axis in axes)
    lead = image.dim() - len(sample)
    if not dims or lead != 1 or dims[0] < max(lead, image.dim() - 2) or len(sample) < 2:
        record_other(tape, call)
        return
    shape = tuple(1 if lead + axis in dims else extent for axis, extent in enumerate(sample))
    tape.record_vector(call, "pool", call.out, [tape.read(image, sample)], shape)


def elementwise(tape: Tape, call: Call, kind: VectorKind) -> None:
    """Two operands that broadcast; a number or a constant is no input."""
    shape, read = tape.sample_shape(call.out), activations(tape, call)
    constants = [tensor for tensor in call.tensors if not tape.is_activation(tensor)]
    op = call.op
    if kind == "multiply" and any(map(tape.values.is_random, constants)):
        kind, op = "dropout", "dropout"
    if kind == "add" and constants and _is_bias(tape, read[0], constants[0]):
        source = tape.read(read[0], any_shape=True)
        if tape.add_bias(source, constants[0]):
            tape.write(call.out, source)
            return
    if all(broadcasts(tape.sample_shape(tensor), shape) for tensor in read):
        tape.record_vector(call, kind, call.out, [tape.read(tensor) for tensor in read], shape, op)
    else:
        record_other(tape, call)


def _is_bias(tape: Tape, activation: Tensor, constant: Tensor) -> bool:
    fits = constant.dim() == 1 and constant.shape[0] == activation.shape[-1]
    return fits and len(tape.values.parameters([constant])) == 1


def concat(tape: Tape, call: Call) -> None:
    """``cat(tensors, dim)``; the sizes do not add up beside a constant (a class token), or along the batch."""
    parts = [tensor for tensor in call.tensors if tensor.numel()]
    inputs = [tape.read(tensor) for tensor in parts if tape.is_activation(tensor)]
    shape = tape.sample_shape(call.out)
    adds_up = len(inputs) == len(parts) and sum(prod(tape.shapes[name]) for name in inputs) == prod(shape)
    tape.record_vector(call, "concat" if adds_up else "other", call.out, inputs, shape)


def select(tape: Tape, call: Call) -> None:
    """``index(tensor, indices)``: some elements of a tensor."""
    if tape.is_activation(call.tensors[0]):
        tape.record_vector(call, "select", call.out, [tape.read(call.tensors[0])])
    else:
        record_other(tape, call)
