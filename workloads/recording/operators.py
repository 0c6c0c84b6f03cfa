"""The table of the operators that more than one way in has, under the names that a trace gives them.

See `workloads.recording.table` for its families. A way in adds the operators whose arguments only it knows how to
read, above all the products. An operator in no table is a layer `other` that the notes name.
"""

from functools import partial

from workloads.layers import VectorKind
from workloads.recording import vectors
from workloads.recording.other import Rule, record_other
from workloads.recording.table import table


def same_shape(kind: VectorKind) -> Rule:
    """Return the rule of operators with one operand and a result of its shape."""
    return partial(vectors.keeps_shape, kind=kind)


def _elementwise(kind: VectorKind) -> Rule:
    return partial(vectors.elementwise, kind=kind)


SHARED = table({
    "vector": {
        same_shape("activation"): """
            relu leaky_relu prelu elu celu selu gelu silu mish sigmoid tanh hardtanh hardswish hardsigmoid softplus
            log_sigmoid_forward threshold clamp exp log sqrt rsqrt pow abs neg erf reciprocal sin cos softshrink
            hardshrink square log1p expm1 sign floor ceil round""",
        same_shape("layer_norm"): "layer_norm group_norm instance_norm rms_norm",
        same_shape("softmax"): "softmax log_softmax",
        same_shape("dropout"): "dropout",
        _elementwise("add"): "add sub",
        _elementwise("multiply"): "mul div",
        record_other: """
            sum amax amin cumsum topk maximum minimum grid_sampler_2d upsample""",
    },
    "movement": {
        vectors.concat: "cat stack",
        record_other: "constant_pad_nd where pixel_shuffle repeat scatter index_put",
    },
})  # fmt: skip
