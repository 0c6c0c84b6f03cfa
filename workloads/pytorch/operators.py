"""The table of operators: what the recorder does with each that PyTorch runs, beside those of every way in.

See `workloads.recording.table` for its families. An operator that is in no table is a view if PyTorch says so, and
else a layer `other` that the notes name.
"""

from functools import partial

import torch

from workloads.pytorch import aten_products as products
from workloads.pytorch.aten_call import Call
from workloads.recording import vectors
from workloads.recording.operators import SHARED, same_shape
from workloads.recording.other import lost_product, record_other, record_unknown
from workloads.recording.selection import Decides, by_index, by_value
from workloads.recording.table import UNKNOWN, Operator, by_name, shape_alone, table
from workloads.recording.table import record as record_call
from workloads.recording.tape import Tape


def _view(tape: Tape, call: Call, copies: bool) -> None:
    """Show the first operand through another shape; `copies` if the result has memory of its own."""
    for out in call.outputs:
        tape.values.show(out, call.args[0], call.op, tape.place, copies)


def _mean(tape: Tape, call: Call) -> None:
    """``mean(image, dims, keepdim)``."""
    vectors.mean(tape, call, (call.args[1] if len(call.args) > 1 else None) or ())


def _copy(tape: Tape, call: Call) -> None:
    """``destination.copy_(source)``: the destination is the source now, and what it is a part of changes with it."""
    source = call.args[1]
    if tape.is_activation(source) and source.shape == call.out.shape:
        tape.write(call.out, tape.read(source))
    elif tape.is_activation(source):
        record_other(tape, call)


def _restride(tape: Tape, call: Call) -> None:
    """``tensor.as_strided_(size, stride)``, ``tensor.transpose_(0, 1)``: another order in memory, which is no layer."""
    if call.out is not call.args[0]:
        record_unknown(tape, call)


def _by_index(tape: Tape, call: Call) -> bool:
    return by_index(tape, call, is_mask=lambda index: index.dtype in (torch.bool, torch.uint8))  # type: ignore[attr-defined]


OPERATORS: dict[str, Operator] = SHARED | table({
    "product": {
        products.convolution: "convolution convolution_overrideable",
        products.mm: "mm bmm mv dot",
        products.addmm: "addmm baddbmm addmv",
        products.grouped_mm: "grouped_mm",
        products.bilinear: "trilinear",
        lost_product: "addbmm",
        products.attention: """
            scaled_dot_product_flash_attention scaled_dot_product_flash_attention_for_cpu
            scaled_dot_product_efficient_attention scaled_dot_product_cudnn_attention
            scaled_dot_product_fused_attention_overrideable""",
        products.mkldnn_rnn_layer: "mkldnn_rnn_layer",
    },
    "vector": {
        same_shape("activation"): "prelu_kernel relu6 clamp_min clamp_max rrelu_with_noise",
        same_shape("batch_norm"): "batch_norm batch_norm_no_training batch_norm_with_update",
        same_shape("layer_norm"): "fused_rms_norm",
        partial(vectors.elementwise, kind="add"): "rsub",
        vectors.pool: "max_pool2d avg_pool2d adaptive_avg_pool2d adaptive_max_pool2d",
        _mean: "mean",
        record_other: """
            glu max min sort prod var var_mean std linalg_vector_norm logsumexp addcmul addcdiv lerp mse_loss
            embedding_bag embedding_bag_forward_only max_pool3d avg_pool3d adaptive_avg_pool3d upsample_nearest1d
            upsample_linear1d upsample_nearest2d upsample_bilinear2d upsample_bicubic2d upsample_nearest_exact2d
            upsample_nearest3d upsample_trilinear3d""",
    },
    "movement": {
        _copy: "copy",
        _restride: "as_strided transpose t squeeze unsqueeze swapaxes",
        vectors.select: "index index_select gather",
        record_other: """
            reflection_pad1d reflection_pad2d replication_pad1d replication_pad2d roll flip masked_fill masked_select
            embedding channel_shuffle pixel_unshuffle im2col col2im repeat_interleave scatter_add slice_scatter
            select_scatter index_add index_copy index_fill tril triu fill zero""",
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
})  # fmt: skip
DECIDES: dict[str, Decides] = by_name({
    by_value: """
        item nonzero nonzero_numpy masked_select unique2 unique_consecutive unique_dim is_nonzero equal bincount
        repeat_interleave""",
    _by_index: "index index_put unsafe_index_put index_put_impl index_select index_add index_copy",
})  # fmt: skip
_ANY_VIEW = Operator("view", partial(_view, copies=False))


def record(tape: Tape, call: Call) -> None:
    """Record one operator."""
    operator = _ANY_VIEW if call.func.is_view else OPERATORS.get(call.op, UNKNOWN)
    record_call(tape, call, operator, DECIDES.get(call.op))
