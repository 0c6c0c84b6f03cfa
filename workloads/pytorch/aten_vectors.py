"""Record the operators without multiply-accumulates, from normalisations to concatenations."""

from dataclasses import replace

import torch

from workloads.graph import Shape
from workloads.layers import VectorKind
from workloads.pytorch.aten_call import Call, emit_vector, floating, record_other, record_unknown
from workloads.pytorch.tape import Tape


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
    emit_vector(tape, call, "pool", floating(call)[0], [tape.read(call.args[0])])


def mean(tape: Tape, call: Call) -> None:
    """``mean(image, dims, keepdim)``: over the last dimensions of a sample it is a global pooling."""
    image = call.args[0]
    sample = tape.sample_shape(image)
    dims = sorted(dim % image.dim() for dim in (call.args[1] if len(call.args) > 1 and call.args[1] else ()))
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
    if kind == "multiply" and any(tape.values.is_random(tensor) for tensor in constants):
        kind, call = "dropout", replace(call, op="dropout")
    if kind == "add" and constants and _is_bias(tape, activations[0], constants[0]):
        source = tape.read(activations[0], any_shape=True)
        if tape.add_bias(source, constants[0]):
            tape.write(call.out, source)
            return
    if all(_broadcasts(tape.sample_shape(tensor), shape) for tensor in activations):
        emit_vector(tape, call, kind, call.out, [tape.read(tensor) for tensor in activations], shape)
    else:
        record_other(tape, call)


def _is_bias(tape: Tape, activation: torch.Tensor, constant: torch.Tensor) -> bool:
    fits = constant.dim() == 1 and constant.shape[0] == activation.shape[-1]
    return fits and len(tape.values.parameters([constant])) == 1


def _broadcasts(shape: Shape, target: Shape) -> bool:
    padded = (1,) * (len(target) - len(shape)) + shape
    return len(padded) == len(target) and all(a in (1, b) for a, b in zip(padded, target, strict=True))


def concat(tape: Tape, call: Call) -> None:
    """``cat(tensors, dim)``; with a constant among them (a class token) the sizes do not add up."""
    parts = [tensor for tensor in call.tensors if tensor.numel()]
    inputs = [tape.read(tensor) for tensor in parts if tape.is_activation(tensor)]
    emit_vector(tape, call, "concat" if len(inputs) == len(parts) else "other", call.out, inputs)


def copy(tape: Tape, call: Call) -> None:
    """``destination.copy_(source)``: the destination is the source now, and what it is a part of changes with it."""
    source = call.args[1]
    if tape.is_activation(source) and source.shape == call.out.shape:
        tape.write(call.out, tape.read(source))
    elif tape.is_activation(source):
        record_other(tape, call)


def restride(tape: Tape, call: Call) -> None:
    """``tensor.as_strided_(size, stride)``, ``tensor.transpose_(0, 1)``: another order in memory, which is no layer."""
    if call.out is not call.args[0]:
        record_unknown(tape, call)


def select(tape: Tape, call: Call) -> None:
    """``index(tensor, indices)``: some elements of a tensor."""
    activations = [tensor for tensor in call.tensors if tape.is_activation(tensor)]
    if tape.is_activation(call.args[0]):
        emit_vector(tape, call, "select", call.out, [tape.read(tensor) for tensor in activations[:1]])
    else:
        record_other(tape, call)
