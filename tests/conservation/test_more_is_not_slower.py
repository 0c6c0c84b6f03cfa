"""A wider port, a faster DRAM, a larger buffer: what they may cost an op, and where arbitration makes them cost.

docs/machine.md, "Tiles": an op alone is slower by the slack at most, as long as its old plan is no slower on the better
machine. The old plan may be: see the example of arbitration at the end.
"""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from math import ceil
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from array_specs import RUN_NAMES, RUNS, array_of
from convolutions import ROLES, shapes
from hypothesis import given, settings
from hypothesis import strategies as st
from registries import DATAFLOWS
from tile_by_tile import TilingSearch

from dataflows.actions import ActionCounts
from dataflows.array import PEArray
from dataflows.convolution import ConvolutionTiles
from dataflows.dataflow import Dataflow, find_dataflow
from dataflows.plans import planning
from dataflows.plans.budget import BufferBudget, TileTooLargeError
from dataflows.plans.given_plan import plan_tiled
from dataflows.plans.memory_ports import MemoryPorts
from dataflows.plans.placement import ALL_IN_DRAM, Operand, Placement
from dataflows.plans.plan import Plan
from dataflows.plans.planning import (
    Tiled,
    choose_tiling,
    plan_elementwise,
    plan_product,
    plan_transfer,
    plan_vector,
)
from dataflows.plans.tile_sequence import tile_sequence
from dataflows.plans.transfers import contiguous
from simulator.dram.machine_channel import dram_channel
from simulator.dram.models.bandwidth import BandwidthDram
from simulator.engine.batch import run_batch
from simulator.engine.work import StepWork
from simulator.machine.spec_loading import load_accelerator
from simulator.phases.design import Step, Task
from simulator.run.results import RunResult
from simulator.run.simulation import simulate
from workloads.passes import Product, Role, layer_products
from workloads.shapes import ConvShape, linear_shape
from workloads.trace import load_trace

HZ = 10**9
DATA = Path(__file__).parents[1] / "data"


@st.composite
def machines(draw: st.DrawFn) -> Callable[[str], PEArray]:
    """Draw the numbers of an array; what they give makes one of any kind."""
    words = st.integers(1, 6)
    rows, columns, ports = draw(words), draw(words), (draw(words), draw(words), draw(words))
    own = {
        "systolic_os_drain": draw(st.sampled_from(["free", "serial"])),
        "row_stationary_sets": draw(st.sampled_from(["whole", "free"])),
        "accumulator_sums": draw(st.sampled_from([0, 3, 50])),
    }
    return lambda kind: array_of(kind, rows, columns, ports, **own)


def budget_of(capacity: int, rate: int, latency: int, slack: int | None, ports: int | None) -> BufferBudget:
    dram = BandwidthDram(
        model="bandwidth", capacity_bytes=1, peak_bytes_per_second=rate * HZ // 4, latency_ns=latency
    )  # fmt: skip
    return BufferBudget(capacity, 2, 4, dram_channel(dram, HZ), slack, MemoryPorts(ports))


MACHINES = st.tuples(
    st.integers(40, 1500), st.integers(1, 30), st.integers(0, 40), st.sampled_from([None, 0, 2, 20]), st.integers(1, 30)
)  # fmt: skip
BETTER = {
    "more buffer": lambda m, more: (m[0] + 40 * more, *m[1:]),
    "more bandwidth": lambda m, more: (m[0], m[1] + more, *m[2:]),
    "less latency": lambda m, more: (*m[:2], max(0, m[2] - more), *m[3:]),
    "wider bank ports": lambda m, more: (*m[:4], m[4] + more),
    "all of it": lambda m, more: (m[0] + 40 * more, m[1] + more, max(0, m[2] - more), m[3], m[4] + more),
}
LIMITLESS = 10**12


def limit(time: int, slack: int | None) -> int:
    return LIMITLESS if slack is None else time + time * slack // 100


@pytest.mark.parametrize("better", BETTER)
@pytest.mark.parametrize(("flow", "kind"), RUNS, ids=RUN_NAMES)
@settings(max_examples=10, deadline=None)
@given(shapes(), st.sampled_from(ROLES), machines(), MACHINES, st.integers(1, 30))
def test_no_op_is_slower_on_a_better_machine(
    flow: Dataflow, kind: str, better: str, shape: ConvShape, role: Role, array: Callable[[str], PEArray],
    machine: tuple[int, int, int, int | None, int], more: int,
) -> None:  # fmt: skip
    pe, product, slack = array(kind), Product(shape, role), machine[3]
    worse_budget, better_budget = budget_of(*machine), budget_of(*BETTER[better](machine, more))
    try:
        worse = choose_tiling(product, ALL_IN_DRAM, flow, pe, worse_budget)
    except TileTooLargeError:
        return
    now = choose_tiling(product, ALL_IN_DRAM, flow, pe, better_budget).plan
    check(worse, now, slack, *(
        plan_tiled(product, ALL_IN_DRAM, worse.mapped, pe, budget, worse.tiling).cycles_alone(budget.channel)
        for budget in (worse_budget, better_budget)
    ), now.cycles_alone(better_budget.channel))  # fmt: skip


def check(worse: Tiled, now: Plan, slack: int | None, time: int, same_plan: int, new_time: int) -> None:
    """Hold the new plan against the old one, on the old machine (time) and on the new one (same_plan)."""
    old_bytes, new_bytes = (
        plan.counts.dram_read_bytes + plan.counts.dram_write_bytes for plan in (worse.plan, now)
    )  # fmt: skip
    assert new_time <= limit(same_plan, slack)
    if same_plan <= time:  # else arbitration made the very same tiles slower
        assert new_time <= limit(time, slack)
    if slack is None:
        assert new_bytes <= old_bytes


@pytest.mark.parametrize("port", ["weight", "input", "output"])
@pytest.mark.parametrize(("flow", "kind"), RUNS, ids=RUN_NAMES)
@settings(max_examples=8, deadline=None)
@given(shapes(), st.sampled_from(ROLES), machines(), MACHINES, st.integers(1, 30))
def test_no_op_is_slower_with_a_wider_port_of_the_array(
    flow: Dataflow, kind: str, port: str, shape: ConvShape, role: Role, array: Callable[[str], PEArray],
    machine: tuple[int, int, int, int | None, int], more: int,
) -> None:  # fmt: skip
    pe, product, budget = (
        array(kind),
        Product(shape, role),
        budget_of(*machine),
    )
    key = f"{port}_port_words_per_cycle"
    wide = pe.model_copy(update={key: getattr(pe, key) + more})
    try:
        worse = choose_tiling(product, ALL_IN_DRAM, flow, pe, budget)
    except TileTooLargeError:
        return
    now = choose_tiling(product, ALL_IN_DRAM, flow, wide, budget).plan
    old, same = (
        plan_tiled(product, ALL_IN_DRAM, worse.mapped, array, budget, worse.tiling) for array in (pe, wide)
    )  # fmt: skip
    assert same.compute_cycles <= old.compute_cycles
    check(worse, now, machine[3], *(plan.cycles_alone(budget.channel) for plan in (old, same, now)))


def folds_of(tiles: ConvolutionTiles, array: PEArray, flow: Dataflow) -> int:
    """Return the folds of all tiles, as docs/microarchitecture.md counts them."""
    found = 0
    of_tiles = zip(
        *(each.tolist() for each in (tiles.groups, tiles.vectors, tiles.reduction, tiles.filters)), strict=True
    )
    for groups, vectors, reduction, columns in of_tiles:
        if flow.way == "rows stay":  # as many as the mapping has, on any array
            continue
        moving, across = (vectors, columns) if flow.stationary == "filter" else (columns, vectors)
        if flow.way == "sums stay":
            found += groups * ceil(moving / array.rows) * ceil(across / array.columns)
            continue
        pieces = ceil(moving / array.accumulator_sums) if reduction > array.rows and array.accumulator_sums else 1
        found += groups * ceil(reduction / array.rows) * ceil(across / array.columns) * pieces
    return found


def fold_overhead(kind: str, flow: Dataflow, array: PEArray) -> int:
    """Return the cycles of a fold beside its steps where ports are as wide as their sides (docs/microarchitecture.md).

    Where folds overlap they are what a fold takes at least, to load the next one or to drain the one before.
    """
    rows, columns = array.rows, array.columns
    if flow.way == "rows stay":  # a mapping loads what its own PEs hold
        return 0
    if kind == "broadcast":
        return columns + 1 if flow.way == "operand stays" else rows
    if kind == "systolic_overlapped":
        return rows if flow.way == "operand stays" else columns
    serial = rows if getattr(array, "systolic_os_drain", "") == "serial" else 0
    return rows + columns - 2 + (rows if flow.way == "operand stays" else serial)


@pytest.mark.parametrize(("flow", "kind"), RUNS, ids=RUN_NAMES)
@settings(max_examples=60, deadline=None)
@given(
    shapes(), st.sampled_from(ROLES), st.integers(1, 5), st.integers(1, 5), st.integers(0, 5), st.integers(0, 5),
    st.sampled_from([0, 3, 50]), st.sampled_from(["free", "serial"]), MACHINES,
)  # fmt: skip
def test_a_larger_array_is_slower_by_its_loading_and_draining_alone(
    flow: Dataflow, kind: str, shape: ConvShape, role: Role, rows: int, columns: int, more_rows: int,
    more_columns: int, sums: int, drain: str, machine: tuple[int, int, int, int | None, int],
) -> None:  # fmt: skip
    """Ports follow. A tiling has no more folds; each is longer by what the larger array takes to load, skew or drain.

    Under rs a mapping's folds take no longer at all. The new plan is as fast as the old tiling under the old mapping
    there, within the slack, if the larger array has these as well.
    """
    product, budget = Product(shape, role), budget_of(*machine)
    small, large = (
        with_wide_ports(flow, kind, rows + a, columns + b, sums, drain) for a, b in ((0, 0), (more_rows, more_columns))
    )
    try:
        chosen = choose_tiling(product, ALL_IN_DRAM, flow, small, budget)
    except TileTooLargeError:
        return
    old, same = (
        plan_tiled(product, ALL_IN_DRAM, chosen.mapped, array, budget, chosen.tiling) for array in (small, large)
    )
    parts = tile_sequence(product, chosen.tiling).parts
    few = folds_of(parts, large, flow)
    assert few <= folds_of(parts, small, flow)
    longer = fold_overhead(kind, flow, large) - fold_overhead(kind, flow, small)
    beside = same.fill_cycles + same.drain_cycles - old.fill_cycles - old.drain_cycles
    assert same.compute_cycles <= old.compute_cycles + few * longer + max(0, beside)
    search = TilingSearch(product, ALL_IN_DRAM, chosen.mapped, large, budget)
    listed = chosen.mapped in flow.mapped(large, product)
    if listed and chosen.tiling in {search.tiling(row) for _, row in search.candidates((1, 2, 0))}:
        now = choose_tiling(product, ALL_IN_DRAM, flow, large, budget).plan
        same_time = same.cycles_alone(budget.channel)
        assert now.cycles_alone(budget.channel) <= limit(same_time, machine[3])


def with_wide_ports(flow: Dataflow, kind: str, rows: int, columns: int, sums: int, drain: str) -> PEArray:
    """Return an array whose ports are as wide as the sides that they feed."""
    array = array_of(kind, rows, columns, accumulator_sums=sums, systolic_os_drain=drain)
    return array.model_copy(update={port: getattr(array, side) for port, side in flow.sides(type(array)).items()})


def test_a_larger_array_may_be_slower_by_hand() -> None:
    """A linear layer of one vector that fills half of one row: its fold's weights take twice as long to load.

    A fold of 12 x 15 loads in 15 cycles and one of 24 x 30 in 30, through ports of 12 and 24 words.
    """
    product, budget = Product(linear_shape(1, 6, 1), "forward"), BufferBudget(10**6, 2, 4)
    flow = find_dataflow("ws", "broadcast", "", "")
    small, large = (
        plan_product(product, ALL_IN_DRAM, flow, with_wide_ports(flow, "broadcast", rows, columns, 0, "free"), budget)
        for rows, columns in ((12, 15), (24, 30))
    )
    assert small.compute_cycles == 15 + 1 + 1 + (4 + 2)
    assert large.compute_cycles == 30 + 1 + 1 + (5 + 2)


@pytest.mark.parametrize("better", BETTER)
@settings(max_examples=30, deadline=None)
@given(st.integers(1, 3000), st.integers(0, 3000), st.integers(1, 3000), MACHINES, st.integers(1, 30))
def test_no_update_transfer_or_vector_work_is_slower(
    better: str, words: int, written: int, work: int, machine: tuple[int, int, int, int | None, int], more: int
) -> None:
    array = load_accelerator(design="baseline").array
    state = (Operand("dram", 2), Operand("dram"))

    def plans(budget: BufferBudget) -> tuple[Plan, ...]:
        return (
            plan_elementwise(words, 9, state, state[:1], array, budget), plan_vector(work, words, written, 3, budget),
            plan_transfer(words, 0, budget), plan_transfer(0, words, budget),
        )  # fmt: skip

    old_budget, new_budget = budget_of(*machine), budget_of(*BETTER[better](machine, more))
    for old, new in zip(plans(old_budget), plans(new_budget), strict=True):
        time, new_time = old.cycles_alone(old_budget.channel), new.cycles_alone(new_budget.channel)
        # the very same pieces on the better machine: the new plan is the fastest there
        same_plan = replace(old, ports=new_budget.ports).cycles_alone(new_budget.channel)
        assert new_time <= same_plan
        if not (old.load_bytes.any() and old.store_bytes.any()):  # nothing to arbitrate
            assert same_plan <= time and new_time <= time


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 300), st.integers(0, 300), st.integers(1, 900), st.integers(1, 40), MACHINES)
def test_no_number_of_pieces_of_vector_work_is_faster(
    words: int, written: int, work: int, lanes: int, machine: tuple[int, int, int, int | None, int]
) -> None:
    """Bounds leave most numbers of pieces out; here each is tried by itself, and the first of the fastest is taken."""
    budget, choose = budget_of(*machine), plan_vector.__wrapped__
    fewest = -(-4 * (words + written) // (machine[0] - 4))  # twice 2 bytes of each word, and of a word more
    most, tried = max(words, written, work, fewest), []
    for count in (*(1 << power for power in range((most - 1).bit_length())), most):
        if count >= fewest:
            with patch.object(planning, "_piece_counts", lambda _, count=count: [count]):
                plan = choose(work, words, written, lanes, budget)
            tried.append((plan.cycles_alone(budget.channel), len(plan.stream_cycles)))
            bound = planning._least_time_dealt(words, written, max(words, written, work), lanes, [count], budget)
            assert bound[count] <= tried[-1][0]
    plan = choose(work, words, written, lanes, budget)
    assert (plan.cycles_alone(budget.channel), len(plan.stream_cycles)) == min(tried)


# Cases that were slower on the better machine.


def run_of(trace: str, *overrides: str, design: str = "baseline", dataflow: str = "ws") -> RunResult:
    return simulate(
        load_trace(trace), load_accelerator(design=design, dataflow=dataflow, overrides=list(overrides))
    ).runs[0]


@pytest.mark.parametrize("design", ["baseline", "max"])
@pytest.mark.parametrize("dataflow", DATAFLOWS)
def test_less_latency(dataflow: str, design: str) -> None:
    """A network for which the planner once took very many tiles where there was no latency."""
    fast, slow = (
        run_of(str(DATA / "latency_case.yaml"), f"dram.latency_ns={latency}", design=design, dataflow=dataflow)
        for latency in (0, 28)
    )
    assert fast.total_cycles <= slow.total_cycles * 1.02


def test_less_latency_with_banks_that_give_a_byte_a_cycle() -> None:
    """The same network on banks of 512 bytes: without latency it once took 7,784,601 cycles, with it 6,333,204."""
    banks = "global_buffer.bank_bytes=512", "global_buffer.bank_port_bytes=1"
    fast, slow = (
        run_of(str(DATA / "latency_case.yaml"), f"dram.latency_ns={latency}", *banks, design="max", dataflow="is")
        for latency in (0, 28)
    )
    assert fast.total_cycles <= slow.total_cycles


def test_a_mapping_for_small_banks() -> None:
    """VGG13 under rs with banks of 2,048 bytes: no op is both slower and of more bytes than without a slack."""
    few, fast = (
        run_of("vgg13-cifar10", "global_buffer.bank_bytes=2048", slack, dataflow="rs")
        for slack in ("tiling_slack_percent=null", "tiling_slack_percent=2")
    )
    for least, row in zip(few.rows, fast.rows, strict=True):
        moved, least_moved = (one.counts.dram_read_bytes + one.counts.dram_write_bytes for one in (row, least))
        assert moved >= least_moved
        assert row.cycles <= least.cycles + least.cycles * 2 // 100
    row = next(row for row in fast.rows if (row.layer, row.pass_, row.phase) == ("features.10", "forward", "warm_up"))
    assert row.cycles <= 32_256_587 and row.counts.dram_read_bytes + row.counts.dram_write_bytes <= 69_000_000 * 1.02


@pytest.mark.parametrize("design", ["baseline", "max"])
def test_a_larger_buffer_for_a_systolic_array(design: str) -> None:
    """MobileNetV2 with 16 accumulators a column: larger banks once made the baseline 7 % and MAX 32 % slower."""
    machine = (
        "array.rows=31", "array.interconnect=systolic", "precision.word_bits=8", "array.accumulator_sums=16",
        "dgrad=dense", "batch_mean=reread", "dram.peak_bytes_per_second=200000000000", "dram.latency_ns=500",
    )  # fmt: skip
    cycles = [
        run_of("mobilenet-v2-cifar10", *machine, f"global_buffer.bank_bytes={size}", design=design).total_cycles
        for size in (8192, 16384, 114048)
    ]
    for smaller, larger in pairwise(cycles):
        assert larger <= smaller * 1.02


WIDE = [f"array.{port}_port_words_per_cycle=512" for port in ("weight", "input", "output")]


@pytest.mark.parametrize("dataflow", DATAFLOWS)
@pytest.mark.parametrize("slack", [None, 2])
def test_wider_ports_for_alexnet_on_a_small_buffer(dataflow: str, slack: int | None) -> None:
    """AlexNet's conv1, four images, on Eyeriss's 108 kB: wider ports of the array or of the banks once cost time."""
    product = Product(ConvShape(N=4, C=3, H=227, W=227, K=96, R=11, S=11, P=55, Q=55, stride=(4, 4)), "forward")
    flow, small = find_dataflow(dataflow, "broadcast", "", ""), load_accelerator(design="baseline", dataflow=dataflow)
    times = []
    wide_array = load_accelerator(design="baseline", dataflow=dataflow, overrides=WIDE).array
    for array, port in ((small.array, 27), (small.array, 512), (wide_array, 512)):
        budget = replace(small.budget(0), capacity_bytes=108 * 1024, slack_percent=slack, ports=MemoryPorts(port))
        times.append(plan_product(product, ALL_IN_DRAM, flow, array, budget).cycles_alone(budget.channel))
    for narrow, wide in pairwise(times):
        assert wide <= narrow if slack is None else wide * 100 <= narrow * (100 + slack)


def test_wider_ports_for_the_transformer() -> None:
    """Under rs on 8 x 16 with a slow DRAM, ports of 512 words once made MAX 1.6 % slower."""
    machine = ("array.rows=8", "array.columns=16", "dgrad=dense", "tiling_slack_percent=null", "dram.latency_ns=0",
               "dram.peak_bytes_per_second=100000000")  # fmt: skip
    narrow, wide = (
        run_of("transformer-multi30k", *machine, *ports, design="max", dataflow="rs").total_cycles
        for ports in ((), WIDE)
    )
    assert wide <= narrow


def test_buffer_bytes_are_weighed() -> None:
    """MobileNetV2 on CIFAR10, forward of features.17.conv.2 with an output that stays: not 212,951,040 bytes."""
    spec, trace = load_accelerator(design="efficient"), load_trace("mobilenet-v2-cifar10")
    layer = next(layer for layer in trace.mac_layers if layer.id == "features.17.conv.2")
    shape = layer.product_shape(trace.batch_size)
    budget = spec.budget(0)
    left = replace(budget, capacity_bytes=budget.capacity_bytes - shape.output_words * budget.word_bytes)
    product = layer_products(layer, "forward", trace.batch_size)[0]
    plan = plan_product(product, Placement(result="buffer"), find_dataflow("ws", "broadcast", "", ""), spec.array, left)
    assert plan.counts.buffer_write_bytes <= 5_857_280


def one_array(tiles: list[tuple[int, int, int]], bytes_per_cycle: int) -> int:
    """Return the cycles of one plan, tiles given as load bytes, store bytes and streaming cycles."""
    loads, stores, stream = (np.array(column, np.int64) for column in zip(*tiles, strict=True))
    plan = Plan(
        contiguous(loads, write=False), contiguous(stores, write=True), stream, stream * 0, 2, 3, ActionCounts()
    )
    dram = BandwidthDram(
        model="bandwidth", capacity_bytes=1, peak_bytes_per_second=bytes_per_cycle * 10**9, latency_ns=0
    )
    return run_batch([Step((Task(0, "forward"),))], [[StepWork((plan,))]], dram, 10**9).cycles


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 40), st.just(0), st.integers(0, 20)), min_size=1, max_size=8), st.integers(1, 4)
)
def test_tiles_that_only_load_are_not_slower_on_a_faster_channel(tiles: list[tuple[int, int, int]], rate: int) -> None:
    assert one_array(tiles, rate + 1) <= one_array(tiles, rate)


# Found by a search over small plans: tiles of (load bytes, store bytes, streaming cycles).
ANOMALY = [(0, 1, 3), (4, 1, 2), (0, 0, 7), (3, 0, 2)]


def test_a_faster_channel_may_be_slower_where_a_store_comes_first() -> None:
    """The channel serves whoever asked first: a store that is ready sooner delays a load that more depends on."""
    slower, faster = one_array(ANOMALY, 1), one_array(ANOMALY, 2)
    assert (slower, faster) == (21, 22)
