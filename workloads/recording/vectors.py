"""Record the operators without multiply-accumulates, from normalisations to concatenations."""

from collections.abc import Sequence
from math import prod

from workloads.graph import Shape
from workloads.layers import VectorKind
from workloads.recording.call import Call, emit_vector, floating, record_other, record_unknown
from workloads.recording.tape import Tape
from workloads.recording.values import Tensor


def keeps_shape(tape: Tape, call: Call, kind: VectorKind) -> None:
    """One activation in, one of its shape out; indices, means and the like beside it are dropped."""
    out = floating(call)[0]
    activations = [tensor for tensor in call.tensors if tape.is_activation(tensor)]
    if len(activations) > 1 or activations[0].shape != out.shape:
        record_unknown(tape, call)
    else:
        shape = tape.sample_shape(out)
        emit_vector(tape, call, kind, out, [tape.read(activations[0], shape)], shape)


def pool(tape: Tape, call: Call) -> None:
    """Pool two dimensions; a one-dimensional pooling comes as one of height 1."""
    emit_vector(tape, call, "pool", floating(call)[0], [tape.read(call.tensors[0])])


def mean(tape: Tape, call: Call, image: Tensor, axes: Sequence[int]) -> None:
    """Take the mean over some axes; over the last dimensions of a sample it is a global pooling."""
    sample = tape.sample_shape(image)
    dims = sorted(axis % image.dim() for axis in axes)
    lead = image.dim() - len(sample)
    if not dims or lead != 1 or dims[0] < max(lead, image.dim() - 2) or len(sample) < 2:
        record_other(tape, call)
        return
    shape = tuple(1 if lead + axis in dims else extent for axis, extent in enumerate(sample))
    emit_vector(tape, call, "pool", call.out, [tape.read(image, sample)], shape)


def elementwise(tape: Tape, call: Call, kind: VectorKind) -> None:
    """Two operands that broadcast; a number or a constant is no input."""
    shape = tape.sample_shape(call.out)
    constants = [tensor for tensor in call.tensors if not tape.is_activation(tensor)]
    activations = [tensor for tensor in call.tensors if tape.is_activation(tensor)]
    op = call.op
    if kind == "multiply" and any(tape.values.is_random(tensor) for tensor in constants):
        kind, op = "dropout", "dropout"
    if kind == "add" and constants and _is_bias(tape, activations[0], constants[0]):
        source = tape.read(activations[0], any_shape=True)
        if tape.add_bias(source, constants[0]):
            tape.write(call.out, source)
            return
    if all(_broadcasts(tape.sample_shape(tensor), shape) for tensor in activations):
        emit_vector(tape, call, kind, call.out, [tape.read(tensor) for tensor in activations], shape, op)
    else:
        record_other(tape, call)


def _is_bias(tape: Tape, activation: Tensor, constant: Tensor) -> bool:
    fits = constant.dim() == 1 and constant.shape[0] == activation.shape[-1]
    return fits and len(tape.values.parameters([constant])) == 1


def _broadcasts(shape: Shape, target: Shape) -> bool:
    padded = (1,) * (len(target) - len(shape)) + shape
    return len(padded) == len(target) and all(a in (1, b) for a, b in zip(padded, target, strict=True))


def concat(tape: Tape, call: Call) -> None:
    """``cat(tensors, dim)``; the sizes do not add up beside a constant (a class token), or along the batch."""
    parts = [tensor for tensor in call.tensors if tensor.numel()]
    inputs = [tape.read(tensor) for tensor in parts if tape.is_activation(tensor)]
    shape = tape.sample_shape(call.out)
    adds_up = len(inputs) == len(parts) and sum(prod(tape.shapes[name]) for name in inputs) == prod(shape)
    emit_vector(tape, call, "concat" if adds_up else "other", call.out, inputs, shape)


def select(tape: Tape, call: Call) -> None:
    """``index(tensor, indices)``: some elements of a tensor."""
    activations = [tensor for tensor in call.tensors if tape.is_activation(tensor)]
    if tape.is_activation(call.tensors[0]):
        emit_vector(tape, call, "select", call.out, [tape.read(tensor) for tensor in activations[:1]])
    else:
        record_other(tape, call)
