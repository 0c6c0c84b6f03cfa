"""Run an ONNX graph on shapes alone, as a model on PyTorch's meta device.

Node after node, onnx infers the shapes of what it makes; what is known and small (a target of `Reshape`, say) is
computed by onnx's reference operators. So control flow runs too: the branch that is taken, a loop as often as it goes.
"""

import re
from collections import ChainMap
from collections.abc import Callable, Iterable, Mapping, Sequence
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
from workloads.importers.onnx.control import CONTROL
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
        scope: dict[str, Tensor] = {}
        ran = Run({})
        for value in graph.input:
            if value.name in shapes:
                shape, declared = shapes[value.name], value.type.tensor_type.shape.dim
                self._sizes |= {
                    one.dim_param: size for one, size in zip(declared, shape, strict=False) if one.dim_param
                }
                kind = self._type_name(value.type.tensor_type.elem_type, value.name)
                scope[value.name] = ran.inputs[value.name] = tensor_of(value.name, kind, shape)
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
            self._constant(scope, ran.initializers, weight, weight.name, path)
        for sparse in graph.sparse_initializer:
            found = tensor_of(
                path + sparse.values.name,
                self._type_name(sparse.values.data_type, path + sparse.values.name),
                tuple(sparse.dims),
            )
            scope[sparse.values.name] = found
            ran.initializers.append(found)
        for node in graph.node:
            run: Callable[..., None] = CONTROL.get(node.op_type, DryRun.run_node)
            try:
                run(self, node, scope, path, ran)
            except InputError:
                raise
            except Exception as error:  # attributes or operands that the operator cannot have
                raise self.error(path + place_of(node), unreadable(node.op_type, error)) from error
        return [self.look_up(one.name, scope, path or "the graph") for one in graph.output] if path else []

    def _constant(self, scope: Scope, held: list[Tensor], weight: Any, name: str, path: str) -> None:
        whole = re.sub(r"(?<=/)\d+/", "", path) + name  # the same in every turn of a loop
        if whole in self._constants:
            scope[name] = self._constants[whole]
            return
        shape, data = tuple(weight.dims), None
        if min(shape, default=0) < 0:
            raise self.error(name, f"has the impossible shape {list(shape)}")
        if prod(shape) <= _SMALL:
            data = self._values(weight, name)
        scope[name] = self._constants[whole] = tensor_of(whole, self._type_name(weight.data_type, whole), shape, data)
        held.append(scope[name])

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

    def look_up(self, name: str, scope: Scope, reader: str) -> Tensor:
        """Return the tensor of a name, for a node that reads it."""
        if name not in scope:
            raise self.error(reader, f"reads {name!r}, which nothing before it makes")
        return scope[name]

    def operands(self, node: Any, scope: Scope, place: str) -> list[Tensor | None]:
        """Return what a node reads."""
        return [self.look_up(name, scope, place) if name else None for name in node.input]

    def bind(self, node: Any, scope: Scope, place: str, results: Iterable[Tensor | None]) -> None:
        """Give what a node makes its names."""
        for name, found in zip(node.output, results, strict=False):
            if not name or found is None:
                continue
            if name in (scope.maps[0] if isinstance(scope, ChainMap) else scope):
                raise self.error(place, f"makes {name!r}, which is there already")
            scope[name] = found

    def run_node(self, node: Any, scope: Scope, path: str, ran: Run) -> None:
        """Run a node that computes."""
        place = path + place_of(node)
        if node.op_type == "Constant" and node.attribute and node.attribute[0].name == "value":
            self.bind(node, scope, place, ())
            self._constant(scope, ran.literals, node.attribute[0].t, node.output[0], path)
            return
        inputs = self.operands(node, scope, place)
        attributes = {one.name: helper.get_attribute_value(one) for one in node.attribute}
        results = self._results(node, inputs, attributes, path, place)
        self.bind(node, scope, place, results)
        if inputs or node.op_type != "Constant":
            ran.operations.append(Operation(node.op_type, place, tuple(inputs), tuple(results), attributes))
        else:
            ran.literals += [one for one in results if one is not None]

    def _results(
        self, node: Any, inputs: Sequence[Tensor | None], attributes: Mapping[str, Any], path: str, place: str
    ) -> list[Tensor | None]:
        known = all(one is None or one.data is not None for one in inputs)
        try:
            types = self._types(node, inputs, place)
        except InputError:
            if not known:
                raise
            types = {}  # onnx's reference operators take what its inference does not
        results = [self._typed(path + name, types.get(name)) if name else None for name in node.output]
        made = [one for one in results if one is not None]
        first = inputs[0] if inputs else None
        if node.op_type in ("Shape", "Size") and first is not None and first.known and made:
            sizes = first.shape[slice(attributes.get("start", 0), attributes.get("end"))]
            made[0].data = np.array(prod(sizes) if node.op_type == "Size" else sizes, np.int64)
        elif known and not counts_macs(node.op_type) and _is_small(node, made):
            self._compute(node, inputs, made)
        if node.op_type == "Reshape" and made and first is not None:
            _check_reshape(first, made[0], self.error, place)
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
        values = {name: _as_proto(one, name) for name, one in operands if one.data is not None}
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
        return Tensor(name, onnx.TypeProto(), "", (), False)

    def _typed(self, name: str, given: Any) -> Tensor:
        if given is None:
            return self.unknown(name)
        found = self._resolved(given)
        known = _is_fixed(found)
        kind = _kind(found.tensor_type.elem_type) if found.HasField("tensor_type") else ""
        return Tensor(name, found, kind, tuple(one.dim_value for one in found.tensor_type.shape.dim) if known else (),
                      known)  # fmt: skip

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
                kind = one.kind or _kind(helper.np_dtype_to_tensor_dtype(value.dtype))
                found = tensor_of(one.name, kind, value.shape, np.asarray(value))
                one.kind = kind
                one.type, one.shape, one.known, one.data = found.type, found.shape, True, found.data


def _domain(name: str) -> str:
    return "" if name == "ai.onnx" else name


def _kind(number: int) -> str:
    return TensorProto.DataType.Name(number)


def _check_reshape(before: Tensor, after: Tensor, error: Callable[[str, str], InputError], place: str) -> None:
    """Raise an error where the sizes differ, which onnx does not see."""
    if before.known and after.known and before.numel() != after.numel():
        raise error(place, f"Reshape cannot make {list(after.shape)} of {list(before.shape)}")


def _is_fixed(given: Any) -> bool:
    tensor = given.tensor_type
    return given.HasField("tensor_type") and tensor.HasField("shape") and all(
        one.HasField("dim_value") and one.dim_value >= 0 for one in tensor.shape.dim
    )  # fmt: skip


def _is_small(node: Any, made: Sequence[Tensor]) -> bool:
    if node.op_type in _RANDOM:
        return False
    return all(one.numel() <= _SMALL for one in made)


def _as_proto(tensor: Tensor, name: str) -> Any:
    return numpy_helper.from_array(np.asarray(tensor.data), name)
