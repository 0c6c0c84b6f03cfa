"""ONNX graphs for tests, and what the importer reads of them."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from workloads.graph import check_graph
from workloads.importers import InputOptions, find_importer
from workloads.layers import Conv2d, Linear, Matmul


class Builder:
    """A graph under construction: weights are zeros, names of nodes are given."""

    def __init__(self, **inputs):
        self.inputs = [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in inputs.items()]
        self.nodes, self.weights = [], []

    def weight(self, name, *shape, dtype=np.float32):
        self.weights.append(numpy_helper.from_array(np.zeros(shape, dtype), name))
        return name

    def values(self, name, *values):
        self.weights.append(numpy_helper.from_array(np.array(values, np.int64), name))
        return name

    def node(self, op, inputs, output, *more, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [output, *more], name=output, **attributes))
        return output

    def save(self, path, output, kind=TensorProto.FLOAT, version=17):
        out = helper.make_tensor_value_info(output, kind, None)
        graph = helper.make_graph(self.nodes, "g", self.inputs, [out], self.weights)
        opsets = [helper.make_opsetid("", version), helper.make_opsetid("own", 1)]
        model = helper.make_model(graph, opset_imports=opsets)
        onnx.save(model, path)
        return path


def image(*shape):
    return {"image": (TensorProto.FLOAT, shape)}


def read(path, shapes=None, batch_axes=None):
    """Import a file; its layers chain."""
    found = find_importer("onnx").read(Path(path), InputOptions(shapes or {}, batch_axes or {}))
    check_graph(found.layers, found.inputs)
    return found


def products(layers):
    return [layer for layer in layers if isinstance(layer, Conv2d | Linear | Matmul)]


def macs(layers):
    """Return the multiply-accumulates of one sample."""
    return sum(layer.product_shape(1).macs for layer in products(layers))
