"""PyTorch's names of ONNX's operators, which a trace gives its layers; an operator without one keeps its own."""

TORCH_NAMES = {
    "Abs": "abs", "Add": "add", "ArgMax": "argmax", "ArgMin": "argmin", "AveragePool": "avg_pool2d",
    "BatchNormalization": "batch_norm", "Bernoulli": "bernoulli", "Cast": "to_copy", "Ceil": "ceil", "Celu": "celu",
    "Clip": "clamp", "Concat": "cat", "Cos": "cos", "CumSum": "cumsum", "DepthToSpace": "pixel_shuffle", "Div": "div",
    "Dropout": "dropout", "Elu": "elu", "Erf": "erf", "Exp": "exp", "Expand": "expand", "Flatten": "view",
    "Floor": "floor", "GatherElements": "gather", "Gelu": "gelu", "GlobalAveragePool": "mean", "GlobalMaxPool": "amax",
    "GridSample": "grid_sampler_2d", "GroupNormalization": "group_norm", "HardSigmoid": "hardsigmoid",
    "HardSwish": "hardswish", "InstanceNormalization": "instance_norm", "LayerNormalization": "layer_norm",
    "LeakyRelu": "leaky_relu", "Log": "log", "LogSoftmax": "log_softmax", "MaxPool": "max_pool2d", "Max": "maximum",
    "Min": "minimum", "Mish": "mish", "Mul": "mul", "Neg": "neg", "PRelu": "prelu", "Pad": "constant_pad_nd",
    "Pow": "pow", "RMSNormalization": "rms_norm", "Reciprocal": "reciprocal", "ReduceMax": "amax",
    "ReduceMean": "mean", "ReduceMin": "amin", "ReduceSum": "sum", "Relu": "relu", "Reshape": "view",
    "Resize": "upsample", "Round": "round", "ScatterElements": "scatter", "ScatterND": "index_put", "Selu": "selu",
    "Sigmoid": "sigmoid", "Sign": "sign", "Sin": "sin", "Slice": "slice", "Softmax": "softmax",
    "Softplus": "softplus", "Split": "split", "Sqrt": "sqrt", "Squeeze": "squeeze", "Stack": "stack", "Sub": "sub",
    "Sum": "add", "Swish": "silu", "Tanh": "tanh", "Tile": "repeat", "TopK": "topk", "Transpose": "transpose",
    "Unsqueeze": "unsqueeze", "Upsample": "upsample", "Where": "where",
}  # fmt: skip
