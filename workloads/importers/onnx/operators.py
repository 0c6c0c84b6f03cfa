"""The table of operators: what the importer does with each that a graph holds.

See `workloads.recording.table` for its families. An operator that is not here is a layer `other` that the notes name.
"""

from functools import partial

from workloads.importers.onnx import products
from workloads.importers.onnx import vectors as own
from workloads.importers.onnx.tensors import Operation
from workloads.layers import VectorKind
from workloads.recording import vectors
from workloads.recording.call import Rule, lost_product, record_other
from workloads.recording.table import UNKNOWN, Operator, rows, shape_alone

_PRODUCTS: dict[Rule, tuple[str, ...]] = {
    products.convolution: ("Conv", "ConvInteger"),
    partial(products.convolution, weight=3, bias=8): ("QLinearConv",),
    products.transposed_convolution: ("ConvTranspose",),
    products.gemm: ("Gemm",),
    products.matmul: ("MatMul", "MatMulInteger"),
    partial(products.matmul, right=3): ("QLinearMatMul",),
    products.einsum: ("Einsum",),
    products.attention: ("Attention",),
    products.recurrent: ("LSTM", "GRU", "RNN"),
    lost_product: ("DeformConv", "CausalConvWithState", "LinearAttention", "DFT", "STFT"),
}
_SAME_SHAPE: dict[VectorKind, tuple[str, ...]] = {
    "activation": (
        "Abs", "Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "Ceil", "Celu", "Clip", "Cos", "Cosh", "Elu", "Erf",
        "Exp", "Floor", "Gelu", "HardSigmoid", "HardSwish", "LeakyRelu", "Log", "Mish", "Neg", "PRelu", "Pow",
        "Reciprocal", "Relu", "Round", "Selu", "Shrink", "Sigmoid", "Sign", "Sin", "Sinh", "Softplus", "Softsign",
        "Sqrt", "Swish", "Tan", "Tanh", "ThresholdedRelu",
    ),
    "layer_norm": (
        "GroupNormalization", "InstanceNormalization", "LayerNormalization", "LpNormalization",
        "MeanVarianceNormalization", "RMSNormalization",
    ),
    "softmax": ("Hardmax", "LogSoftmax", "Softmax"),
    "dropout": ("Dropout",),
}  # fmt: skip
_ELEMENTWISE: dict[VectorKind, tuple[str, ...]] = {"add": ("Add", "Sub", "Sum"), "multiply": ("Mul", "Div")}
_VECTORS: dict[Rule, tuple[str, ...]] = {
    **{partial(vectors.keeps_shape, kind=kind): ops for kind, ops in _SAME_SHAPE.items()},
    **{partial(vectors.elementwise, kind=kind): ops for kind, ops in _ELEMENTWISE.items()},
    own.batch_norm: ("BatchNormalization",),
    own.pool: ("AveragePool", "LpPool", "MaxPool"),
    own.mean_of_image: ("GlobalAveragePool", "GlobalLpPool", "GlobalMaxPool"),
    own.mean: ("ReduceMean",),
    record_other: (
        "And", "ArgMax", "ArgMin", "BitShift", "BitwiseAnd", "BitwiseNot", "BitwiseOr", "BitwiseXor", "CumProd",
        "CumSum", "Equal", "Greater", "GreaterOrEqual", "GridSample", "IsInf", "IsNaN", "LRN", "Less", "LessOrEqual",
        "Max", "MaxRoiPool", "Mean", "Min", "Mod", "NegativeLogLikelihoodLoss", "Not", "Or", "ReduceL1", "ReduceL2",
        "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare",
        "Resize", "RoiAlign", "RotaryEmbedding", "SoftmaxCrossEntropyLoss", "SwiGLU", "TopK", "Upsample", "Xor",
    ),
}  # fmt: skip
_MOVEMENTS: dict[Rule, tuple[str, ...]] = {
    vectors.concat: ("Concat", "Stack"),
    own.gather: ("Gather",),
    own.select: ("GatherElements", "GatherND"),
    record_other: (
        "CenterCropPad", "Col2Im", "DepthToSpace", "MaxUnpool", "OneHot", "Pad", "ReverseSequence", "Scatter",
        "ScatterElements", "ScatterND", "SpaceToDepth", "TensorScatter", "Tile", "Trilu", "Where",
    ),
}  # fmt: skip
# Numbers that are rounded to fewer bits are the same numbers to a trace.
_VIEWS: dict[Rule, tuple[str, ...]] = {
    own.view: (
        "BitCast", "Cast", "CastLike", "DequantizeLinear", "DynamicQuantizeLinear", "Expand", "Flatten", "Identity",
        "QuantizeLinear", "Reshape", "ScanSlice", "Slice", "Split", "Squeeze", "Transpose", "Unsqueeze",
    ),
}  # fmt: skip
_CONSTANTS: dict[Rule, tuple[str, ...]] = {
    shape_alone: (
        "Constant", "ConstantOfShape", "EyeLike", "RandomNormal", "RandomNormalLike", "RandomUniform",
        "RandomUniformLike", "Shape", "Size",
    ),
}  # fmt: skip
_CONTROL: dict[Rule, tuple[str, ...]] = {
    own.by_values: ("Compress", "If", "Loop", "NonMaxSuppression", "NonZero", "Unique"),
}

OPERATORS: dict[str, Operator] = {
    **rows("product", _PRODUCTS),
    **rows("vector", _VECTORS),
    **rows("movement", _MOVEMENTS),
    **rows("view", _VIEWS),
    **rows("constant", _CONSTANTS),
    **rows("control", _CONTROL),
}


def find_operator(call: Operation) -> Operator:
    """Return what the importer does with an operator."""
    return OPERATORS.get(call.kind, UNKNOWN)
