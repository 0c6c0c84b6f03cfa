"""Run what an ONNX graph has of control flow and sequences: no operator that computes, but which of them run."""

from collections import ChainMap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from workloads.foundation.errors import InputError
from workloads.graph import Shape
from workloads.importers.onnx.tensors import Operation, Run, Scope, Tensor, tensor_of

_UNROLLED = 20_000  # nodes that a loop is written out into


@dataclass(frozen=True, slots=True)
class Node:
    """A node that runs: it as the file has it, in which scope and where, what it reads, and its attributes."""

    proto: Any
    scope: Scope
    path: str
    place: str
    inputs: Sequence[Tensor | None]
    attributes: dict[str, Any]

    def input(self, index: int) -> Tensor | None:
        """Return an input, or None if it is left out."""
        return self.inputs[index] if index < len(self.inputs) else None


Results = Sequence[Tensor | None]


class Graph(Protocol):
    """What runs the nodes of a model, as control flow asks for it.

    Attributes
    ----------
    versions : mapping of str to int
        Of each domain of operators, the version that the model has.
    """

    @property
    def versions(self) -> Mapping[str, int]: ...  # noqa: D102

    def error(self, place: str, problem: str) -> InputError:
        """Return the error of a node."""

    def run_graph(self, graph: Any, scope: Scope, path: str, ran: Run) -> list[Tensor]:
        """Run a graph in a scope that holds its inputs; return its outputs."""

    def run_node(self, node: Node, ran: Run) -> Results:
        """Run a node; return what it makes."""

    def unknown(self, name: str) -> Tensor:
        """Return a tensor without any known property."""


def _values(tensor: Tensor | None) -> Any:
    return None if tensor is None else tensor.data


def _run_if(graph: Graph, node: Node, ran: Run) -> Results:
    condition = _values(node.inputs[0])
    if condition is None:
        ran.operations.append(Operation("If", node.place, tuple(node.inputs), (), {}))
    branch = "then_branch" if condition is None or condition.any() else "else_branch"
    return graph.run_graph(node.attributes[branch], ChainMap({}, node.scope), f"{node.place}/", ran)


def _run_loop(graph: Graph, node: Node, ran: Run) -> Results:
    trips, condition = node.input(0), node.input(1)
    states = [one for one in node.inputs[2:] if one is not None]
    body, place = node.attributes["body"], node.place
    count = None if _values(trips) is None else int(np.ravel(_values(trips))[0])
    times = count if count is not None and count * len(body.node) <= _UNROLLED else None
    if times is None or (condition is not None and condition.data is None):
        ran.operations.append(Operation("Loop", place, (trips, condition), (), {}))
    if _values(condition) is not None and not _values(condition).any():
        times = 0
    kept: list[list[Tensor]] = []
    for index in range(1 if times is None else times):
        number = tensor_of(f"{place}/{index}", "INT64", (), np.array(index))
        going = condition or tensor_of(f"{place}/{index}/going", "BOOL", (), np.array(True))
        condition, *made = _turn(graph, node, body, index, (number, going, *states), ran)
        states, rows = made[: len(states)], made[len(states) :]
        kept.append(rows)
        if condition.data is not None and not condition.data.any():
            break
    return [*states, *_stacked(graph, node, len(states), kept, ran)]


def _run_scan(graph: Graph, node: Node, ran: Run) -> Results:
    if graph.versions.get("", 0) < 9:  # another operator of the same name
        return graph.run_node(node, ran)
    count, body = node.attributes["num_scan_inputs"], node.attributes["body"]
    given = [one for one in node.inputs if one is not None and one.known]
    states, scanned = given[: len(given) - count], given[len(given) - count :]
    axes = node.attributes.get("scan_input_axes", [0] * count)
    if len(given) < len(node.inputs):
        raise graph.error(node.place, "scans a tensor whose shape is not known")
    kept = []
    for index in range(scanned[0].shape[axes[0]]):
        rows = []
        for one, axis in zip(scanned, axes, strict=True):
            rows.append(tensor_of(f"{one.name}/{index}", one.kind, _with_axis(one.shape, axis % one.dim(), ())))
            place = f"{node.place}/{index}/slice"
            ran.operations.append(Operation("ScanSlice", place, (one,), (rows[-1],), {}))
        made = _turn(graph, node, body, index, (*states, *rows), ran)
        states = list(made[: len(states)])
        kept.append(made[len(states) :])
    return [*states, *_stacked(graph, node, len(states), kept, ran, node.attributes.get("scan_output_axes", ()))]


def _turn(graph: Graph, node: Node, body: Any, index: int, operands: Sequence[Tensor], ran: Run) -> list[Tensor]:
    names = [one.name for one in body.input]
    inner = ChainMap(dict(zip(names, operands, strict=False)), node.scope)
    return graph.run_graph(body, inner, f"{node.place}/{index}/", ran)


def _stacked(
    graph: Graph, node: Node, first: int, kept: Sequence[Sequence[Tensor]], ran: Run, axes: Sequence[int] = ()
) -> list[Tensor]:
    """Return what the turns of a loop made, row on row."""
    found = []
    for index, name in enumerate(node.proto.output[first:]):
        rows, place = [turn[index] for turn in kept], f"{node.place}/{name}"
        if not rows or not all(one.known for one in rows):
            found.append(graph.unknown(place))
            continue
        shape, axis = rows[0].shape, axes[index] if axes else 0
        axis %= len(shape) + 1
        found.append(tensor_of(place, rows[0].kind, (*shape[:axis], len(rows), *shape[axis:])))
        ran.operations.append(Operation("Stack", place, tuple(rows), (found[-1],), {}))
    return found


def _with_axis(shape: Shape, axis: int, sizes: Shape) -> Shape:
    """Return a shape with other sizes in the place of one."""
    return (*shape[:axis], *sizes, *shape[axis + 1 :])


def _run_split(graph: Graph, node: Node, ran: Run) -> Results:
    """``SplitToSequence(input, split)``: the parts of a tensor."""
    whole, split = node.inputs[0], node.input(1)
    result = graph.unknown(node.path + node.proto.output[0])
    if whole is not None and whole.known and (split is None or split.data is not None):
        axis = node.attributes.get("axis", 0) % whole.dim()
        keeps = split is not None or node.attributes.get("keepdims", 1)
        shapes = [_with_axis(whole.shape, axis, (size,) if keeps else ()) for size in _sizes(whole.shape[axis], split)]
        parts = [tensor_of(f"{result.name}/{index}", whole.kind, shape) for index, shape in enumerate(shapes)]
        ran.operations.append(Operation("Split", node.place, (whole,), tuple(parts), {}))
        result.elements = tuple(parts)
    return [result]


def _sizes(extent: int, split: Tensor | None) -> list[int]:
    if split is None or split.data.ndim == 0:
        size = 1 if split is None else int(split.data)
        return [min(size, extent - start) for start in range(0, extent, size)]
    return [int(size) for size in split.data]


def _run_construct(graph: Graph, node: Node, ran: Run) -> Results:
    """``SequenceConstruct(...)``."""
    result = graph.unknown(node.path + node.proto.output[0])
    result.elements = tuple(one for one in node.inputs if one is not None)
    return [result]


def _run_at(graph: Graph, node: Node, ran: Run) -> Results:
    """``SequenceAt(sequence, position)``."""
    sequence, position = node.inputs
    if sequence is None or sequence.elements is None or _values(position) is None:
        return graph.run_node(node, ran)
    return [sequence.elements[int(_values(position))]]


def _run_join(graph: Graph, node: Node, ran: Run) -> Results:
    """``ConcatFromSequence(sequence)``."""
    (sequence,) = node.inputs
    if sequence is None or not sequence.elements or not all(one.known for one in sequence.elements):
        return graph.run_node(node, ran)
    parts, axis = sequence.elements, node.attributes["axis"]
    shape = parts[0].shape
    if node.attributes.get("new_axis", 0):
        axis %= len(shape) + 1
        joined: Shape = (*shape[:axis], len(parts), *shape[axis:])
    else:
        axis %= len(shape)
        joined = _with_axis(shape, axis, (sum(one.shape[axis] for one in parts),))
    result = tensor_of(node.path + node.proto.output[0], parts[0].kind, joined)
    ran.operations.append(Operation("Concat", node.place, parts, (result,), {}))
    return [result]


CONTROL: dict[str, Callable[[Graph, Node, Run], Results]] = {
    "If": _run_if,
    "Loop": _run_loop,
    "Scan": _run_scan,
    "SplitToSequence": _run_split,
    "SequenceConstruct": _run_construct,
    "SequenceAt": _run_at,
    "ConcatFromSequence": _run_join,
}
