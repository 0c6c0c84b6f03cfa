"""Record the operators without multiply-accumulates, from normalisations to concatenations."""

from dataclasses import replace
from functools import partial

import torch

from workloads.graph import Shape
from workloads.layers import VectorKind
from workloads.pytorch.aten_call import (
    HANDLERS,
    Call,
    emit_vector,
    floating_outputs,
    record_other,
    record_unknown,
    records,
)
from workloads.pytorch.tape import Tape


def _keeps_shape(tape: Tape, call: Call, kind: VectorKind) -> None:
    """One activation in, one of its shape out; indices, means and the like beside it are dropped."""
    out = floating_outputs(call.out)[0]
    activations = [tensor for tensor in call.tensors if tape.is_activation(tensor)]
    if len(activations) > 1 or activations[0].shape != out.shape:
        record_unknown(tape, call)
    else:
        shape = tape.sample_shape(out)
        emit_vector(tape, call, kind, out, [tape.read(activations[0], shape)], shape)


_SAME_SHAPE: dict[VectorKind, tuple[str, ...]] = {
    "activation": (
        "relu", "leaky_relu", "prelu", "prelu_kernel", "elu", "celu", "selu", "gelu", "silu", "mish", "sigmoid", "tanh",
        "hardtanh", "hardswish", "hardsigmoid", "softplus", "log_sigmoid_forward", "threshold", "relu6", "clamp",
        "clamp_min", "clamp_max", "exp", "log", "sqrt", "rsqrt", "pow", "abs", "neg", "erf", "reciprocal", "sin", "cos",
        "rrelu_with_noise", "softshrink", "hardshrink", "square", "log1p", "expm1", "sign", "floor", "ceil", "round",
    ),
    "batch_norm": ("batch_norm", "batch_norm_no_training", "batch_norm_with_update"),
    "layer_norm": ("layer_norm", "group_norm", "fused_rms_norm", "rms_norm"),
    "softmax": ("softmax", "log_softmax"),
    "dropout": ("dropout",),
}  # fmt: skip
for _kind, _ops in _SAME_SHAPE.items():
    for _op in _ops:
        HANDLERS[_op] = partial(_keeps_shape, kind=_kind)


@records("max_pool2d", "avg_pool2d", "adaptive_avg_pool2d", "adaptive_max_pool2d")
def pool(tape: Tape, call: Call) -> None:
    """Pool two dimensions; a one-dimensional pooling comes as one of height 1."""
    emit_vector(tape, call, "pool", floating_outputs(call.out)[0], [tape.read(call.args[0])])


@records("mean")
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


def _elementwise(tape: Tape, call: Call, kind: VectorKind) -> None:
    """Two operands that broadcast; a number or a constant is no input."""
    shape = tape.sample_shape(call.out)
    constants = [tensor for tensor in call.tensors if not tape.is_activation(tensor)]
    activations = [tensor for tensor in call.tensors if tape.is_activation(tensor)]
    if kind == "multiply" and any(tape.constant(tensor).random for tensor in constants):
        kind, call = "dropout", replace(call, op="dropout")
    if kind == "add" and constants and _is_bias(tape, activations[0], constants[0]):
        source = tape.read(activations[0], any_shape=True)
        if tape.add_bias(source):
            tape.write(call.out, source)
            return
    if all(_broadcasts(tape.sample_shape(tensor), shape) for tensor in activations):
        emit_vector(tape, call, kind, call.out, [tape.read(tensor) for tensor in activations], shape)
    else:
        record_other(tape, call)


for _op in ("add", "sub", "rsub"):
    HANDLERS[_op] = partial(_elementwise, kind="add")
for _op in ("mul", "div"):
    HANDLERS[_op] = partial(_elementwise, kind="multiply")


def _is_bias(tape: Tape, activation: torch.Tensor, constant: torch.Tensor) -> bool:
    fits = constant.dim() == 1 and constant.shape[0] == activation.shape[-1]
    return fits and len(tape.constant(constant).parameters) == 1


def _broadcasts(shape: Shape, target: Shape) -> bool:
    padded = (1,) * (len(target) - len(shape)) + shape
    return len(padded) == len(target) and all(a in (1, b) for a, b in zip(padded, target, strict=True))


@records("cat", "stack")
def concat(tape: Tape, call: Call) -> None:
    """``cat(tensors, dim)``; with a constant among them (a class token) the sizes do not add up."""
    parts = [tensor for tensor in call.tensors if tensor.numel()]
    inputs = [tape.read(tensor) for tensor in parts if tape.is_activation(tensor)]
    emit_vector(tape, call, "concat" if len(inputs) == len(parts) else "other", call.out, inputs)


@records("copy")
def copy(tape: Tape, call: Call) -> None:
    """``destination.copy_(source)``."""
    source = call.args[1]
    if tape.is_activation(source) and source.shape == call.out.shape:
        tape.write(call.out, tape.read(source))
    elif tape.is_activation(source):
        record_other(tape, call)
    if not tape.is_activation(call.args[0]):
        tape.note("an activation is copied into a part of a new tensor, whose rest is not followed", tape.here)


@records("as_strided")
def restride(tape: Tape, call: Call) -> None:
    """``tensor.as_strided_(size, stride)``: another order in memory, which is no layer."""
    if call.out is not call.args[0]:
        record_unknown(tape, call)


@records("index", "index_select", "gather", "slice_scatter", "select_scatter")
def select(tape: Tape, call: Call) -> None:
    """``index(tensor, indices)``: some elements of a tensor."""
    activations = [tensor for tensor in call.tensors if tape.is_activation(tensor)]
    if tape.is_activation(call.args[0]):
        emit_vector(tape, call, "select", call.out, [tape.read(tensor) for tensor in activations[:1]])
    else:
        record_other(tape, call)


for _op in (
    "constant_pad_nd", "reflection_pad2d", "replication_pad2d", "upsample_nearest2d", "upsample_bilinear2d",
    "upsample_bicubic2d", "upsample_nearest_exact2d", "roll", "flip", "masked_fill", "where", "embedding", "sum",
    "glu", "channel_shuffle", "pixel_shuffle", "pixel_unshuffle", "max", "amax", "cumsum", "min", "amin", "topk",
    "sort", "prod", "var", "var_mean", "std", "linalg_vector_norm", "logsumexp", "im2col", "col2im", "repeat",
    "addcmul", "addcdiv", "lerp", "maximum", "minimum", "upsample_nearest1d", "upsample_linear1d", "grid_sampler_2d",
    "scatter", "scatter_add", "index_put", "index_add",
):  # fmt: skip
    HANDLERS[_op] = record_other
