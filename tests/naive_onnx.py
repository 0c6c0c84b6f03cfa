"""A naive count of an ONNX model's multiply-accumulates: each node's formula on the shapes that onnx infers."""

from math import prod

import onnx
from onnx.shape_inference import infer_shapes


def count_macs(model, infers=True):
    """Return the multiply-accumulates of one pass; None where a product's shapes stay open."""
    inferred = infer_shapes(model, data_prop=True).graph if infers else model.graph
    shapes = {one.name: tuple(one.dims) for one in inferred.initializer}
    for value in (*inferred.input, *inferred.value_info, *inferred.output):
        dims = value.type.tensor_type.shape.dim
        if value.type.tensor_type.HasField("shape") and all(one.HasField("dim_value") for one in dims):
            shapes[value.name] = tuple(one.dim_value for one in dims)
    for node in inferred.node:
        for one in node.attribute if node.op_type == "Constant" else ():
            if one.name == "value":
                shapes[node.output[0]] = tuple(one.t.dims)
    total = 0
    for node in inferred.node:
        if node.op_type in ("Conv", "ConvInteger", "ConvTranspose", "MatMul", "MatMulInteger", "Gemm"):
            a, b, out = (shapes.get(name) for name in (*node.input[:2], node.output[0]))
            if a is None or b is None or out is None:
                return None
            if node.op_type == "ConvTranspose":  # every operand is spread by one filter
                total += prod(a) * prod(b[1:])
            elif node.op_type.startswith("Conv"):  # every result sums over one filter
                total += prod(out) * prod(b[1:])
            elif node.op_type.startswith("MatMul"):
                total += prod(out) * a[-1]
            else:
                given = {one.name: onnx.helper.get_attribute_value(one) for one in node.attribute}
                total += prod(out) * a[0 if given.get("transA") else 1]
        if node.op_type in ("LSTM", "GRU", "RNN"):  # every step of every sequence through both matrices
            x, w, r = (shapes.get(name) for name in node.input[:3])
            if x is None or w is None or r is None:
                return None
            total += prod(x[:2]) * (prod(w) + prod(r))
    return total
