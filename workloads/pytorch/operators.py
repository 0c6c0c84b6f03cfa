"""The table of operators: what the recorder does with each that PyTorch runs.

See `workloads.recording.table` for its families. An operator that is not here is a view if PyTorch says so, and else a
layer `other` that the notes name. Operators of any family whose values control what runs after them are in `CONTROL`,
too, and are noted.
"""

from functools import partial

from workloads.layers import VectorKind
from workloads.pytorch import aten_products as products
from workloads.pytorch import aten_vectors
from workloads.pytorch.aten_call import Call
from workloads.pytorch.aten_recurrent import mkldnn_rnn_layer
from workloads.pytorch.aten_selection import Decides, by_count, by_index, by_value, note_selection
from workloads.recording import vectors
from workloads.recording.call import Rule, record_other
from workloads.recording.table import UNKNOWN, Family, Operator, rows, shape_alone
from workloads.recording.table import record as record_call
from workloads.recording.tape import Tape


def _view(tape: Tape, call: Call, copies: bool) -> None:
    """Show the first operand through another shape; `copies` if the result has memory of its own."""
    for out in call.outputs:
        tape.values.show(out, call.args[0], call.op, tape.place, copies)


def _same_shape(kind: VectorKind) -> Rule:
    return partial(vectors.keeps_shape, kind=kind)


def _elementwise(kind: VectorKind) -> Rule:
    return partial(vectors.elementwise, kind=kind)


_TABLE: dict[Family, dict[Rule, str]] = {
    "product": {
        products.convolution: "convolution convolution_overrideable",
        products.mm: "mm bmm mv dot",
        products.addmm: "addmm baddbmm",
        products.grouped_mm: "grouped_mm",
        products.bilinear: "trilinear",
        products.attention: """
            scaled_dot_product_flash_attention scaled_dot_product_flash_attention_for_cpu
            scaled_dot_product_efficient_attention scaled_dot_product_cudnn_attention
            scaled_dot_product_fused_attention_overrideable""",
        mkldnn_rnn_layer: "mkldnn_rnn_layer",
    },
    "vector": {
        _same_shape("activation"): """
            relu leaky_relu prelu prelu_kernel elu celu selu gelu silu mish sigmoid tanh hardtanh hardswish hardsigmoid
            softplus log_sigmoid_forward threshold relu6 clamp clamp_min clamp_max exp log sqrt rsqrt pow abs neg erf
            reciprocal sin cos rrelu_with_noise softshrink hardshrink square log1p expm1 sign floor ceil round""",
        _same_shape("batch_norm"): "batch_norm batch_norm_no_training batch_norm_with_update",
        _same_shape("layer_norm"): "layer_norm group_norm fused_rms_norm rms_norm",
        _same_shape("softmax"): "softmax log_softmax",
        _same_shape("dropout"): "dropout",
        _elementwise("add"): "add sub rsub",
        _elementwise("multiply"): "mul div",
        vectors.pool: "max_pool2d avg_pool2d adaptive_avg_pool2d adaptive_max_pool2d",
        aten_vectors.mean: "mean",
        record_other: """
            sum glu max amax cumsum min amin topk sort prod var var_mean std linalg_vector_norm logsumexp addcmul
            addcdiv lerp maximum minimum mse_loss grid_sampler_2d embedding_bag embedding_bag_forward_only
            max_pool3d avg_pool3d adaptive_avg_pool3d upsample_nearest1d upsample_linear1d upsample_nearest2d
            upsample_bilinear2d upsample_bicubic2d upsample_nearest_exact2d upsample_nearest3d upsample_trilinear3d""",
    },
    "movement": {
        vectors.concat: "cat stack",
        aten_vectors.copy: "copy",
        aten_vectors.restride: "as_strided transpose t squeeze unsqueeze swapaxes",
        vectors.select: "index index_select gather",
        record_other: """
            constant_pad_nd reflection_pad1d reflection_pad2d replication_pad1d replication_pad2d roll flip masked_fill
            masked_select where embedding channel_shuffle pixel_shuffle pixel_unshuffle im2col col2im repeat
            repeat_interleave scatter scatter_add index_put slice_scatter select_scatter index_add index_copy
            index_fill tril triu fill zero""",
    },
    "view": {
        partial(_view, copies=True): """
            clone to_copy contiguous unsafe_view reshape_alias unsafe_split unsafe_split_with_sizes lift_fresh""",
    },
    "constant": {
        shape_alone: """
            empty_like zeros_like ones_like full_like rand_like randn_like new_empty new_zeros new_ones new_full
            new_empty_strided""",
    },
}
OPERATORS: dict[str, Operator] = {
    op: row for family, rules in _TABLE.items() for op, row in rows(family, rules).items()
}
_DECIDING: dict[Decides, str] = {
    by_value: """
        local_scalar_dense nonzero nonzero_numpy masked_select unique2 unique_consecutive unique_dim is_nonzero equal
        bincount""",
    by_count: "repeat_interleave",
    by_index: "index index_put unsafe_index_put index_put_impl index_select index_add index_copy",
}
CONTROL: dict[str, Decides] = {op: decides for decides, ops in _DECIDING.items() for op in ops.split()}
_ANY_VIEW = Operator("view", partial(_view, copies=False))


def find_operator(call: Call) -> Operator:
    """Return what the recorder does with an operator."""
    return _ANY_VIEW if call.func.is_view else OPERATORS.get(call.op, UNKNOWN)


def record(tape: Tape, call: Call) -> None:
    """Record one operator."""
    if call.op in CONTROL and CONTROL[call.op](tape, call):
        note_selection(tape, call)
    record_call(tape, call, find_operator(call))
