"""ONNX models: convolutions, Gemm and MatMul, and the layers between them without multiply-accumulates.

A model is read for its shapes; its weights may be missing. What it was exported for was inference, so batch norms
that were folded into convolutions are gone, and with them their cost.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

from workloads.foundation.errors import InputError
from workloads.importers import Imported, Importer
from workloads.layers import Conv2d, Layer, Linear, Matmul, VectorKind, VectorLayer

Shape = tuple[int, ...]


@dataclass
class _Graph:
    """A graph while it is read: shapes of all tensors with the batch, and the layer that made each activation."""

    file: str
    batch: int
    shapes: dict[str, Shape]
    parameters: dict[str, int]
    constants: set[str]
    sources: dict[str, str]
    layers: list[Layer] = field(default_factory=list)
    notes: dict[str, list[str]] = field(default_factory=dict)
    weights: dict[str, Conv2d | Linear] = field(default_factory=dict)

    def shape(self, tensor: str) -> Shape:
        if tensor not in self.shapes:
            raise InputError(self.file, tensor, "its shape cannot be inferred", "check the model")
        return self.shapes[tensor]

    def sample(self, tensor: str) -> Shape:
        """Return a tensor's shape without the batch, its first dimension or a factor of it."""
        shape = self.shape(tensor)
        if shape and shape[0] % self.batch == 0:
            windows = shape[0] // self.batch
            return (shape[1:] if windows == 1 else (windows, *shape[1:])) or (1,)
        return (max(1, prod(shape) // self.batch),)

    def activations(self, node: Any) -> list[str]:
        return [name for name in node.input if name in self.sources]

    def trainable(self, node: Any) -> int:
        """Return the numbers in a node's constants that a training would change, each once in a graph.

        A single number is none of them, nor are a batch norm's running statistics.
        """
        names = node.input[:3] if node.op_type == "BatchNormalization" else node.input
        return sum(size for name in names if (size := self.parameters.pop(name, 0)) > 1)

    def note(self, what: str, where: str) -> None:
        self.notes.setdefault(what, []).append(where)

    def unique(self, node: Any) -> str:
        taken = {layer.id for layer in self.layers} | set(self.sources.values())
        base = node.name.strip("/") or f"{node.op_type.lower()}_{node.output[0]}"
        name, number = base, 1
        while name in taken:
            number += 1
            name = f"{base}#{number}"
        return name

    def add(self, layer: Layer, output: str) -> None:
        self.layers.append(layer)
        self.sources[output] = layer.id

    def vector(self, node: Any, kind: VectorKind, inputs: Sequence[str], output: str | None = None) -> None:
        made = node.output[0] if output is None else output
        layer = VectorLayer(
            id=self.unique(node), kind=kind, op=_OPS.get(node.op_type, node.op_type.lower()),
            inputs=tuple(self.sources[name] for name in inputs), shape=self.sample(made),
            parameters=self.trainable(node),
        )  # fmt: skip
        self.add(layer, made)

    def weighted(self, layer: Conv2d | Linear, weight: str, output: str) -> None:
        """Add a layer with weights; one that reads the weights of an earlier layer shares them."""
        self.parameters.pop(weight, None)
        first = self.weights.setdefault(weight, layer)
        if first is not layer:
            layer = layer.model_copy(update={"shares_weights_with": first.id})
        self.add(layer, output)


_Handler = Callable[[_Graph, Any], None]


def _attributes(node: Any) -> dict[str, Any]:
    from onnx.helper import get_attribute_value

    return {one.name: get_attribute_value(one) for one in node.attribute}


def _conv(graph: _Graph, node: Any) -> None:
    image, weight = node.input[:2]
    kernel = graph.shape(weight)[2:]
    if weight not in graph.constants or len(kernel) > 2:
        _lost(graph, node)
        return
    given = _attributes(node)
    missing = 2 - len(kernel)  # a one-dimensional convolution is one of height 1
    C, *extents = graph.shape(image)[1:]
    K, *results = graph.shape(node.output[0])[1:]
    strides = given.get("strides", [1] * len(kernel))
    dilations = given.get("dilations", [1] * len(kernel))
    before, after = _pads(given, extents, results, kernel, strides, dilations)
    source = graph.sources[image]
    if before != after:
        extents = [size + a + b for size, a, b in zip(extents, before, after, strict=True)]
        before = [0] * len(kernel)
        source = f"{graph.unique(node)}.pad"
        shape = (C, *[1] * missing, *extents)
        pad = VectorLayer(id=source, kind="other", op="pad", inputs=(graph.sources[image],), shape=shape)
        graph.layers.append(pad)
    elif missing:
        source = f"{graph.unique(node)}.view"
        view = VectorLayer(id=source, kind="reshape", op="view", inputs=(graph.sources[image],), shape=(C, 1, *extents))
        graph.layers.append(view)
    H, W = [1] * missing + extents
    R, S = [1] * missing + list(kernel)
    P, Q = [1] * missing + results
    layer = Conv2d(
        id=graph.unique(node), kind="conv2d", inputs=(source,), C=C, H=H, W=W, K=K, R=R, S=S, P=P, Q=Q,
        stride=_pair([1] * missing + list(strides)), padding=_pair([0] * missing + before),
        dilation=_pair([1] * missing + list(dilations)), groups=given.get("group", 1), bias=len(node.input) > 2,
    )  # fmt: skip
    graph.weighted(layer, weight, node.output[0])
    if missing:
        _reshaped(graph, node.output[0], layer.id)


def _pair(values: Sequence[int]) -> tuple[int, int]:
    return values[0], values[1]


def _reshaped(graph: _Graph, tensor: str, made: str) -> None:
    """Give a tensor the shape that the graph knows it in, where its layer has another one."""
    view = VectorLayer(id=f"{made}.squeeze", kind="reshape", op="view", inputs=(made,), shape=graph.sample(tensor))
    graph.add(view, tensor)


def _pads(
    given: dict[str, Any], extents: Sequence[int], results: Sequence[int], kernel: Sequence[int],
    strides: Sequence[int], dilations: Sequence[int],
) -> tuple[list[int], list[int]]:  # fmt: skip
    """Return the padding before and after each dimension."""
    automatic = given.get("auto_pad", b"NOTSET")
    if automatic in (b"NOTSET", b"VALID"):
        pads = list(given.get("pads", [0] * (2 * len(kernel))))
        return pads[: len(kernel)], pads[len(kernel) :]
    needed = [
        max(0, (result - 1) * stride + dilation * (size - 1) + 1 - extent)
        for extent, result, size, stride, dilation in zip(extents, results, kernel, strides, dilations, strict=True)
    ]
    less, more = [one // 2 for one in needed], [one - one // 2 for one in needed]
    return (less, more) if automatic == b"SAME_UPPER" else (more, less)


def _gemm(graph: _Graph, node: Any) -> None:
    given = _attributes(node)
    left, right = node.input[:2]
    if right not in graph.constants or left not in graph.sources or given.get("transA", 0):
        _lost(graph, node)
        return
    rows, columns = graph.shape(right)
    C, K = (columns, rows) if given.get("transB", 0) else (rows, columns)
    bias = len(node.input) > 2 and node.input[2] in graph.constants
    _linear(graph, node, left, right, C, K, bias)


def _matmul(graph: _Graph, node: Any) -> None:
    left, right = node.input[:2]
    a, b = graph.shape(left), graph.shape(right)
    if right in graph.constants and prod(b[:-2]) == 1 and len(b) > 1:
        _linear(graph, node, left, right, b[-2], b[-1], bias=False)
    elif left in graph.constants and prod(a[:-2]) == 1 and len(a) > 1:
        _linear(graph, node, right, left, a[-1], a[-2], bias=False)
    elif left in graph.constants or right in graph.constants or len(a) < 2 or len(b) < 2:
        _lost(graph, node)
    else:
        G, rest = divmod(prod(graph.shape(node.output[0])[:-2]), graph.batch)
        if rest or prod(a[:-2]) != prod(b[:-2]):  # one operand for all samples, or repeated over heads
            _lost(graph, node)
            return
        layer = Matmul(
            id=graph.unique(node), kind="matmul", inputs=(graph.sources[left], graph.sources[right]),
            G=G, M=a[-2], C=a[-1], K=b[-1],
        )  # fmt: skip
        graph.add(layer, node.output[0])
        if layer.output_shape != graph.sample(node.output[0]):
            _reshaped(graph, node.output[0], layer.id)


def _linear(graph: _Graph, node: Any, vectors: str, weight: str, C: int, K: int, bias: bool) -> None:
    L, rest = divmod(prod(graph.shape(vectors)) // C, graph.batch)
    if rest:
        _lost(graph, node)
        return
    layer = Linear(
        id=graph.unique(node), kind="linear", inputs=(graph.sources[vectors],), L=L, C=C, K=K, bias=bias
    )  # fmt: skip
    graph.weighted(layer, weight, node.output[0])
    if layer.output_shape != graph.sample(node.output[0]):
        _reshaped(graph, node.output[0], layer.id)


def _lost(graph: _Graph, node: Any) -> None:
    _other(graph, node)
    graph.note(f"the multiply-accumulates of {node.op_type} are missing", node.name or node.output[0])


def _vector(kind: VectorKind, inputs: int | None = 1) -> _Handler:
    """Return the handler of nodes that make one layer of a kind, of their first activations or of all."""
    return lambda graph, node: graph.vector(node, kind, graph.activations(node)[:inputs])


def _add(graph: _Graph, node: Any) -> None:
    """Add; a vector of as many numbers as the linear layer right before has outputs is that layer's bias."""
    inputs, last = graph.activations(node), graph.layers[-1] if graph.layers else None
    constants = [name for name in node.input if name in graph.constants]
    is_bias = (
        isinstance(last, Linear) and not last.bias and len(constants) == 1 and graph.sources[inputs[0]] == last.id
        and graph.shape(constants[0]) == (last.K,)
    )  # fmt: skip
    if is_bias and isinstance(last, Linear):
        graph.layers[-1] = last.model_copy(update={"bias": True})
        graph.sources[node.output[0]] = last.id
    else:
        graph.vector(node, "add", inputs)


def _concat(graph: _Graph, node: Any) -> None:
    inputs = graph.activations(node)
    graph.vector(node, "concat" if len(inputs) == len(node.input) else "other", inputs)


def _pool(graph: _Graph, node: Any) -> None:
    """Pool, or reduce, an image to a smaller one; other reductions only have a shape."""
    before, after = graph.sample(node.input[0]), graph.sample(node.output[0])
    pools = len(before) == len(after) == 3 and before[0] == after[0]
    graph.vector(node, "pool" if pools else "other", graph.activations(node)[:1])


def _reshape(graph: _Graph, node: Any) -> None:
    same = prod(graph.shape(node.input[0])) == prod(graph.shape(node.output[0]))
    graph.vector(node, "reshape" if same else "other", graph.activations(node)[:1])


def _select(graph: _Graph, node: Any) -> None:
    """Take parts of an activation; a table that an activation looks up in is an embedding."""
    inputs = graph.activations(node)
    kind: VectorKind = "select" if node.input[0] in graph.sources else "other"
    for output in filter(None, node.output):
        graph.vector(node, kind, inputs[:1], output)


def _alias(graph: _Graph, node: Any) -> None:
    graph.sources[node.output[0]] = graph.sources[graph.activations(node)[0]]


def _shape_of(graph: _Graph, node: Any) -> None:
    graph.constants.update(node.output)


def _other(graph: _Graph, node: Any) -> None:
    for output in filter(None, node.output):
        graph.vector(node, "other", graph.activations(node), output)


def _unknown(graph: _Graph, node: Any) -> None:
    _other(graph, node)
    graph.note(f"{node.op_type} is recorded as 'other', without its arithmetic", node.name or node.output[0])


_ACTIVATIONS = {
    "Relu": "relu", "LeakyRelu": "leaky_relu", "PRelu": "prelu", "Elu": "elu", "Selu": "selu", "Celu": "celu",
    "Gelu": "gelu", "Sigmoid": "sigmoid", "HardSigmoid": "hardsigmoid", "HardSwish": "hardswish", "Tanh": "tanh",
    "Softplus": "softplus", "Clip": "clamp", "Erf": "erf", "Exp": "exp", "Log": "log", "Sqrt": "sqrt", "Pow": "pow",
    "Abs": "abs", "Neg": "neg", "Reciprocal": "reciprocal", "Mish": "mish", "Swish": "silu",
}  # fmt: skip
_OPS = _ACTIVATIONS | {
    "BatchNormalization": "batch_norm", "LayerNormalization": "layer_norm", "InstanceNormalization": "instance_norm",
    "GroupNormalization": "group_norm", "MaxPool": "max_pool2d", "AveragePool": "avg_pool2d", "ReduceMean": "mean",
    "GlobalAveragePool": "adaptive_avg_pool2d", "GlobalMaxPool": "adaptive_max_pool2d", "LogSoftmax": "log_softmax",
    "Resize": "upsample",
}  # fmt: skip
_HANDLERS: dict[str, _Handler] = {
    "Conv": _conv, "Gemm": _gemm, "MatMul": _matmul, "Concat": _concat, "ReduceMean": _pool,
    "Add": _add, "Sub": _add, "Sum": _add, "Mul": _vector("multiply", None), "Div": _vector("multiply", None),
    **dict.fromkeys(("ConvTranspose", "Einsum", "Attention", "MultiHeadAttention", "LSTM", "GRU", "RNN", "ConvInteger",
                     "MatMulInteger", "QLinearConv", "QLinearMatMul", "DeformConv"), _lost),
    "Shape": _shape_of, "Size": _shape_of,
    **dict.fromkeys(_ACTIVATIONS, _vector("activation")),
    **dict.fromkeys(("LayerNormalization", "InstanceNormalization", "GroupNormalization", "RMSNormalization"),
                    _vector("layer_norm")),
    **dict.fromkeys(("Softmax", "LogSoftmax"), _vector("softmax")),
    **dict.fromkeys(("MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool"), _pool),
    **dict.fromkeys(("Flatten", "Reshape", "Transpose", "Squeeze", "Unsqueeze", "DepthToSpace"), _reshape),
    **dict.fromkeys(("Slice", "Split", "Gather", "GatherElements", "GatherND"), _select),
    **dict.fromkeys(("Identity", "Cast"), _alias),
    **dict.fromkeys(("Resize", "Upsample", "Pad", "Expand", "Tile", "Where", "LRN", "ReduceSum", "ReduceMax"), _other),
    "SpaceToDepth": _reshape, "BatchNormalization": _vector("batch_norm"), "Dropout": _vector("dropout"),
}  # fmt: skip


def read_onnx(path: Path) -> Imported:
    """Read a model file.

    Raises
    ------
    InputError
        If it is no ONNX model, its shapes are not fixed, or the package `onnx` is missing.
    """
    model = _loaded(path)
    graph = _graph(str(path), model)
    inputs = {name: graph.sample(name) for name in graph.sources}
    for node in model.graph.node:
        if not graph.activations(node):
            graph.constants.update(node.output)
        else:
            _HANDLERS.get(node.op_type, _unknown)(graph, node)
    notes = ["An inference graph taken as a training workload: what its export folded away, batch norms say, is gone."]
    notes += [f"Not recorded as it is: {what}: {_listed(where)}" for what, where in graph.notes.items()]
    return Imported(inputs, tuple(graph.layers), tuple(notes))


def _listed(places: list[str]) -> str:
    return ", ".join(places[:3]) + (f" and {len(places) - 3} more" if len(places) > 3 else "")


def _loaded(path: Path) -> Any:
    try:
        import onnx
    except ImportError:
        raise InputError(
            str(path), "", "onnx is needed for it and not installed", "run pip install '.[onnx]' in a clone"
        ) from None
    try:
        model = onnx.load(str(path), load_external_data=False)
    except OSError as error:
        raise InputError(str(path), "", f"cannot be read: {error.strerror}", "give an ONNX file") from None
    except Exception as error:  # protobuf's own errors have no common class across its versions
        raise InputError(str(path), "", f"is no ONNX model ({type(error).__name__})", "give an ONNX file") from None
    for value in _true_inputs(model):
        for index, size in enumerate(value.type.tensor_type.shape.dim):
            if index == 0 and not size.dim_value:
                size.dim_value = 1  # a batch of any size
            elif not size.dim_value:
                name = size.dim_param or "unnamed"
                raise InputError(
                    str(path),
                    value.name,
                    f"dimension {index} ({name}) is not fixed",
                    "export the model with fixed shapes",
                )
    try:
        return onnx.shape_inference.infer_shapes(model, data_prop=True)
    except Exception as error:  # as above
        first = str(error).strip().splitlines()[0]
        raise InputError(str(path), "", f"its shapes cannot be inferred: {first}", "check the model") from None


def _true_inputs(model: Any) -> list[Any]:
    initialized = {one.name for one in model.graph.initializer}
    return [one for one in model.graph.input if one.name not in initialized]


def _graph(file: str, model: Any) -> _Graph:
    graph = model.graph
    inputs = _true_inputs(model)
    ranked = [one for one in inputs if one.type.tensor_type.shape.dim]
    if not ranked:
        raise InputError(file, "graph.input", "no input with a shape", "export the model with fixed shapes")
    shapes = {name: shape for one in [*graph.value_info, *graph.input, *graph.output] for name, shape in _known(one)}
    shapes |= {one.name: tuple(one.dims) for one in graph.initializer}
    floating = {1, 10, 11, 16}  # FLOAT, FLOAT16, DOUBLE, BFLOAT16
    return _Graph(
        file=file,
        batch=shapes[ranked[0].name][0],
        shapes=shapes,
        parameters={one.name: prod(one.dims) for one in graph.initializer if one.data_type in floating},
        constants={one.name for one in graph.initializer} | {""},
        sources={one.name: one.name for one in ranked},
    )


def _known(value: Any) -> Iterator[tuple[str, Shape]]:
    tensor = value.type.tensor_type
    if tensor.HasField("shape") and all(size.HasField("dim_value") for size in tensor.shape.dim):
        yield value.name, tuple(size.dim_value for size in tensor.shape.dim)


IMPORTER = Importer("onnx", (".onnx",), "ONNX models of fixed shapes; any batch counts as one sample", read_onnx)
