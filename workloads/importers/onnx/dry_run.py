"""Run an ONNX graph on shapes alone, as a model on PyTorch's meta device.

Node after node, onnx infers the shapes of what it makes; what is known and small (a target of `Reshape`, say) is
computed by onnx's reference operators. So control flow runs too: the branch that is taken, a loop as often as it goes.
"""

import re
from collections import ChainMap
from collections.abc import Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, defs, helper, numpy_helper
from onnx.checker import ValidationError
from onnx.external_data_helper import load_external_data_for_tensor
from onnx.reference import ReferenceEvaluator
from onnx.shape_inference import InferenceError, infer_node_outputs

from workloads.foundation.errors import InputError
from workloads.graph import Shape
from workloads.importers.onnx.control import CONTROL, Node, Results
from workloads.importers.onnx.macs import counts_macs
from workloads.importers.onnx.tensors import Operation, Run, Scope, Tensor, place_of, tensor_of

_SMALL = 4096  # elements of a tensor whose values are followed
_RANDOM = {"Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike"}


def unreadable(kind: str, error: Exception) -> str:
    """Return the note on an operator that neither onnx nor the importer understands."""
    return f"{kind} cannot be read ({type(error).__name__}: {error})"


def dry_run(file: str, model: Any, shapes: Mapping[str, Shape]) -> Run:
    """Run a model for inputs of some shapes.

    Raises
    ------
    InputError
        If a node does not fit its operands, or reads what nothing makes.
    """
    return DryRun(file, model).run(shapes)


class DryRun:
    """A run of one model; what control flow needs of it is public."""

    def __init__(self, file: str, model: Any) -> None:
        self._file = file
        self._model = model
        self.versions = {_domain(one.domain): one.version for one in model.opset_import}
        self._declared: dict[str, Any] = {}
        self._sizes: dict[str, int] = {}
        self._constants: dict[str, Tensor] = {}

    def run(self, shapes: Mapping[str, Shape]) -> Run:
        """Run the model for inputs of some shapes."""
        graph = self._model.graph
        ran = Run({})
        for value in graph.input:
            if value.name in shapes:
                shape, given = shapes[value.name], value.type.tensor_type
                self._sizes |= {
                    one.dim_param: size for one, size in zip(given.shape.dim, shape, strict=False) if one.dim_param
                }
                kind = self._type_name(given.elem_type, value.name)
                ran.inputs[value.name] = tensor_of(value.name, kind, shape)
        scope: dict[str, Tensor] = dict(ran.inputs)
        self.run_graph(graph, scope, "", ran)
        for value in graph.output:
            if value.name not in scope:
                raise self.error(value.name, "is an output of the graph that nothing makes")
        return ran

    def _type_name(self, number: int, place: str) -> str:
        """Return the name of a type that the file gives."""
        if number not in TensorProto.DataType.values():
            raise self.error(place, f"is of type {number}, which ONNX does not know")
        return _kind(number)

    def error(self, place: str, problem: str) -> InputError:
        """Return the error of a node, or of another place in the file."""
        return InputError(
            self._file, place, problem, "check the sizes of the inputs, and the model with onnx.checker.check_model"
        )

    def run_graph(self, graph: Any, scope: Scope, path: str, ran: Run) -> list[Tensor]:
        """Run a graph in a scope that holds its inputs; return its outputs."""
        self._declared |= {one.name: one.type for one in (*graph.value_info, *graph.output)}
        for weight in graph.initializer:
            scope[weight.name] = self._constant(ran.initializers, weight, weight.name, path)
        for sparse in graph.sparse_initializer:
            whole = path + sparse.values.name
            found = tensor_of(whole, self._type_name(sparse.values.data_type, whole), tuple(sparse.dims))
            scope[sparse.values.name] = found
            ran.initializers.append(found)
        for proto in graph.node:
            place = path + place_of(proto)
            try:
                inputs = [self._look_up(name, scope, place) if name else None for name in proto.input]
                attributes = {one.name: helper.get_attribute_value(one) for one in proto.attribute}
                node = Node(proto, scope, path, place, inputs, attributes)
                self._bind(node, CONTROL.get(proto.op_type, DryRun.run_node)(self, node, ran))
            except InputError:
                raise
            except Exception as error:  # attributes or operands that the operator cannot have
                raise self.error(place, unreadable(proto.op_type, error)) from error
        return [self._look_up(one.name, scope, path or "the graph") for one in graph.output] if path else []

    def _constant(self, held: list[Tensor], weight: Any, name: str, path: str) -> Tensor:
        whole = re.sub(r"(?<=/)\d+/", "", path) + name  # the same in every turn of a loop
        if whole not in self._constants:
            shape = tuple(weight.dims)
            if min(shape, default=0) < 0:
                raise self.error(name, f"has the impossible shape {list(shape)}")
            data = self._values(weight, name) if prod(shape) <= _SMALL else None
            self._constants[whole] = tensor_of(whole, self._type_name(weight.data_type, whole), shape, data)
            held.append(self._constants[whole])
        return self._constants[whole]

    def _values(self, weight: Any, name: str) -> Any:
        """Return what a small constant holds; None if it is in another file that is not there."""
        outside = weight.data_location == TensorProto.EXTERNAL
        held = TensorProto()
        held.CopyFrom(weight)
        try:
            if outside:
                load_external_data_for_tensor(held, str(Path(self._file).parent))
            return numpy_helper.to_array(held)
        except Exception as error:  # numpy's and onnx's own have no common class
            if outside:
                return None
            raise self.error(name, f"holds no tensor of {list(weight.dims)} ({type(error).__name__})") from None

    def _look_up(self, name: str, scope: Scope, reader: str) -> Tensor:
        if name not in scope:
            raise self.error(reader, f"reads {name!r}, which nothing before it makes")
        return scope[name]

    def _bind(self, node: Node, results: Results) -> None:
        """Give what a node makes its names."""
        scope = node.scope
        for name, found in zip(node.proto.output, results, strict=False):
            if not name or found is None:
                continue
            if name in (scope.maps[0] if isinstance(scope, ChainMap) else scope):
                raise self.error(node.place, f"makes {name!r}, which is there already")
            scope[name] = found

    def run_node(self, node: Node, ran: Run) -> Results:
        """Run a node that computes; return what it makes."""
        kind = node.proto.op_type
        if kind == "Constant" and "value" in node.attributes:
            return [self._constant(ran.literals, node.attributes["value"], node.proto.output[0], node.path)]
        results = self._results(node)
        if node.inputs or kind != "Constant":
            ran.operations.append(Operation(kind, node.place, tuple(node.inputs), tuple(results), node.attributes))
        else:
            ran.literals += [one for one in results if one is not None]
        return results

    def _results(self, node: Node) -> Results:
        kind = node.proto.op_type
        known = all(one is None or one.data is not None for one in node.inputs)
        try:
            types = self._types(node.proto, node.inputs, node.place)
        except InputError:
            if not known:
                raise
            types = {}  # onnx's reference operators take what its inference does not
        results = [self._typed(node.path + name, types.get(name)) if name else None for name in node.proto.output]
        made = [one for one in results if one is not None]
        first = node.input(0)
        if kind in ("Shape", "Size") and first is not None and first.known and made:
            sizes = first.shape[slice(node.attributes.get("start", 0), node.attributes.get("end"))]
            made[0].data = np.array(prod(sizes) if kind == "Size" else sizes, np.int64)
        elif known and not counts_macs(kind) and kind not in _RANDOM and all(one.numel() <= _SMALL for one in made):
            self._compute(node.proto, node.inputs, made)
        both = [one for one in (first, *made[:1]) if one is not None and one.known and kind == "Reshape"]
        if len({one.numel() for one in both}) > 1:  # which onnx does not see
            raise self.error(node.place, f"Reshape cannot make {list(both[1].shape)} of {list(both[0].shape)}")
        return results

    def _types(self, node: Any, inputs: Sequence[Tensor | None], place: str) -> dict[str, Any]:
        """Return the types of what a node makes: as onnx infers them, else as the file gives them."""
        domain = _domain(node.domain)
        declared = {name: self._declared[name] for name in node.output if name in self._declared}
        try:
            schema = defs.get_schema(node.op_type, self.versions[domain], domain)
        except (defs.SchemaError, KeyError):
            return declared
        operands = [(name, one) for name, one in zip(node.input, inputs, strict=True) if one is not None]
        values = {name: numpy_helper.from_array(np.asarray(one.data), name)
                  for name, one in operands if one.data is not None}  # fmt: skip
        try:
            found = infer_node_outputs(
                schema, node, {name: one.type for name, one in operands}, values,
                opset_imports=self._model.opset_import, ir_version=self._model.ir_version,
            )  # fmt: skip
        except (InferenceError, ValidationError, RuntimeError, ValueError) as error:
            if declared and all(_is_fixed(self._resolved(one)) for one in declared.values()):
                return declared
            text = str(error).removeprefix("[ShapeInferenceError]").strip().splitlines() or [type(error).__name__]
            raise self.error(place, f"{node.op_type} does not fit its operands: {text[0]}") from None
        return {name: one if _is_fixed(one) else declared.get(name, one) for name, one in found.items()}

    def _resolved(self, given: Any) -> Any:
        """Return a type with the sizes that the inputs give to its named dimensions."""
        found = onnx.TypeProto()
        found.CopyFrom(given)
        for size in found.tensor_type.shape.dim if given.HasField("tensor_type") else ():
            if size.dim_param in self._sizes:
                size.dim_value = self._sizes[size.dim_param]
        return found

    def unknown(self, name: str) -> Tensor:
        """Return a tensor without any known property."""
        return self._typed(name, onnx.TypeProto())

    def _typed(self, name: str, given: Any) -> Tensor:
        found = self._resolved(given or onnx.TypeProto())
        kind = _kind(found.tensor_type.elem_type) if found.HasField("tensor_type") else ""
        known = _is_fixed(found)
        shape = tuple(one.dim_value for one in found.tensor_type.shape.dim) if known else ()
        return Tensor(name, found, kind, shape, known)

    def _compute(self, node: Any, inputs: Sequence[Tensor | None], made: Sequence[Tensor]) -> None:
        """Compute what a node makes of known values; if onnx's reference cannot, only its shape is known."""
        given = {name: one.data for name, one in zip(node.input, inputs, strict=True) if one is not None}
        infos = [helper.make_tensor_value_info(name, TensorProto.UNDEFINED, None) for name in (*given, *node.output)]
        graph = helper.make_graph([node], "node", infos[: len(given)], infos[len(given) :])
        try:
            model = helper.make_model(graph, opset_imports=self._model.opset_import)
            values = ReferenceEvaluator(model).run([name for name in node.output if name], given)
        except Exception:  # an operator that the reference lacks, or values that it does not take
            return
        for one, value in zip(made, values, strict=True):
            if isinstance(value, np.ndarray | np.generic) and value.dtype != object:
                one.kind = one.kind or _kind(helper.np_dtype_to_tensor_dtype(value.dtype))
                one.shape, one.known, one.data = value.shape, True, np.asarray(value)
                one.type = tensor_of(one.name, one.kind, one.shape).type


def _domain(name: str) -> str:
    return "" if name == "ai.onnx" else name


def _kind(number: int) -> str:
    return TensorProto.DataType.Name(number)


def _is_fixed(given: Any) -> bool:
    tensor = given.tensor_type
    return given.HasField("tensor_type") and tensor.HasField("shape") and all(
        one.HasField("dim_value") and one.dim_value >= 0 for one in tensor.shape.dim
    )  # fmt: skip
