"""What the search says of a tiling, without a table of its tiles, against the plan and the engine's clock."""

from collections.abc import Callable

import numpy as np
import pytest
from array_specs import RUN_NAMES, RUNS, array_of, specs
from convolutions import ROLES, shapes
from hypothesis import example, given, settings
from hypothesis import strategies as st
from kernel_functions import called_by_a_kernel
from tile_by_tile import Measured, TilingSearch

from dataflows.array import PEArray
from dataflows.dataflow import Dataflow, find_dataflow
from dataflows.plans.budget import BufferBudget
from dataflows.plans.cut_tables import Candidate
from dataflows.plans.given_plan import plan_tiled
from dataflows.plans.memory_ports import MemoryPorts, in_proportion
from dataflows.plans.placement import ALL_IN_DRAM, Operand, Placement
from dataflows.plans.planning import plan_product
from dataflows.plans.tiling_time import PIECE
from dataflows.plans.tiling_time import in_proportion as inside_in_proportion
from simulator.dram.machine_channel import dram_channel
from simulator.dram.model import DramModel
from simulator.dram.models.bandwidth import BandwidthDram
from simulator.dram.models.commands import CommandDram
from simulator.dram.models.ideal import IdealDram
from simulator.engine.batch import run_batch
from simulator.engine.work import StepWork
from simulator.machine.spec_loading import load_accelerator
from simulator.phases.design import Step, Task
from workloads.passes import Product, Role
from workloads.shapes import ConvShape, linear_shape

HZ = 200_000_000
share_of = called_by_a_kernel(inside_in_proportion)
COMMANDS = CommandDram(model="commands", capacity_bytes=1 << 30, part="ddr3-1600", queue_depth=32)
IDEAL = IdealDram(model="ideal", capacity_bytes=1)
OPERANDS = st.builds(Operand, st.sampled_from(["dram", "dram", "buffer", "predictor_sram"]), st.integers(1, 2))
PLACEMENTS = st.builds(Placement, OPERANDS, OPERANDS, st.sampled_from(["dram", "dram", "buffer", "predictor_sram"]))
PORTS = st.builds(MemoryPorts, st.sampled_from([None, 1, 7, 60]), st.sampled_from([None, 2, 30]))


@st.composite
def channels(draw: st.DrawFn) -> DramModel:
    rate, latency = draw(st.sampled_from([1, 3, 7, 40])) * HZ // draw(st.integers(1, 3)), draw(st.integers(0, 60))
    given = BandwidthDram(model="bandwidth", capacity_bytes=1, peak_bytes_per_second=rate, latency_ns=latency)
    return draw(st.sampled_from([given, given, IDEAL, COMMANDS]))


def engine_cycles(search: TilingSearch, row: Candidate, model: DramModel) -> Measured:
    """Measure a candidate by its plan, tile by tile, and by the engine's clock without refreshes."""
    where, budget = search.placement, search.budget
    plan = plan_tiled(search.product, where, search.dataflow, search.array, budget, search.tiling(row))
    own = plan.cycles_alone(budget.channel)
    if model.refresh(HZ) is None:
        assert own == run_batch([Step((Task(0, "forward"),))], [[StepWork((plan,))]], model, HZ).cycles
    return Measured.of(plan, own)


def check(search: TilingSearch, model: DramModel, pick: Callable[[int], int]) -> None:
    listed = list(search.candidates((0, 1, 2)))
    for key, row in {listed[pick(len(listed))] for _ in range(4)} if listed else ():
        measured = search.measure(row)
        assert measured == engine_cycles(search, row, model)
        assert key[:4] <= measured.key((0, 1, 2)) and key[0] <= measured.values[0]
        assert key[1] == measured.values[1] and key[2] <= measured.values[2]


@pytest.mark.parametrize(("flow", "kind"), RUNS, ids=RUN_NAMES)
@settings(max_examples=60, deadline=None)
@given(
    st.data(), shapes(), st.sampled_from(ROLES), PLACEMENTS, PORTS, channels(), st.integers(40, 3000),
    st.integers(1, 4), st.integers(1, 4),
)  # fmt: skip
def test_a_tiling_is_measured_as_its_plan(
    flow: Dataflow, kind: str, data: st.DataObject, shape: ConvShape, role: Role, where: Placement,
    ports: MemoryPorts, model: DramModel, capacity: int, word: int, psum: int,
) -> None:  # fmt: skip
    array: PEArray = data.draw(specs(kind))
    budget = BufferBudget(capacity, word, word + psum, dram_channel(model, HZ), None, ports)
    product = Product(shape, role)
    mapped = data.draw(st.sampled_from(flow.mapped(array, product)))
    search = TilingSearch(product, where, mapped, array, budget)
    check(search, model, lambda count: data.draw(st.integers(0, count - 1)))


def test_a_bound_of_vectors_that_accumulators_do_not_cut_by_hand() -> None:
    """A 1 x 1 convolution of two images of two words, one array row: nothing accumulates, so four vectors are a fold.

    Its bound once was 22 cycles, and its only tiling takes 21, so that it seemed to have none that is fast enough.
    """
    array = array_of("broadcast", 1, 2, (1, 1, 2), accumulator_sums=3)
    dram = BandwidthDram(model="bandwidth", capacity_bytes=1, peak_bytes_per_second=HZ, latency_ns=0)
    shape = ConvShape(N=2, C=1, H=1, W=2, K=1, R=1, S=1, P=1, Q=2, stride=(1, 1), padding=(0, 0), dilation=(1, 1),
                      groups=1)  # fmt: skip
    budget = BufferBudget(40, 2, 4, dram_channel(dram, HZ), 0, MemoryPorts(6))
    plan = plan_product(Product(shape, "forward"), ALL_IN_DRAM, find_dataflow("ws", "broadcast", "", ""), array, budget)
    assert plan.cycles_alone(budget.channel) == 21


@pytest.mark.parametrize("count", [PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 3 * PIECE + 5])
@pytest.mark.parametrize("model", [COMMANDS, IDEAL], ids=["commands", "ideal"])
def test_many_tiles_are_measured_piece_by_piece(count: int, model: DramModel) -> None:
    """A linear layer of one image, a tile a filter: as many tiles as there are filters."""
    array = load_accelerator(design="baseline").array
    budget = BufferBudget(100, 2, 4, dram_channel(model, HZ), None, MemoryPorts(7, None))
    product, flow = Product(linear_shape(1, 5, count), "forward"), find_dataflow("ws", "broadcast", "", "")
    search = TilingSearch(product, ALL_IN_DRAM, flow, array, budget)
    found = [row for _, row in search.candidates((1, 2, 0)) if search.tiling(row).filters == 1]
    measured = search.measure(found[0])
    assert measured.tiles == count and measured == engine_cycles(search, found[0], model)


def test_bytes_of_tiles_beyond_a_piece_by_hand() -> None:
    """One input word, and room for one filter of one word: each tile loads 2 bytes of it, the first the input's too."""
    count = 2 * PIECE + 3
    array, flow = load_accelerator(design="baseline").array, find_dataflow("ws", "broadcast", "", "")
    budget = BufferBudget(16, 2, 4, dram_channel(IDEAL, HZ), None)
    plan = plan_product(Product(linear_shape(1, 1, count), "forward"), ALL_IN_DRAM, flow, array, budget)
    assert plan.load_bytes.tolist() == [4] + [2] * (count - 1)
    assert plan.store_bytes.tolist() == [2] * count


@settings(max_examples=500, deadline=None)
@given(st.integers(0, 1 << 61), st.lists(st.integers(0, 1 << 40), min_size=1, max_size=5))
@example((1 << 61) - 1, [(1 << 40) - 1, (1 << 40) - 3, 1])
def test_shares_are_exact_beyond_64_bits(total: int, weights: list[int]) -> None:
    whole = sum(weights)
    if whole == 0 or total // whole * max(weights) >= 1 << 62:
        return
    exact = [-(-total * weight // whole) for weight in weights]
    assert [share_of(total, weight, whole) for weight in weights] == exact
    assert in_proportion(total, np.array(weights)).tolist() == exact


@pytest.mark.parametrize("role", ["forward", "dgrad", "wgrad"])
@pytest.mark.parametrize(("flow", "kind"), RUNS, ids=RUN_NAMES)
def test_the_bound_of_a_single_tile_is_its_time(flow: Dataflow, kind: str, role: Role) -> None:
    """Load, work and store come one after the other, so nothing hides: a bound below would leave something out.

    Three groups of 9 channels and 7 filters, 3 x 2 taps; a byte takes a third of a cycle, a transfer 9 cycles.
    """
    dram = BandwidthDram(model="bandwidth", capacity_bytes=1, peak_bytes_per_second=3 * 10**9, latency_ns=9)
    array, room = array_of(kind), BufferBudget(1 << 30, 2, 4, dram_channel(dram, 10**9))
    product = Product(ConvShape(2, 27, 6, 4, 21, 3, 2, 4, 3, (1, 1), (0, 0), (1, 1), 3), role)
    search = TilingSearch(product, ALL_IN_DRAM, flow.mapped(array, product)[0], array, room)
    one = next(one for _, one in search.candidates((1, 2, 0)) if search.measure(one).tiles == 1)
    bounds = {candidate: key[0] for key, candidate in search.candidates((0, 1, 2))}
    assert bounds[one] == search.measure(one).values[0]
