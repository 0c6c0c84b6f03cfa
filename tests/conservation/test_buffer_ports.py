"""Ports of the memories' banks: waits by hand, what passes a port, and that a wider one costs nothing."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from math import ceil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import chains, make_trace
from registries import DATAFLOWS
from test_by_hand import one_layer
from test_rows import check

from dataflows.actions import ActionCounts
from dataflows.dataflow import find_dataflow
from dataflows.plans.budget import BufferBudget
from dataflows.plans.memory_ports import MemoryPorts, in_proportion
from dataflows.plans.placement import ALL_IN_DRAM, Operand
from dataflows.plans.plan import Plan
from dataflows.plans.planning import plan_elementwise, plan_product, plan_transfer, plan_vector
from dataflows.plans.transfers import contiguous
from simulator.dram.models.bandwidth import BandwidthDram
from simulator.engine.batch import run_batch
from simulator.engine.work import StepWork
from simulator.machine.spec_loading import load_accelerator, load_designs
from simulator.phases.design import Step, Task
from simulator.reproduce.page import pages
from simulator.run.results import LayerRow, Results
from simulator.run.simulation import Simulation, compare
from workloads.passes import Product
from workloads.shapes import linear_shape
from workloads.trace import Trace, load_trace

NARROW = ["global_buffer.bank_port_bytes=1", "predictor_sram.bank_port_bytes=1", "predictor_sram.banks=4"]
IDEAL_DRAM = "dram={model: ideal, capacity_bytes: 8589934592}"


FILL = 2


def a_plan(
    buffer_bytes: int, predictor_bytes: int, tiles: list[tuple[int, int, int]], ports: MemoryPorts, fill: int = FILL
) -> Plan:
    """Return a plan of tiles (load bytes, store bytes, streaming cycles); its first bytes are the array's."""
    loads, stores, stream = (np.array(column, np.int64) for column in zip(*tiles, strict=True))
    loaded, stored = int(loads.sum()), int(stores.sum())
    counts = ActionCounts(
        buffer_read_bytes=buffer_bytes // 2 + stored, buffer_write_bytes=buffer_bytes - buffer_bytes // 2 + loaded,
        predictor_sram_read_bytes=predictor_bytes, dram_read_bytes=loaded, dram_write_bytes=stored,
    )  # fmt: skip
    return Plan(
        contiguous(loads, write=False), contiguous(stores, write=True), stream, stream * 0, fill, 3, counts, ports
    )  # fmt: skip


# By hand.


def test_waits_of_three_tiles_by_hand() -> None:
    """740 bytes of the array over a fill of 2 and 10 + 20 + 5 cycles: 240, 400 and 100; through 20 bytes a cycle.

    With their own 30 and 10, 0 and 1, 60 and 5 bytes they need 14, 21 (20.05) and 9 (8.25) cycles; they have 12, 20, 5.
    """
    tiles = [(30, 10, 10), (0, 1, 20), (60, 5, 5)]
    plan = a_plan(740, 0, tiles, MemoryPorts(buffer_bytes=20))
    assert plan.port_wait_cycles.tolist() == [2, 1, 4]
    assert plan.compute_cycles == 2 + 35 + 3
    # 741 bytes: 240.3, 400.5 and 100.1 are rounded up, each by itself; 281, 402 and 166 bytes
    plan = a_plan(741, 0, tiles, MemoryPorts(buffer_bytes=20))
    assert plan.port_wait_cycles.tolist() == [15 - 12, 21 - 20, 9 - 5]
    # 111 bytes of the predictor SRAM: 36, 60 and 15 at 2 bytes a cycle, more than the buffer asks of the first two
    plan = a_plan(740, 111, tiles, MemoryPorts(buffer_bytes=20, predictor_sram_bytes=2))
    assert plan.port_wait_cycles.tolist() == [18 - 12, 30 - 20, 4]


def test_bytes_pass_in_the_gaps_too() -> None:
    """Row stationary loads filters between two tiles. 300 bytes, windows of 2 + 1, 9 + 1 and 16 + 1 cycles, 10 a cycle.

    Their 30, 100 and 170 bytes need 3, 10 and 17 cycles, so nobody waits; at 5 a cycle they need twice as many.
    """
    for width, waits in ((10, [0, 0, 0]), (5, [3, 10, 17])):
        one = a_plan(300, 0, [(0, 0, 1)] * 3, MemoryPorts(buffer_bytes=width))
        assert replace(one, gap_cycles=np.array([0, 9, 16])).port_wait_cycles.tolist() == waits


def test_filters_that_load_in_the_gaps_do_not_wait() -> None:
    """AlexNet's fc1 for one image: what all bytes need of the ports is far less than the filters' loading takes."""
    spec = load_accelerator(design="baseline", dataflow="rs")
    product, budget = Product(linear_shape(1, 9216, 4096), "forward"), spec.budget(0)
    plan = plan_product(product, ALL_IN_DRAM, find_dataflow("rs", "broadcast", "", ""), spec.array, budget)
    counts = plan.counts
    needed = (counts.buffer_read_bytes + counts.buffer_write_bytes) / 512
    assert 9216 * 4096 * 2 / 512 < needed < 9216 * 4096 / 12 < plan.compute_cycles  # 12 words of filters a cycle
    assert plan.port_wait_total == 0


def test_a_tile_that_does_not_stream_passes_on_the_channel() -> None:
    plan = a_plan(100, 0, [(1001, 0, 0), (0, 0, 10), (0, 2000, 0)], MemoryPorts(buffer_bytes=5), fill=0)
    assert plan.port_wait_cycles.tolist() == [0, 10, 0]
    # 201 cycles to load, 20 for the stream, 3 to drain, 400 to store
    assert one_alone(plan) == 201 + 20 + 3 + 400


def test_a_plain_transfer_takes_the_longer_of_channel_and_port() -> None:
    """6,000 bytes at 2 bytes a cycle through ports of 1, 2 and 3."""
    for width, cycles in ((1, 6000), (2, 3000), (3, 3000)):
        plan = plan_transfer(6000, 0, BufferBudget(12_000, 2, 4, ports=MemoryPorts(width)))
        assert plan.port_wait_total == 0
        assert one_alone(plan) == cycles


def one_alone(plan: Plan) -> int:
    """Return the cycles of a plan on a channel of 2 bytes a cycle, or rather in no time where it loads by its ports."""
    dram = BandwidthDram(model="bandwidth", capacity_bytes=1, peak_bytes_per_second=2 * 10**9, latency_ns=0)
    fast = dram.model_copy(update={"peak_bytes_per_second": 10**13})
    slow = plan.window_cycles.sum() == 0
    return run_batch([Step((Task(0, "forward"),))], [[StepWork((plan,))]], dram if slow else fast, 10**9).cycles


def forward(overrides: list[str]) -> LayerRow:
    """Return the forward op of `one_layer` on a baseline that runs it as one tile (see test_by_hand)."""
    spec = load_accelerator(design="baseline", overrides=["dram.latency_ns=100000", *overrides])
    return next(row for row in Simulation(one_layer(), spec).run().rows if row.pass_ == "forward")


def test_a_convolution_by_hand() -> None:
    """The layer of test_by_hand: 2 * (2304 + 720 + 640) bytes of the array, 2016 loaded and 1280 stored, 192 cycles."""
    # a fill of 180 / 12 + 1 cycles goes before the 192 that stream
    halves = ["global_buffer.banks=32", "global_buffer.bank_bytes=228096"]
    wide, narrow = forward(halves), forward([*halves, "global_buffer.bank_port_bytes=1"])
    bytes_through = 2 * (2304 + 720 + 640) + 2016 + 1280
    assert (wide.stall_buffer_port_cycles, narrow.stall_buffer_port_cycles) == (0, ceil(bytes_through / 32) - 208)
    assert narrow.stall_buffer_port_cycles == 124
    assert narrow.cycles == wide.cycles + 124
    assert (narrow.compute_cycles, narrow.counts) == (wide.compute_cycles, wide.counts)
    # Without accumulators two of three sums of 32 x 20 results, 4 bytes each, go to the buffer and come back.
    sums = forward([*halves, "global_buffer.bank_port_bytes=1", "array.accumulator_sums=0"])
    assert sums.stall_buffer_port_cycles == (bytes_through + 2 * 4 * 1280) // 32 - 208 == 444


def test_the_predictor_sram_by_hand() -> None:
    """An optimizer on 600 words that all lie there: four tensors read and three written, 8,400 bytes."""
    array = load_accelerator(design="baseline").array
    budget = BufferBudget(1000, 2, 4, ports=MemoryPorts(buffer_bytes=1, predictor_sram_bytes=64))
    near = Operand("predictor_sram")
    plan = plan_elementwise(600, 13, (near, near, Operand("predictor_sram", 2)), (near, near, near), array, budget)
    # 13 MACs on 180 PEs: 44 cycles; in at 12 + 12 words a cycle: 100; out at 15: 120
    assert plan.stream_cycles.tolist() == [120]
    assert plan.port_wait_cycles.tolist() == [ceil(8400 / 64) - 121] == [11]


def test_the_vector_unit_by_hand() -> None:
    """150 words in and 150 out through 15 lanes: 600 bytes on its side and 600 on DRAM's."""
    plan = plan_vector(150, 150, 150, 15, BufferBudget(10**6, 2, 4, ports=MemoryPorts(buffer_bytes=100)))
    assert plan.stream_cycles.tolist() == [10]
    assert plan.port_wait_cycles.tolist() == [1]  # 12 cycles for 1,200 bytes; one to latch and ten to stream


def test_shares_of_the_shipped_designs() -> None:
    """64 banks of 8 bytes a cycle; 16 of them serve the second array."""
    assert load_accelerator(design="baseline").budget(0).ports == MemoryPorts(512, None)
    assert load_accelerator(design="efficient").budget(0).ports == MemoryPorts(512, 512)
    spec = load_accelerator(design="max")
    assert (spec.budget(0).ports, spec.budget(1).ports) == (MemoryPorts(384, 512), MemoryPorts(128, 512))


def test_bytes_that_an_op_adds_pass_the_port() -> None:
    """The error of the predictor's training is written where it stays, beside what its product writes."""
    spec = load_accelerator(design="efficient", overrides=NARROW)
    trace = make_trace([{"id": "a", "kind": "linear", "inputs": ("input",), "L": 64, "C": 256, "K": 256}], 1,
                       {"input": (64, 256)})  # fmt: skip
    simulation = Simulation(trace, spec)
    plans = [
        plan
        for step, works in zip(simulation.batches.steps("bp"), simulation.batches.works("bp"), strict=True)
        for task, work in zip(step.first, works, strict=True)
        if task.pass_ == "predictor_backward"
        for plan in work.plans
    ]
    assert plans[0].counts.buffer_write_bytes >= 2 * 256 * 256
    for plan in plans:
        through = plan.counts.buffer_read_bytes + plan.counts.buffer_write_bytes
        assert through <= 64 * int((plan.window_cycles + plan.port_wait_cycles).sum())


# Exactly, and never less than what must pass.


@settings(max_examples=300, deadline=None)
@given(
    st.integers(0, 1 << 58),
    st.lists(st.one_of(st.integers(0, 9), st.integers(0, 1 << 56)), min_size=1, max_size=9).filter(any),
)
def test_proportions_are_exact_beyond_64_bits(total: int, weights: list[int]) -> None:
    found = in_proportion(total, np.array(weights, np.int64)).tolist()
    assert found == [ceil(Fraction(total * weight, sum(weights))) for weight in weights]
    assert total <= sum(found) < total + len(weights)


TILES = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60), st.integers(1, 20)), min_size=1, max_size=8)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 900), st.integers(0, 300), TILES, st.integers(1, 40), st.integers(1, 40))
def test_all_bytes_pass_and_no_cycle_is_waited_for_nothing(
    buffer_bytes: int, predictor_bytes: int, tiles: list[tuple[int, int, int]], width: int, predictor_width: int
) -> None:
    """A tile with a wait would be short of bytes had it waited a cycle less."""
    plan = a_plan(buffer_bytes, predictor_bytes, tiles, MemoryPorts(width, predictor_width))
    whole = FILL + sum(stream for *_, stream in tiles)
    for tile, ((load, store, stream), wait) in enumerate(zip(tiles, plan.port_wait_cycles.tolist(), strict=True)):
        stream += FILL * (tile == 0)
        asked = [(Fraction(buffer_bytes * stream, whole) + load + store, width),
                 (Fraction(predictor_bytes * stream, whole), predictor_width)]  # fmt: skip
        assert all(share <= (stream + wait) * rate for share, rate in asked)
        if wait:
            assert any(ceil(share) > (stream + wait - 1) * rate for share, rate in asked)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 900), TILES, st.integers(1, 40), st.integers(1, 40))
def test_waits_never_grow_with_the_width(
    buffer_bytes: int, tiles: list[tuple[int, int, int]], width: int, more: int
) -> None:
    narrow, wide = (a_plan(buffer_bytes, 0, tiles, MemoryPorts(w)).port_wait_cycles for w in (width, width + more))
    assert (wide <= narrow).all()
    loads_only = [(load, 0, stream) for load, _, stream in tiles]
    dram = BandwidthDram(model="bandwidth", capacity_bytes=1, peak_bytes_per_second=10**9, latency_ns=1)
    cycles = [
        run_batch([Step((Task(0, "forward"),))],
                  [[StepWork((a_plan(buffer_bytes, 0, loads_only, MemoryPorts(w)),))]], dram, 10**9).cycles
        for w in (width, width + more)
    ]  # fmt: skip
    assert cycles[1] <= cycles[0]


# Whole batches.


@pytest.mark.parametrize("dataflow", DATAFLOWS)
def test_time_is_compute_and_stalls(dataflow: str) -> None:
    results = compare(load_trace("digits-cnn"), load_designs(dataflow=dataflow, overrides=NARROW))
    check(results)
    for run in results.runs:
        assert any(row.stall_buffer_port_cycles for row in run.rows)
        assert run.total_cycles > 0


@settings(max_examples=10, deadline=None)
@given(chains(), st.sampled_from(DATAFLOWS), st.integers(1, 8))
def test_random_networks(trace: Trace, dataflow: str, banks: int) -> None:
    small = [f"global_buffer.banks={banks + 1}", f"global_buffer.bank_bytes={96_000 // banks}",
             "second_array.buffer_banks=1", *NARROW]  # fmt: skip
    results = compare(trace, load_designs(dataflow=dataflow, overrides=small), exact=(4, 6))
    check(results)
    assert all(run.exact is not None and run.exact.equal for run in results.runs)
    for run in results.runs:
        widths = [banks + 1 - (len(run.spec.arrays) - 1), 1]
        for row in run.rows:
            if row.pass_ in ("forward", "dgrad", "wgrad", "update") and row.array is not None:
                through = row.counts.buffer_read_bytes + row.counts.buffer_write_bytes
                assert through <= widths[row.array] * row.cycles
            sram = row.counts.predictor_sram_read_bytes + row.counts.predictor_sram_write_bytes
            assert sram <= 4 * row.cycles


@pytest.mark.parametrize("dataflow", ["ws", "rs"])
def test_without_dram_time_an_op_takes_its_compute_and_its_ports(dataflow: str) -> None:
    for run in compare(load_trace("digits-cnn"), load_designs(dataflow=dataflow, overrides=[IDEAL_DRAM, *NARROW])).runs:
        # plain transfers pass the ports on the channel; the predictor's forward pass has some
        layers = [row for row in run.rows if row.pass_ in ("forward", "dgrad", "wgrad", "update")]
        assert all(row.cycles == row.compute_cycles + row.stall_buffer_port_cycles for row in layers)
        assert any(row.stall_buffer_port_cycles for row in layers)


def test_batches_one_by_one_equal_composed_ones() -> None:
    trace = load_trace("digits-cnn")
    costed = [*NARROW, "vector_unit.costed=[activation, pool]"]
    for overrides in (NARROW, costed):
        results = compare(trace, load_designs(overrides=overrides), exact=(trace.schedule.counts()["warm_up"] - 2, 6))
        assert all(run.exact is not None and run.exact.equal for run in results.runs)


def totals(results: Results) -> list[int]:
    return [phase.cycles_per_batch for run in results.runs for phase in run.phases]


@pytest.mark.parametrize("dataflow", DATAFLOWS)
@pytest.mark.parametrize("name", ["digits-cnn", pytest.param("vgg13-cifar10", marks=pytest.mark.long)])
def test_a_wider_port_is_not_slower(name: str, dataflow: str) -> None:
    """Beyond the slack of two percent that tiles of fewer bytes may take; without a slack, as here, not at all.

    Where two arrays meet on the channel a wait may reorder them, which may cost a few cycles (test_more_is_not_slower
    has such an order); of a batch that is less than a hundred-thousandth.
    """
    trace = load_trace(name)
    found = [
        totals(compare(trace, load_designs(
            dataflow=dataflow, overrides=[f"global_buffer.bank_port_bytes={width}",
                                          f"predictor_sram.bank_port_bytes={width}"],
        )))
        for width in (1, 2, 4, 8, 9, 16)
    ]  # fmt: skip
    for narrow, wide in pairwise(found):
        assert all(b <= a + a // 100_000 for a, b in zip(narrow, wide, strict=True))
    assert sum(found[0]) > sum(found[-1])


@pytest.mark.parametrize("dataflow", [one.constants["dataflow"] for one in pages("speedups")])
def test_where_it_binds_as_shipped(dataflow: str) -> None:
    """docs/machine.md, of the report's dataflows: nowhere here, since tiles are chosen by times with their waits."""
    for run in compare(load_trace("vgg13-cifar10"), load_designs(dataflow=dataflow)).runs:
        assert not any(row.stall_buffer_port_cycles for row in run.rows)
