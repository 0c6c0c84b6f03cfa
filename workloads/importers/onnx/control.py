"""Run what an ONNX graph has of control flow and sequences: no operator that computes, but which of them run."""

from collections import ChainMap
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import helper

from workloads.importers.onnx.tensors import Operation, Run, Scope, Tensor, place_of, tensor_of

if TYPE_CHECKING:
    from workloads.importers.onnx.dry_run import DryRun

_UNROLLED = 20_000  # nodes that a loop is written out into


def _run_if(graph: "DryRun", node: Any, scope: Scope, path: str, ran: Run) -> None:
    place = path + place_of(node)
    (condition,) = graph.operands(node, scope, place)
    if condition is None or condition.data is None:
        ran.operations.append(Operation("If", place, (condition,), (), {}))
    name = "then_branch" if condition is None or condition.data is None or condition.data.any() else "else_branch"
    branch = next(one.g for one in node.attribute if one.name == name)
    graph.bind(node, scope, place, graph.run_graph(branch, ChainMap({}, scope), f"{place}/", ran))


def _run_loop(graph: "DryRun", node: Any, scope: Scope, path: str, ran: Run) -> None:
    place = path + place_of(node)
    operands = [*graph.operands(node, scope, place), None, None]
    trips, condition = operands[:2]
    states = [one for one in operands[2:] if one is not None]
    body = node.attribute[0].g
    count = None if trips is None or trips.data is None else int(np.ravel(trips.data)[0])
    known = count is not None and count * len(body.node) <= _UNROLLED
    times = count if known and count is not None else 1
    if not known or (condition is not None and condition.data is None):
        ran.operations.append(Operation("Loop", place, (trips, condition), (), {}))
    if condition is not None and condition.data is not None and not condition.data.any():
        times = 0
    kept: list[list[Tensor]] = []
    for index in range(times):
        number = tensor_of(f"{place}/{index}", "INT64", (), np.array(index))
        going = condition or tensor_of(f"{place}/{index}/going", "BOOL", (), np.array(True))
        names = [one.name for one in body.input]
        inner = ChainMap(dict(zip(names, (number, going, *states), strict=False)), scope)
        condition, *made = graph.run_graph(body, inner, f"{place}/{index}/", ran)
        states, rows = made[: len(states)], made[len(states) :]
        kept.append(rows)
        if condition.data is not None and not condition.data.any():
            break
    graph.bind(node, scope, place, (*states, *_stacked(graph, node, place, len(states), kept, ran)))


def _run_scan(graph: "DryRun", node: Any, scope: Scope, path: str, ran: Run) -> None:
    if graph.versions.get("", 0) < 9:  # another operator of the same name
        graph.run_node(node, scope, path, ran)
        return
    place = path + place_of(node)
    attributes = {one.name: helper.get_attribute_value(one) for one in node.attribute}
    inputs = graph.operands(node, scope, place)
    count = attributes["num_scan_inputs"]
    given = [one for one in inputs if one is not None and one.known]
    states, scanned = given[: len(given) - count], given[len(given) - count :]
    axes = attributes.get("scan_input_axes", [0] * count)
    body, kept = attributes["body"], []
    if len(given) < len(inputs):
        raise graph.error(place, "scans a tensor whose shape is not known")
    times = scanned[0].shape[axes[0]]
    for index in range(times):
        rows = []
        for one, axis in zip(scanned, axes, strict=True):
            axis %= one.dim()
            rows.append(tensor_of(f"{one.name}/{index}", one.kind, one.shape[:axis] + one.shape[axis + 1 :]))
            ran.operations.append(Operation("ScanSlice", f"{place}/{index}/slice", (one,), (rows[-1],), {}))
        names = [one.name for one in body.input]
        inner = ChainMap(dict(zip(names, (*states, *rows), strict=False)), scope)
        made = graph.run_graph(body, inner, f"{place}/{index}/", ran)
        states = list(made[: len(states)])
        kept.append(made[len(states) :])
    out_axes = attributes.get("scan_output_axes", ())
    graph.bind(node, scope, place, (*states, *_stacked(graph, node, place, len(states), kept, ran, out_axes)))


def _stacked(
    graph: "DryRun", node: Any, place: str, first: int, kept: Sequence[Sequence[Tensor]], ran: Run,
    axes: Sequence[int] = (),
) -> list[Tensor]:  # fmt: skip
    """Return what the turns of a loop made, row on row."""
    found = []
    for index, name in enumerate(node.output[first:]):
        rows = [turn[index] for turn in kept]
        if not rows or not all(one.known for one in rows):
            found.append(graph.unknown(place + "/" + name))
            continue
        shape, axis = rows[0].shape, axes[index] if axes else 0
        axis %= len(shape) + 1
        found.append(tensor_of(place + "/" + name, rows[0].kind, (*shape[:axis], len(rows), *shape[axis:])))
        ran.operations.append(Operation("Stack", f"{place}/{name}", tuple(rows), (found[-1],), {}))
    return found


def _run_split(graph: "DryRun", node: Any, scope: Scope, path: str, ran: Run) -> None:
    """``SplitToSequence(input, split)``: the parts of a tensor."""
    place = path + place_of(node)
    whole, split = [*graph.operands(node, scope, place), None][:2]
    attributes = {one.name: helper.get_attribute_value(one) for one in node.attribute}
    result = graph.unknown(path + node.output[0])
    if whole is not None and whole.known and (split is None or split.data is not None):
        axis = attributes.get("axis", 0) % whole.dim()
        extent = whole.shape[axis]
        sizes = _sizes(extent, split)
        keeps = split is not None or attributes.get("keepdims", 1)
        shapes = [(*whole.shape[:axis], *((size,) if keeps else ()), *whole.shape[axis + 1 :]) for size in sizes]
        parts = [tensor_of(f"{result.name}/{index}", whole.kind, shape) for index, shape in enumerate(shapes)]
        ran.operations.append(Operation("Split", place, (whole,), tuple(parts), {}))
        result.elements = tuple(parts)
    graph.bind(node, scope, place, [result])


def _sizes(extent: int, split: Tensor | None) -> list[int]:
    if split is None or split.data.ndim == 0:
        size = 1 if split is None else int(split.data)
        return [min(size, extent - start) for start in range(0, extent, size)]
    return [int(size) for size in split.data]


def _run_construct(graph: "DryRun", node: Any, scope: Scope, path: str, ran: Run) -> None:
    """``SequenceConstruct(...)``."""
    place = path + place_of(node)
    result = graph.unknown(path + node.output[0])
    result.elements = tuple(one for one in graph.operands(node, scope, place) if one is not None)
    graph.bind(node, scope, place, [result])


def _run_at(graph: "DryRun", node: Any, scope: Scope, path: str, ran: Run) -> None:
    """``SequenceAt(sequence, position)``."""
    place = path + place_of(node)
    sequence, position = graph.operands(node, scope, place)
    if sequence is None or sequence.elements is None or position is None or position.data is None:
        graph.run_node(node, scope, path, ran)
    else:
        graph.bind(node, scope, place, [sequence.elements[int(position.data)]])


def _run_join(graph: "DryRun", node: Any, scope: Scope, path: str, ran: Run) -> None:
    """``ConcatFromSequence(sequence)``."""
    place = path + place_of(node)
    (sequence,) = graph.operands(node, scope, place)
    attributes = {one.name: helper.get_attribute_value(one) for one in node.attribute}
    if sequence is None or not sequence.elements or not all(one.known for one in sequence.elements):
        graph.run_node(node, scope, path, ran)
        return
    shape = sequence.elements[0].shape
    if attributes.get("new_axis", 0):
        axis = attributes["axis"] % (len(shape) + 1)
        joined = (*shape[:axis], len(sequence.elements), *shape[axis:])
    else:
        axis = attributes["axis"] % len(shape)
        joined = (*shape[:axis], sum(one.shape[axis] for one in sequence.elements), *shape[axis + 1 :])
    result = tensor_of(path + node.output[0], sequence.elements[0].kind, joined)
    ran.operations.append(Operation("Concat", place, sequence.elements, (result,), {}))
    graph.bind(node, scope, place, [result])


CONTROL: dict[str, Callable[..., None]] = {
    "If": _run_if,
    "Loop": _run_loop,
    "Scan": _run_scan,
    "SplitToSequence": _run_split,
    "SequenceConstruct": _run_construct,
    "SequenceAt": _run_at,
    "ConcatFromSequence": _run_join,
}
