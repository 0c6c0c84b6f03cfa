"""Pipelines: the paper's steps, published formulas, properties of random pipelines, and short cuts."""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction
from itertools import combinations, pairwise
from multiprocessing import get_context
from resource import RUSAGE_CHILDREN, getrusage
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from networks import chains, make_trace

from simulator.machine.spec_loading import load_designs
from simulator.pipelines.composition import Composer
from simulator.pipelines.engine import Run, run_alone, run_batches
from simulator.pipelines.link import Link
from simulator.pipelines.memory import StashSizes, stash_peaks
from simulator.pipelines.merging import lay_out, merged_queues
from simulator.pipelines.network_stages import network_stages
from simulator.pipelines.operation import Operation
from simulator.pipelines.partition import balanced_cuts
from simulator.pipelines.programme import Programme, build_programme
from simulator.pipelines.schedule import find_schedule, forward_only, schedules
from simulator.pipelines.simulation import PipelineSetup, simulate_pipelines
from simulator.pipelines.work import BatchWork, unit_work
from simulator.run.simulation import compare
from workloads.foundation.shipped import shipped_names
from workloads.schedule import Batches, Epochs, Phase, Repeat, Schedule
from workloads.trace import Trace, load_trace

ALL = list(schedules())
PAPER = ["gpipe", "dapple", "chimera"]


def programmes(name: str, devices: int, micro_batches: int) -> dict[Phase, Programme]:
    schedule = find_schedule(name)
    orders = schedule.orders(devices, micro_batches)
    stages = schedule.stages(devices)
    return {
        "bp": build_programme(orders, stages, micro_batches, schedule.one_at_a_time),
        "gp": build_programme(forward_only(orders), stages, micro_batches, schedule.one_at_a_time),
    }


def in_one_go(works: Sequence[BatchWork]) -> Run:
    return run_batches(works, merged_queues([lay_out(work.programme) for work in works]))


def steps(name: str, kinds: Sequence[Phase], devices: int = 4, micro_batches: int = 4) -> int:
    works = {kind: unit_work(one) for kind, one in programmes(name, devices, micro_batches).items()}
    return in_one_go([works[kind] for kind in kinds]).cycles


# ---------------------------------------------------------------------------------------------------------------------
# The paper: sections 3.8 and 6.5, figures 10 to 12 and 20; 4 devices, 4 micro-batches, BW = 2 FW


@pytest.mark.parametrize(("name", "one", "two"), [("gpipe", 21, 25), ("dapple", 21, 25), ("chimera", 16, 20)])
def test_steps_of_the_paper(name: str, one: int, two: int) -> None:
    assert steps(name, ["bp"]) == one
    assert steps(name, ["gp", "bp"]) == two
    assert steps(name, ["bp"] * 5) == 5 * one  # a flush after each


@pytest.mark.parametrize("name", PAPER)
def test_gp_batches_in_a_row_take_four_steps_each(name: str) -> None:
    rows = [steps(name, ["gp"] * count) for count in range(1, 30)]
    assert {after - before for before, after in pairwise(rows)} == {4}


@pytest.mark.parametrize("name", PAPER)
@pytest.mark.parametrize("count", [1, 2, 5])
def test_no_delay_at_a_phase_change(name: str, count: int) -> None:
    bp, gp_alone = steps(name, ["bp"]), steps(name, ["gp"])
    assert steps(name, ["bp", *["gp"] * count]) == bp + gp_alone + 4 * (count - 1)
    assert steps(name, ["bp", *["gp"] * count, "bp"]) == bp + 4 * count + bp


@pytest.mark.parametrize(
    ("name", "speedup"),
    [("gpipe", Fraction(42, 25)), ("dapple", Fraction(42, 25)), ("chimera", Fraction(32, 20))],
)
def test_figure_20_is_a_one_to_one_schedule_without_warm_up(name: str, speedup: Fraction) -> None:
    assert Fraction(steps(name, ["bp"] * 20), steps(name, ["gp", "bp"] * 10)) == speedup
    assert round(float(speedup), 2) == {"gpipe": 1.68, "dapple": 1.68, "chimera": 1.60}[name]


# ---------------------------------------------------------------------------------------------------------------------
# Published formulas for one batch, in steps of a forward with BW = 2 FW


@pytest.mark.parametrize("devices", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("micro_batches", [1, 2, 4, 7, 16])
def test_bubbles_as_published(devices: int, micro_batches: int) -> None:
    D, N = devices, micro_batches
    assert steps("sequential", ["bp"], D, N) == 3 * D * N
    for name in ("gpipe", "dapple"):  # (D - 1)(F + B) of bubbles: Huang et al., Fan et al.
        assert steps(name, ["bp"], D, N) == 3 * (N + D - 1)
    if N >= D:  # (D - 1)(F + B - W), Qi et al., table 2
        assert steps("zb_h1", ["bp"], D, N) == 3 * N + D - 1
    if N % D == 0:  # (D - 1)(F + B) / v, Narayanan et al., section 2.2; its stages are half as long
        assert steps("interleaved", ["bp"], D, N) == 2 * 3 * N + 3 * (D - 1)


@pytest.mark.parametrize("devices", [2, 4, 6, 8])
def test_chimera_leaves_d_minus_2_bubbles(devices: int) -> None:
    # Li and Hoefler give (D - 2) / (3N/2 + D - 2) as the share of bubbles for BW = 2 FW and N = D.
    assert steps("chimera", ["bp"], devices, devices) == 3 * devices + 2 * (devices - 2)


@pytest.mark.parametrize("name", ALL)
def test_micro_batches_in_flight(name: str) -> None:
    expected = {
        "sequential": [1, 1, 1, 1], "gpipe": [8, 8, 8, 8], "dapple": [4, 3, 2, 1], "zb_h1": [4, 4, 4, 4],
    }  # fmt: skip
    programme = programmes(name, 4, 8)["bp"]
    peaks = stash_peaks([programme], run_alone(unit_work(programme)), [StashSizes(10, 3, 0)] * programme.stages)
    flying = [count for _, count in peaks]
    if name in expected:
        assert flying == expected[name]
    assert [held for held, _ in peaks] == [10 * count for count in flying]


# ---------------------------------------------------------------------------------------------------------------------
# Properties


@st.composite
def kinds_of_work(draw: st.DrawFn, with_links: bool = True) -> dict[Phase, BatchWork]:
    """Draw a schedule with random cycles for every operation, message and reduction."""
    found = programmes(draw(st.sampled_from(ALL)), draw(st.integers(1, 6)), draw(st.integers(1, 7)))
    cycles = st.integers(0, draw(st.sampled_from([1, 9, 1000])))
    small = cycles if with_links and draw(st.booleans()) else st.just(0)
    reduce = tuple(draw(small) for _ in range(found["bp"].stages))
    latency = draw(small)
    return {
        kind: BatchWork(
            programme,
            tuple(draw(cycles) for _ in programme.placed),
            tuple(draw(small) for _ in programme.placed),
            latency,
            reduce,
        )
        for kind, programme in found.items()
    }


def critical_path(work: BatchWork) -> int:
    """Return the longest chain of operations that wait for each other's results, devices left aside."""
    ends: dict[int, int] = {}

    def end(index: int) -> int:
        if index not in ends:
            needs = work.programme.placed[index].needs
            ends[index] = work.cycles[index] + max((end(need) for need in needs), default=0)
        return ends[index]

    return max(end(index) for index in range(len(work.cycles)))


KINDS = st.lists(st.sampled_from(["bp", "gp", "gp"]), min_size=1, max_size=6)
MANY = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@MANY
@given(works=kinds_of_work(), kinds=KINDS)
def test_what_holds_for_every_run(works: dict[Phase, BatchWork], kinds: list[Phase]) -> None:
    row = [works[kind] for kind in kinds]
    run = in_one_go(row)
    programme = works["bp"].programme
    times = {(one.batch, one.index): (one.start_cycle, one.end_cycle) for one in run.executions}

    # Every operation once, for as long as it takes.
    assert len(times) == len(run.executions) == sum(len(work.cycles) for work in row)
    for (batch, index), (start, end) in times.items():
        assert end - start == row[batch].cycles[index]

    for batch, work in enumerate(row):
        wanted = {(m, s) for m in range(programme.micro_batches) for s in range(programme.stages)}
        assert {
            (one.operation.micro_batch, one.operation.stage)
            for one in work.programme.placed
            if one.operation.kind == "forward"
        } == wanted
        for index, one in enumerate(work.programme.placed):
            # No dependency broken: within a batch, and the weights of the batch before, on all replicas.
            for need in one.needs:
                sent = work.message_cycles[need] + work.latency_cycles if work.programme.travels(need, index) else 0
                assert times[batch, index][0] >= times[batch, need][1] + sent
            if batch and one.operation.kind == "forward":
                for other, before in enumerate(row[batch - 1].programme.placed):
                    if before.operation.stage == one.operation.stage or programme.one_at_a_time:
                        delay = row[batch - 1].ready_delay(other)
                        assert times[batch, index][0] >= times[batch - 1, other][1] + delay

    # No device does two things at once, and each has the stages it holds in its place.
    for device in range(programme.devices):
        spans = sorted(
            times[one.batch, one.index]
            for one in run.executions
            if row[one.batch].programme.placed[one.index].device == device
        )
        assert all(before[1] <= after[0] for before, after in pairwise(spans))

    # Never faster than the longest chain or the busiest device.
    assert run.cycles >= max(critical_path(work) for work in row)
    assert run.cycles >= max(sum(work.device_cycles[d] for work in row) for d in range(programme.devices))


@MANY
@given(works=kinds_of_work(with_links=False), kinds=KINDS)
def test_engine_equals_relaxation(works: dict[Phase, BatchWork], kinds: list[Phase]) -> None:
    """A naive model: push every start back until no rule is broken."""
    row = [works[kind] for kind in kinds]
    queues = merged_queues([lay_out(work.programme) for work in row])
    starts = {(batch, index): 0 for batch, work in enumerate(row) for index in range(len(work.cycles))}
    before: dict[tuple[int, int], set[tuple[int, int]]] = {slot: set() for slot in starts}
    for queue in queues:
        for first, second in pairwise(queue):
            before[second].add(first)
    for batch, work in enumerate(row):
        for index, one in enumerate(work.programme.placed):
            before[batch, index] |= {(batch, need) for need in one.needs}
            if batch and one.operation.kind == "forward":
                before[batch, index] |= {
                    (batch - 1, other)
                    for other, placed in enumerate(row[batch - 1].programme.placed)
                    if placed.operation.stage == one.operation.stage or work.programme.one_at_a_time
                }
    changed = True
    while changed:
        changed = False
        for slot, earlier in before.items():
            start = max((starts[one] + row[one[0]].cycles[one[1]] for one in earlier), default=0)
            if start > starts[slot]:
                starts[slot], changed = start, True
    run = in_one_go(row)
    assert {(one.batch, one.index): one.start_cycle for one in run.executions} == starts


@MANY
@given(works=kinds_of_work(), kinds=KINDS)
def test_composition_equals_a_stretch_in_one_go(works: dict[Phase, BatchWork], kinds: list[Phase]) -> None:
    assert Composer(works).cycles_of(kinds) == in_one_go([works[kind] for kind in kinds]).cycles


RUNS = st.builds(Batches, phase=st.sampled_from(["bp", "gp", "warm_up"]), count=st.integers(1, 4))
ITEMS = st.one_of(RUNS, st.builds(Repeat, repeat=st.integers(1, 4), batches=st.tuples(RUNS, RUNS)))
EPOCHS = st.builds(Epochs, repeat=st.integers(1, 3), batches=st.lists(ITEMS, min_size=1, max_size=2).map(tuple))
SCHEDULES = st.builds(Schedule, name=st.just("drawn"), epochs=st.lists(EPOCHS, min_size=1, max_size=2).map(tuple))


@settings(MANY, max_examples=60)
@given(works=kinds_of_work(), schedule=SCHEDULES)
def test_composition_of_a_whole_schedule(works: dict[Phase, BatchWork], schedule: Schedule) -> None:
    """Repeat counts, powers and changes of phase against every batch one by one."""
    kinds: list[Phase] = ["bp" if phase == "warm_up" else phase for phase in schedule.phases()]
    composed = Composer(works).cycles(schedule, lambda phase: "bp" if phase == "warm_up" else phase)
    assert composed == in_one_go([works[kind] for kind in kinds]).cycles


def test_a_million_batches_are_composed_at_once() -> None:
    works = {kind: unit_work(one) for kind, one in programmes("gpipe", 4, 4).items()}
    batches = (Batches(phase="gp"), Batches(phase="bp"))
    schedule = Schedule(name="1:1", epochs=(Epochs(batches=(Repeat(repeat=10**6, batches=batches),)),))
    assert Composer(works).cycles(schedule) == 25 * 10**6


def test_a_faster_device_runs_ahead_without_end() -> None:
    """The first device is faster by one cycle a batch; the second sets the pace, whatever the first has ahead."""
    works = {
        kind: BatchWork(one, tuple(99 + stage for stage in (p.operation.stage for p in one.placed)),
                        (0,) * len(one.placed), 0, (0,) * one.stages)
        for kind, one in programmes("gpipe", 2, 1).items()
    }  # fmt: skip
    schedule = Schedule(name="gp", epochs=(Epochs(batches=(Batches(phase="gp", count=10**6),)),))
    assert Composer(works).cycles(schedule) == 99 + 100 * 10**6


# ---------------------------------------------------------------------------------------------------------------------
# Links, by hand


def test_messages_follow_each_other_on_a_link() -> None:
    """Two devices, two forwards of 2 cycles, messages of 5 cycles that take 3 more to arrive."""
    programme = programmes("gpipe", 2, 2)["gp"]
    work = BatchWork(programme, (2,) * 4, (5,) * 4, 3, (0, 0))
    # Device 0: 0-2, 2-4. Link: 2-7, then 7-12 and not 4-9. Arrivals at 10 and 15. Device 1: 10-12, 15-17.
    assert sorted((one.start_cycle, one.end_cycle) for one in run_alone(work).executions) == [
        (0, 2), (2, 4), (10, 12), (15, 17),
    ]  # fmt: skip


def test_reduction_delays_the_next_batch() -> None:
    programme = programmes("chimera", 2, 2)["gp"]
    assert {len(homes) for homes in programme.replicas} == {2}
    works = [BatchWork(programme, (1,) * 4, (0,) * 4, 0, (7, 7))] * 2
    # Each device does its stage 0 in cycle 0 and its stage 1 in cycle 1; weights of stage 0 are ready at 1 + 7.
    starts = sorted(one.start_cycle for one in in_one_go(works).executions)
    assert starts == [0, 0, 1, 1, 8, 8, 9, 9]
    assert in_one_go(works).cycles == 10 + 7


def test_cycles_of_links() -> None:
    link = Link(bytes_per_second=1_000, latency_ns=10_000_000)
    assert link.message_cycles(7, 2_000) == 14
    assert link.latency_cycles(2_000) == 20
    assert link.reduce_cycles(7, 2, 2_000) == 2 * (8 + 20)  # two messages of a half, rounded up
    assert link.reduce_cycles(7, 1, 2_000) == 0
    free = Link()
    assert (free.message_cycles(10**12, 1), free.latency_cycles(1), free.reduce_cycles(10**12, 4, 1)) == (0, 0, 0)


# ---------------------------------------------------------------------------------------------------------------------
# Stages


@given(costs=st.lists(st.integers(0, 50), min_size=1, max_size=10), parts=st.integers(1, 10))
def test_cuts_are_the_best_there_are(costs: list[int], parts: int) -> None:
    if parts > len(costs):
        return
    cuts = balanced_cuts(costs, parts)
    assert len(cuts) == parts + 1
    assert all(begin < end for begin, end in pairwise(cuts))

    def largest(bounds: Sequence[int]) -> int:
        return max(sum(costs[begin:end]) for begin, end in pairwise(bounds))

    others = ((0, *inner, len(costs)) for inner in combinations(range(1, len(costs)), parts - 1))
    assert largest(cuts) == min(largest(bounds) for bounds in others)


def test_what_crosses_a_cut() -> None:
    """A sum of two branches: what the cut leaves behind it for later crosses too."""

    def conv(name: str, before: str) -> dict:
        return {"id": name, "kind": "conv2d", "inputs": (before,), "C": 2, "H": 3, "W": 3, "K": 2, "R": 1, "S": 1,
                "P": 3, "Q": 3}  # fmt: skip

    layers = [conv("a", "input"), conv("b", "a"), conv("c", "b"),
              {"id": "sum", "kind": "add", "inputs": ("a", "c"), "op": "add", "shape": (2, 3, 3)},
              conv("d", "sum")]  # fmt: skip
    stages = network_stages(make_trace(layers), (0, 1, 2, 3, 4))
    assert [stage.entering_words for stage in stages] == [18, 18, 36, 18]  # input; a; a and b; the sum
    assert [stage.kept_words for stage in stages] == [36, 36, 54, 36]
    assert [stage.weight_words for stage in stages] == [4, 4, 4, 4]


SMALL = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))


@SMALL
@given(trace=chains())
def test_one_device_and_one_micro_batch_is_the_simulator_itself(trace: Trace) -> None:
    specs = load_designs()
    setup = PipelineSetup(devices=1, micro_batches=1, stretch=(0, 3))
    results = simulate_pipelines(trace, specs, [find_schedule("gpipe"), find_schedule("sequential")], setup)
    alone = {run.design: run for run in compare(trace, specs).runs}
    for run in results.runs:
        if run.design == "max":  # its layer barrier falls between forward and backward too: operations do not overlap
            assert run.total_cycles >= alone["max"].total_cycles
        else:
            assert run.total_cycles == alone[run.design].total_cycles
        assert run.stretch.equal


@pytest.mark.parametrize("name", ALL)
def test_a_trained_trace(name: str) -> None:
    setup = PipelineSetup(devices=2, micro_batches=4, stretch=(439, 12))
    results = simulate_pipelines(load_trace("digits-cnn"), load_designs(), [find_schedule(name)], setup)
    baseline, *others = results.runs
    for run in results.runs:
        assert run.stretch.equal
        assert 0 <= run.bubble_share < 1
        # What a GP batch saves in synchronisation (section 3.8): no flush, and only half of the messages.
        kinds = {kind.kind: kind for kind in run.kinds}
        assert kinds["bp"].flushes == 1
        if run.design != "baseline":
            assert kinds["gp"].flushes == 0
            assert 2 * kinds["gp"].messages == kinds["bp"].messages
    assert baseline.flushes_per_batch == 1
    for run in others:
        speedup = results.speedup(run)
        assert speedup is not None
        assert 1 < speedup < 3
        assert run.total_cycles < baseline.total_cycles


def test_the_predictor_with_every_micro_batch_costs_more() -> None:
    trace, specs = load_trace("digits-cnn"), load_designs()
    totals = {}
    for runs in ("batch", "micro-batch"):
        setup = PipelineSetup(devices=2, predictor_runs=runs)
        totals[runs] = [r.total_cycles for r in simulate_pipelines(trace, specs, [find_schedule("gpipe")], setup).runs]
    assert totals["batch"][0] == totals["micro-batch"][0]
    assert all(once < each for once, each in zip(totals["batch"][1:], totals["micro-batch"][1:], strict=True))


def test_operations_say_what_they_are() -> None:
    assert str(Operation(2, 1, "backward")) == "backward of micro-batch 2 on stage 1"


# ---------------------------------------------------------------------------------------------------------------------
# Speed: ``pytest tests/ladder/test_pipelines.py -n 0 --benchmark-enable --benchmark-only``

IMAGENET = sorted(name for name in shipped_names("traces") if name.endswith("-imagenet"))


def three_schedules(name: str) -> int:
    names = [find_schedule(one) for one in PAPER]
    return len(simulate_pipelines(load_trace(name), load_designs(), names, PipelineSetup()).runs)


def test_thirteen_networks_in_under_a_minute(benchmark: Any) -> None:
    """All designs of the paper's three schedules, from nothing, on two cores."""

    def run() -> int:
        with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
            return sum(pool.map(three_schedules, IMAGENET))

    before = getrusage(RUSAGE_CHILDREN)
    assert benchmark.pedantic(run, rounds=1) == len(IMAGENET) * 3 * 4
    after = getrusage(RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    benchmark.extra_info["cpu_seconds"] = seconds
    assert seconds / 2 < 60  # of processor time, whatever else the machine does
