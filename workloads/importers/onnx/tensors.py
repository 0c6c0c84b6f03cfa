"""Tensors and operators of an ONNX graph, with the shapes that they have for one batch."""

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from itertools import count
from math import prod
from typing import Any

from onnx import TensorProto, helper

from workloads.graph import Shape
from workloads.importers.onnx.macs import count_macs
from workloads.importers.onnx.names import TORCH_NAMES

_FLOATS = {"FLOAT", "FLOAT16", "DOUBLE", "BFLOAT16", "FLOAT8E4M3FN", "FLOAT8E4M3FNUZ", "FLOAT8E5M2", "FLOAT8E5M2FNUZ",
           "FLOAT4E2M1"}  # fmt: skip
_QUANTISED = {"INT8", "UINT8", "INT4", "UINT4", "INT2", "UINT2"}
_origins = count()


@dataclass(eq=False, slots=True)
class Tensor:
    """A tensor of a graph; it answers what a tape asks of a tensor.

    Attributes
    ----------
    name : str
        Unique in the model, subgraphs included.
    type : TypeProto
        Its type and shape as ONNX writes them.
    kind : str
        The type of its elements as ONNX names it; empty if it is no tensor but a sequence, say.
    shape : tuple of int
        Its shape; empty if it is not known.
    known : bool
        Whether its shape is known.
    data : ndarray, optional
        What it holds, where that is known and small.
    elements : tuple of Tensor, optional
        What a sequence holds, where that is known.
    origin : int
        The same for two tensors of as many elements that show the same memory.
    """

    name: str
    type: Any
    kind: str
    shape: Shape
    known: bool
    data: Any = None
    elements: "tuple[Tensor, ...] | None" = None
    origin: int = field(default_factory=_origins.__next__)

    def dim(self) -> int:
        """Return the number of dimensions."""
        return len(self.shape)

    def numel(self) -> int:
        """Return the number of elements."""
        return prod(self.shape)

    def is_floating_point(self) -> bool:
        """Tell whether its elements are real numbers."""
        return self.kind in _FLOATS

    def is_complex(self) -> bool:
        """Tell whether its elements are complex."""
        return self.kind.startswith("COMPLEX")

    def storage_offset(self) -> int:
        """Tell it apart from other parts of the same weight."""
        return self.origin

    @property
    def requires_grad(self) -> bool:
        """Whether a training changes it, if it is a constant of the graph: a graph does not tell."""
        return True

    @property
    def is_parameter(self) -> bool:
        """Whether it may be a weight, if it is a constant of the graph: a single number is none."""
        return self.numel() > 1 and (self.kind in _FLOATS or (self.kind in _QUANTISED and self.dim() > 1))


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """A node as it runs for one batch.

    Attributes
    ----------
    kind : str
        The operator's name in ONNX.
    place : str
        The node's name, or a description of it if it has none.
    inputs, results : tuple of Tensor
        None where an optional one is left out.
    attributes : mapping
        Values of its attributes by name.
    """

    kind: str
    place: str
    inputs: tuple[Tensor | None, ...]
    results: tuple[Tensor | None, ...]
    attributes: Mapping[str, Any]

    @property
    def op(self) -> str:
        """Its name in PyTorch, if it has one."""
        return TORCH_NAMES.get(self.kind, self.kind)

    @property
    def tensors(self) -> list[Tensor]:
        """The tensors that it reads."""
        return [one for one in self.inputs if one is not None]

    @property
    def outputs(self) -> list[Tensor]:
        """The tensors that it makes."""
        return [one for one in self.results if one is not None]

    @property
    def out(self) -> Tensor:
        """The first tensor that it makes."""
        return self.outputs[0]

    @property
    def operands(self) -> list[Tensor]:
        """The tensors whose product it is, if it is one."""
        return [one for one in self.inputs[:2] if one is not None]

    @property
    def macs(self) -> int:
        """Multiply-accumulates of the batch; 0 where nobody counts them."""
        return count_macs(self.kind, self.inputs, self.out, self.attributes)

    def input(self, index: int) -> Tensor | None:
        """Return an input, or None if it is left out."""
        return self.inputs[index] if index < len(self.inputs) else None


Scope = MutableMapping[str, Tensor]


@dataclass
class Run:
    """What ran.

    Attributes
    ----------
    inputs : dict
        The graph's inputs by name.
    operations : list of Operation
        In the order in which they ran.
    initializers, literals : list of Tensor
        What the file holds beside its nodes, and in `Constant` nodes.
    """

    inputs: dict[str, Tensor]
    operations: list[Operation] = field(default_factory=list)
    initializers: list[Tensor] = field(default_factory=list)
    literals: list[Tensor] = field(default_factory=list)

    @property
    def constants(self) -> list[Tensor]:
        """All that the file holds."""
        return self.initializers + self.literals

    @property
    def parameters(self) -> dict[str, Tensor]:
        """What may be weights, by name: the initializers, and in a file without such the `Constant` nodes."""
        weights = {one.name: one for one in self.initializers if one.is_parameter}
        return weights or {one.name: one for one in self.literals if one.is_parameter}


def tensor_of(name: str, kind: str, shape: Shape, data: Any = None) -> Tensor:
    """Return a tensor of a known shape."""
    return Tensor(name, helper.make_tensor_type_proto(TensorProto.DataType.Value(kind), shape), kind, shape, True, data)


def place_of(node: Any) -> str:
    """Return the name of a node, or a description of it if it has none."""
    made = next(filter(None, node.output), "")
    return node.name.strip("/") or f"{node.op_type.lower()}_{made}"
