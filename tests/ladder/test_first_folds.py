"""The first folds of a tile, cycle by cycle: which PEs work and what passes the ports, beside what is counted."""

import numpy as np
import pytest
from array_specs import RUN_NAMES, RUNS, array_of, choices

from dataflows.array import PEArray
from dataflows.arrays.first_folds import FirstFolds, SteppedFolds
from dataflows.convolution import ConvolutionTiles, Sliding, one_tile
from dataflows.dataflow import Dataflow, find_dataflow

LINEAR = one_tile((1, 12, 12, 12, 1, 1), (1, 1), Sliding((1, 1), (1, 1)), "forward")  # fills folds of 4 x 3 PEs
EDGES = one_tile((2, 1, 5, 4, 2, 2), (2, 3), Sliding((2, 1), (1, 1)), "forward")
WIDE, NARROW = (12, 4, 12), (3, 2, 2)


def stepped(
    flow: Dataflow, kind: str, parts: ConvolutionTiles, folds: int, ports: tuple[int, int, int], **own: str
) -> tuple[PEArray, FirstFolds, SteppedFolds]:
    array = array_of(kind, 4, 3, ports, **own)
    first = flow.first_folds(array, parts, folds)
    return array, first, first.step(first.cycles)


@pytest.mark.parametrize("ports", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize(("flow", "kind"), RUNS, ids=RUN_NAMES)
def test_all_folds_do_all_that_is_counted(flow: Dataflow, kind: str, ports: tuple[int, int, int]) -> None:
    """Without edges each PE that works makes a MAC, and what passes the ports is the traffic of the closed form."""
    for own in choices(kind, flow):
        array, _, run = stepped(flow, kind, LINEAR, 1000, ports, **own)
        assert run.cycles == flow.formula(array, LINEAR).total
        found = [run.activity_of(cycle) for cycle in range(run.cycles)]
        assert sum(int(each.works.sum()) for each in found) == int(LINEAR.macs[0])
        words = {name: sum(len(each.ports[name]) for each in found) for name in found[0].ports}
        traffic = flow.traffic(array, LINEAR, 144)
        assert words.pop("output") == 144 + traffic.partial_sum_writes
        assert sorted(words.values()) in ([], sorted((traffic.ifmap_words, traffic.filter_words)))


@pytest.mark.parametrize("ports", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("kind", [kind for flow, kind in RUNS if flow.name == "os"])
def test_results_leave_each_once(kind: str, ports: tuple[int, int, int]) -> None:
    """Where results stay in the PEs nothing else passes the output port; the results are numpy's."""
    _, first, run = stepped(find_dataflow("os", kind, "", ""), kind, LINEAR, 1000, ports)
    left = np.concatenate([run.activity_of(cycle).ports["output"] for cycle in range(run.cycles)])
    moving, stationary = first.operands
    assert sorted(left.tolist()) == sorted((moving @ stationary).ravel().tolist())


@pytest.mark.parametrize("parts", [LINEAR, EDGES], ids=["linear", "edges"])
@pytest.mark.parametrize(("flow", "kind"), RUNS, ids=RUN_NAMES)
def test_registers_change_only_where_a_pe_works(flow: Dataflow, kind: str, parts: ConvolutionTiles) -> None:
    """A product is written in the cycle of its multiplication, and so is a sum on an array without that register.

    An array whose PEs keep neither shows its sums alone.
    """
    _, _, run = stepped(flow, kind, parts, 3, NARROW)
    works = np.array([run.activity_of(cycle).works for cycle in range(run.cycles)])
    name = "product" if "product" in run.registers else run.watched
    if name not in run.word_registers:
        changed = np.diff(run.registers[name], axis=0, prepend=0) != 0
        assert changed.any()
        assert not (changed & ~works).any()
    sums = run.registers.get("sum", np.zeros((run.cycles, 1))).reshape(run.cycles, -1)
    for cycle in np.flatnonzero((np.diff(sums, axis=0, prepend=0) != 0).any(axis=1)):
        assert len(run.activity_of(cycle).ports["output"])  # a sum goes to the buffer in the cycle in which it is made


def shown(flow_name: str) -> list[tuple[dict[str, np.ndarray], dict[str, np.ndarray]]]:
    """Return the words on the ports, which are wide here, and the registers after the cycle, for each cycle."""
    flow, kind = next(run for run, name in zip(RUNS, RUN_NAMES, strict=True) if name == flow_name)
    _, _, run = stepped(flow, kind, LINEAR, 2, WIDE)
    return [
        (run.activity_of(cycle).ports, {name: values[cycle] for name, values in run.registers.items()})
        for cycle in range(run.cycles)
    ]


def test_words_on_the_ports_are_those_that_the_registers_take() -> None:
    """The tables of docs/microarchitecture.md: the first registers behind each port, in the cycle of the port."""
    cycles = shown("ws-broadcast")
    for cycle, (ports, registers) in enumerate(cycles[:13]):
        assert cycle > 0 or registers["shadow"].ravel().tolist() == ports["stationary"].tolist()  # all 12 words
        assert not len(ports["moving"]) or registers["in"].tolist() == ports["moving"].tolist()
    for ports, registers in shown("os-broadcast"):
        assert not len(ports["moving"]) or registers["a"].tolist() == ports["moving"].tolist()
        assert not len(ports["stationary"]) or registers["b"].tolist() == ports["stationary"].tolist()
    loads = 0
    for ports, registers in shown("ws-systolic"):
        if len(ports["stationary"]):
            loads += 1
            assert registers["weight"][0].tolist() == ports["stationary"].tolist()
    assert loads == 2 * 4
    for cycle, (ports, registers) in enumerate(shown("os-systolic")[:12]):
        assert registers["in"][: cycle + 1, 0].tolist() == ports["moving"].tolist()
        assert registers["filter"][0, : cycle + 1].tolist() == ports["stationary"].tolist()
    overlapped = shown("ws-systolic_overlapped")
    for cycle, (ports, _) in enumerate(overlapped):
        # skew: the word for column c is in the first row, and that for row r in the first column, so many cycles later
        for name, port, place in (("shadow", "stationary", (0, slice(None))), ("in", "moving", (slice(None), 0))):
            words = ports[port].tolist()
            later = [overlapped[cycle + lane][1][name][place][lane] for lane in range(len(words))
                     if cycle + lane < len(overlapped)]  # fmt: skip
            assert later == words[: len(later)]
    assert sum(len(ports["stationary"]) > 0 for ports, _ in overlapped) >= 2 * 4


@pytest.mark.parametrize(("flow", "kind"), RUNS, ids=RUN_NAMES)
def test_first_folds_are_those_of_the_whole_tile(flow: Dataflow, kind: str) -> None:
    """Of a product that is cut down to two folds and one more the first two are as long as in the whole."""
    array, first, run = stepped(flow, kind, LINEAR, 2, NARROW)
    whole = flow.first_folds(array, LINEAR, 1000)
    (job,) = whole.formula.kinds
    folds = whole.formula.folds
    end = whole.formula.value(whole.formula.formula.begin, {**job.names, "f": 2}) if folds > 2 else whole.cycles
    assert first.cycles == run.cycles == end
    assert sorted(set(run.fold.tolist())) == list(range(min(folds, 2)))


def test_a_fold_begins_before_its_weights_are_swapped_in() -> None:
    """Broadcast, stationary (docs/microarchitecture.md): `weight` is written in cycle b(f) + 1, b(f) = 3 + 12 f here.

    4 x 3 PEs, a stationary port of 4 words: LC = 3; 12 vectors a fold.
    """
    flow, kind = next(run for run, name in zip(RUNS, RUN_NAMES, strict=True) if name == "ws-broadcast")
    _, _, run = stepped(flow, kind, LINEAR, 3, (4, 4, 3))
    weight = run.registers["weight"]
    swaps = np.flatnonzero((np.diff(weight, axis=0, prepend=0) != 0).any(axis=(1, 2)))
    assert swaps.tolist() == [4, 16, 28]
    assert np.flatnonzero(np.diff(run.fold)).tolist() == [14, 26]  # the last cycles of folds 0 and 1
