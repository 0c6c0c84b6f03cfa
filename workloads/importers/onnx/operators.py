"""The table of operators: what the importer does with each that a graph holds, beside those of every way in.

See `workloads.recording.table` for its families. An operator that is in no table is a layer `other` that the notes
name.
"""

from functools import partial

from workloads.importers.onnx import products
from workloads.importers.onnx import vectors as own
from workloads.importers.onnx.names import TORCH_NAMES
from workloads.importers.onnx.tensors import Operation
from workloads.recording import vectors
from workloads.recording.operators import SHARED, same_shape
from workloads.recording.other import lost_product, record_other
from workloads.recording.selection import Decides, by_index, by_value
from workloads.recording.table import UNKNOWN, Operator, by_name, shape_alone, table, values_alone

_BY_VALUE = "Compress If Loop NonMaxSuppression NonZero Unique"
# Numbers that are rounded to fewer bits are the same numbers to a trace: a view.
_OWN = table({
    "product": {
        products.convolution: "Conv ConvInteger",
        partial(products.convolution, weight=3, bias=8): "QLinearConv",
        products.transposed_convolution: "ConvTranspose",
        products.gemm: "Gemm",
        products.matmul: "MatMul MatMulInteger",
        partial(products.matmul, right=3): "QLinearMatMul",
        products.einsum: "Einsum",
        products.attention: "Attention",
        products.recurrent: "LSTM GRU RNN",
        lost_product: "DeformConv CausalConvWithState LinearAttention DFT STFT",
    },
    "vector": {
        same_shape("activation"):
            "Acos Acosh Asin Asinh Atan Atanh Cosh Shrink Sinh Softsign Tan ThresholdedRelu",
        same_shape("layer_norm"): "LpNormalization MeanVarianceNormalization",
        same_shape("softmax"): "Hardmax",
        own.batch_norm: "BatchNormalization",
        own.pool: "AveragePool LpPool MaxPool",
        own.mean_of_image: "GlobalAveragePool GlobalLpPool GlobalMaxPool",
        own.mean: "ReduceMean",
        record_other: """
            CumProd LRN MaxRoiPool Mean Mod NegativeLogLikelihoodLoss ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp
            ReduceProd ReduceSumSquare RoiAlign RotaryEmbedding SoftmaxCrossEntropyLoss SwiGLU""",
    },
    "movement": {
        own.gather: "Gather",
        vectors.select: "GatherElements GatherND",
        record_other: """
            CenterCropPad Col2Im MaxUnpool OneHot ReverseSequence Scatter SpaceToDepth TensorScatter Trilu""",
    },
    "view": {
        own.view: """
            BitCast Cast CastLike DequantizeLinear DynamicQuantizeLinear Expand Flatten Identity QuantizeLinear Reshape
            ScanSlice Slice Split Squeeze Transpose Unsqueeze""",
    },
    "constant": {
        shape_alone: """
            Constant ConstantOfShape EyeLike RandomNormal RandomNormalLike RandomUniform RandomUniformLike Shape
            Size""",
    },
    "control": {values_alone: _BY_VALUE},
})  # fmt: skip
OPERATORS: dict[str, Operator] = {
    **{kind: SHARED[name] for kind, name in TORCH_NAMES.items() if name in SHARED}, **_OWN
}  # fmt: skip
DECIDES: dict[str, Decides] = by_name({by_value: _BY_VALUE, by_index: "Gather GatherElements GatherND"})


def find_operator(call: Operation) -> Operator:
    """Return what the importer does with an operator."""
    return OPERATORS.get(call.kind, UNKNOWN)
