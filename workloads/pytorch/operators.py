"""The table of operators: what the recorder does with each that PyTorch runs.

See `workloads.recording.table` for its families. An operator that is not here is a view if PyTorch says so, and else
a layer `other` that the notes name.
"""

from functools import partial

from workloads.layers import VectorKind
from workloads.pytorch import aten_products as products
from workloads.pytorch import aten_vectors
from workloads.pytorch.aten_call import Call
from workloads.pytorch.aten_recurrent import mkldnn_rnn_layer
from workloads.recording import vectors
from workloads.recording.call import Rule, record_other
from workloads.recording.table import UNKNOWN, Operator, rows, shape_alone
from workloads.recording.table import record as record_call
from workloads.recording.tape import Tape


def _view(tape: Tape, call: Call, copies: bool) -> None:
    """Show the first operand through another shape; `copies` if the result has memory of its own."""
    for out in call.outputs:
        tape.values.show(out, call.args[0], call.op, tape.place, copies)


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
    aten_vectors.mean: ("mean",),
    record_other: (
        "upsample_nearest2d", "upsample_bilinear2d", "upsample_bicubic2d", "upsample_nearest_exact2d", "sum", "glu",
        "max", "amax", "cumsum", "min", "amin", "topk", "sort", "prod", "var", "var_mean", "std", "linalg_vector_norm",
        "logsumexp", "addcmul", "addcdiv", "lerp", "maximum", "minimum", "upsample_nearest1d", "upsample_linear1d",
        "grid_sampler_2d",
    ),
}  # fmt: skip
_MOVEMENTS: dict[Rule, tuple[str, ...]] = {
    vectors.concat: ("cat", "stack"),
    aten_vectors.copy: ("copy",),
    aten_vectors.restride: ("as_strided", "transpose", "t", "squeeze", "unsqueeze", "swapaxes"),
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
    shape_alone: (
        "empty_like", "zeros_like", "ones_like", "full_like", "rand_like", "randn_like", "new_empty", "new_zeros",
        "new_ones", "new_full", "new_empty_strided",
    ),
}  # fmt: skip


OPERATORS: dict[str, Operator] = {
    **rows("product", _PRODUCTS),
    **rows("vector", _VECTORS),
    **rows("movement", _MOVEMENTS),
    **rows("view", _VIEWS),
    **rows("constant", _CONSTANTS),
}
_ANY_VIEW = Operator("view", partial(_view, copies=False))


def find_operator(call: Call) -> Operator:
    """Return what the recorder does with an operator."""
    return _ANY_VIEW if call.func.is_view else OPERATORS.get(call.op, UNKNOWN)


def record(tape: Tape, call: Call) -> None:
    """Record one operator."""
    record_call(tape, call, find_operator(call))
