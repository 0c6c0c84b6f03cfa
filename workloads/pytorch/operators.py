"""The table of operators: what the recorder does with each that PyTorch runs.

========  ==============================================================================================
family    what becomes of it
========  ==============================================================================================
product   a layer with multiply-accumulates
vector    a layer without
movement  a layer that only moves or selects elements, so its shape is all that matters
view      no layer: the tensor is looked through, and a layer stands only where one reads another shape
constant  no layer: what it makes depends on the shape of its operands and not on what they hold
========  ==============================================================================================

An operator that is not here is a view if PyTorch says so, and else a layer `other` that the notes name.
"""

from dataclasses import dataclass
from functools import partial
from typing import Literal

from workloads.layers import VectorKind
from workloads.pytorch import aten_products as products
from workloads.pytorch import aten_vectors as vectors
from workloads.pytorch.aten_call import Call, Rule, record_other, record_unknown
from workloads.pytorch.aten_recurrent import mkldnn_rnn_layer
from workloads.pytorch.tape import Tape

Family = Literal["product", "vector", "movement", "view", "constant", "unknown"]


@dataclass(frozen=True, slots=True)
class Operator:
    """What family an operator is of, and what records it."""

    family: Family
    rule: Rule


def _view(tape: Tape, call: Call, copies: bool) -> None:
    """Show the first operand through another shape; `copies` if the result has memory of its own."""
    for out in call.outputs:
        tape.values.show(out, call.args[0], call.op, tape.place, copies)


def compute(tape: Tape, call: Call, random: bool = False) -> None:
    """Remember what is computed without a layer: of constants alone, or integers and masks."""
    for out in call.outputs:
        tape.values.compute(out, call.tensors, call.op, tape.place, random)


def _shape_alone(tape: Tape, call: Call) -> None:
    """Make a constant of an operand's shape."""
    for out in call.outputs:
        tape.values.compute(out, (), call.op, tape.place, random=False)


_PRODUCTS: dict[Rule, tuple[str, ...]] = {
    products.convolution: ("convolution", "convolution_overrideable"),
    products.mm: ("mm", "bmm", "mv", "dot"),
    products.addmm: ("addmm", "baddbmm"),
    products.grouped_mm: ("grouped_mm",),
    products.attention: (
        "scaled_dot_product_flash_attention", "scaled_dot_product_flash_attention_for_cpu",
        "scaled_dot_product_efficient_attention", "scaled_dot_product_cudnn_attention",
        "scaled_dot_product_fused_attention_overrideable",
    ),
    mkldnn_rnn_layer: ("mkldnn_rnn_layer",),
}  # fmt: skip
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
_ELEMENTWISE: dict[VectorKind, tuple[str, ...]] = {"add": ("add", "sub", "rsub"), "multiply": ("mul", "div")}
_VECTORS: dict[Rule, tuple[str, ...]] = {
    **{partial(vectors.keeps_shape, kind=kind): ops for kind, ops in _SAME_SHAPE.items()},
    **{partial(vectors.elementwise, kind=kind): ops for kind, ops in _ELEMENTWISE.items()},
    vectors.pool: ("max_pool2d", "avg_pool2d", "adaptive_avg_pool2d", "adaptive_max_pool2d"),
    vectors.mean: ("mean",),
    record_other: (
        "upsample_nearest2d", "upsample_bilinear2d", "upsample_bicubic2d", "upsample_nearest_exact2d", "sum", "glu",
        "max", "amax", "cumsum", "min", "amin", "topk", "sort", "prod", "var", "var_mean", "std", "linalg_vector_norm",
        "logsumexp", "addcmul", "addcdiv", "lerp", "maximum", "minimum", "upsample_nearest1d", "upsample_linear1d",
        "grid_sampler_2d",
    ),
}  # fmt: skip
_MOVEMENTS: dict[Rule, tuple[str, ...]] = {
    vectors.concat: ("cat", "stack"),
    vectors.copy: ("copy",),
    vectors.restride: ("as_strided", "transpose", "t", "squeeze", "unsqueeze", "swapaxes"),
    vectors.select: ("index", "index_select", "gather", "slice_scatter", "select_scatter"),
    record_other: (
        "constant_pad_nd", "reflection_pad1d", "reflection_pad2d", "replication_pad1d", "replication_pad2d", "roll",
        "flip", "masked_fill", "masked_select", "where", "embedding", "channel_shuffle", "pixel_shuffle",
        "pixel_unshuffle", "im2col", "col2im", "repeat", "repeat_interleave", "scatter", "scatter_add", "index_put",
        "index_add", "index_copy", "index_fill", "tril", "triu", "fill", "zero",
    ),
}  # fmt: skip
_VIEWS: dict[Rule, tuple[str, ...]] = {
    partial(_view, copies=True): (
        "clone", "to_copy", "contiguous", "unsafe_view", "reshape_alias", "unsafe_split", "unsafe_split_with_sizes",
        "lift_fresh",
    ),
}  # fmt: skip
_CONSTANTS: dict[Rule, tuple[str, ...]] = {
    _shape_alone: (
        "empty_like", "zeros_like", "ones_like", "full_like", "rand_like", "randn_like", "new_empty", "new_zeros",
        "new_ones", "new_full", "new_empty_strided",
    ),
}  # fmt: skip


def _rows(family: Family, rules: dict[Rule, tuple[str, ...]]) -> dict[str, Operator]:
    return {op: Operator(family, rule) for rule, ops in rules.items() for op in ops}


OPERATORS: dict[str, Operator] = {
    **_rows("product", _PRODUCTS),
    **_rows("vector", _VECTORS),
    **_rows("movement", _MOVEMENTS),
    **_rows("view", _VIEWS),
    **_rows("constant", _CONSTANTS),
}
_ANY_VIEW = Operator("view", partial(_view, copies=False))
_UNKNOWN = Operator("unknown", record_unknown)


def find_operator(call: Call) -> Operator:
    """Return what the recorder does with an operator."""
    return _ANY_VIEW if call.func.is_view else OPERATORS.get(call.op, _UNKNOWN)


def record(tape: Tape, call: Call) -> None:
    """Record one operator.

    What no input of the network reaches is a constant, and no layer; but a product that has rows for every sample runs
    as often as any other, whatever its rows hold.
    """
    operator = find_operator(call)
    tape.touch(call.tensors)
    reached = any(tape.is_activation(tensor) for tensor in call.tensors)
    if operator.family == "product" and not reached:
        reached = tape.values.batched(call.outputs[0])
        if not reached and tape.values.parameters(call.tensors):
            note = f"{call.op} of constants and parameters, once a batch, is missing"
            tape.lose(note, f"{call.op} once a batch", call.macs, tape.here)
    if operator.family in ("view", "constant"):
        operator.rule(tape, call)
    elif not reached:
        compute(tape, call, random=call.op == "bernoulli")
    elif _in_place(call) or any(one.is_floating_point() or one.is_complex() for one in call.outputs):
        operator.rule(tape, call)
        for out in call.outputs:  # means, indices and masks beside the result
            if not tape.values.known(out):
                tape.values.compute(out, call.tensors, call.op, tape.place, False)
    else:
        compute(tape, call)


def _in_place(call: Call) -> bool:
    return any(out is operand for out in call.outputs for operand in call.tensors)
