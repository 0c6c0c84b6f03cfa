"""Several arrays that share each tile (docs/machine.md, "Several arrays"), beside a split written from the page.

What is expected comes from one array that does each share alone, from numpy, and from arithmetic by hand.
"""

from dataclasses import replace

import numpy as np
import pytest
from array_specs import INSIDE, RUN_NAMES, RUNS, array_of, specs
from convolutions import ROLES, shapes
from hypothesis import given, settings
from hypothesis import strategies as st
from tile_by_tile import TilingSearch

from dataflows.arrays.job import Geometry, JobTiles, Ports
from dataflows.arrays.several import SeveralArrays
from dataflows.arrays.stepped import step_job
from dataflows.dataflow import JobDataflow, find_dataflow
from dataflows.plans.budget import BufferBudget, TileTooLargeError
from dataflows.plans.given_plan import plan_tiled
from dataflows.plans.memory_ports import MemoryPorts
from dataflows.plans.placement import ALL_IN_DRAM, Operand
from dataflows.plans.planning import choose_tiling, plan_elementwise
from dataflows.plans.tiling import ORDERS, Tiling
from simulator.machine.spec_loading import load_accelerator
from simulator.testing.products import check_product, random_convolution
from workloads.foundation.errors import InputError
from workloads.passes import Product, Role
from workloads.shapes import ConvShape, linear_shape

SHARED = [(flow, kind) for flow, kind in RUNS if flow.way != "rows stay"]
SHARED_NAMES = [name for name, (flow, _) in zip(RUN_NAMES, RUNS, strict=True) if flow.way != "rows stay"]
SPLITS = ("columns", "vectors")


def places_of(extent: int, count: int, lanes: int | None) -> list[list[int]]:
    """Return the places of an axis that each array has: blocks of so many lanes in turn, or equal runs in time."""
    owned: list[list[int]] = [[] for _ in range(count)]
    for place in range(extent):
        if lanes is None:
            run = extent // count + (extent % count > 0)
            owned[place // run].append(place)
        else:
            owned[(place // lanes) % count].append(place)
    return owned


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize(("flow", "kind"), SHARED, ids=SHARED_NAMES)
@settings(max_examples=25, deadline=None)
@given(data=st.data(), count=st.integers(2, 4), sizes=st.tuples(*[st.integers(1, 9)] * 3), groups=st.integers(1, 2))
def test_a_job_is_the_shares_that_one_array_does_alone(
    flow: JobDataflow, kind: str, split: str, data: st.DataObject, count: int, sizes: tuple[int, int, int], groups: int
) -> None:
    """Cycles: the longest share. What all arrays read leaves the memory as often as the busiest array needs it."""
    array = data.draw(specs(kind)).model_copy(update={"accumulator_sums": 0})
    V, D, N = sizes
    axis = (
        {"columns": "N", "vectors": "V"}[split]
        if flow.stationary == "filter"
        else {"columns": "V", "vectors": "N"}[split]
    )
    job, geometry = array.job_array(flow.way), flow.geometry(array)
    lanes = {job.spread.rows: array.rows, job.spread.columns: array.columns, job.spread.time: None}[axis]
    numbers = np.random.default_rng(V * 100 + D * 10 + N)
    moving, stationary = numbers.integers(-9, 9, (groups, V, D)), numbers.integers(-9, 9, (groups, D, N))
    alone = [
        step_job(job, geometry, *((moving[:, own], stationary) if axis == "V" else (moving, stationary[:, :, own])))
        for own in places_of(V if axis == "V" else N, count, lanes) if own
    ]  # fmt: skip
    tiles = JobTiles(*(np.array([size]) for size in (groups, V, D, N)))
    several = SeveralArrays(job, geometry, count, axis)
    done, shared = several.step(moving, stationary, 0)
    assert np.array_equal(done.result, moving @ stationary)
    timing = several.timing(tiles)
    assert timing.fill_cycles + timing.stream_cycles.sum() + timing.drain_cycles == max(one.cycles for one in alone)
    assert done.macs == sum(one.macs for one in alone) == groups * V * D * N
    closed = several.traffic(tiles)
    assert closed == shared
    for operand in ("moving_words", "stationary_words"):
        words = [getattr(one.traffic, operand) for one in alone]
        common = (operand == "moving_words") == (axis == "N")
        assert getattr(closed.job, operand) == (max(words) if common else sum(words))
        copies = closed.moving_copies if operand == "moving_words" else closed.stationary_copies
        assert copies == (sum(words) - max(words) if common else 0)
    assert closed.job.sums == sum(one.traffic.sums for one in alone)
    for action in INSIDE:
        assert getattr(closed.job.inside, action) == sum(getattr(one.traffic.inside, action) for one in alone)


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize(("flow", "kind"), SHARED, ids=SHARED_NAMES)
@settings(max_examples=10, deadline=None)
@given(data=st.data(), count=st.integers(2, 3), seed=st.integers(0, 2**32 - 1))
def test_convolutions(flow: JobDataflow, kind: str, split: str, data: st.DataObject, count: int, seed: int) -> None:
    """Closed form = stepped arrays = numpy, as for one array."""
    array = data.draw(specs(kind)).model_copy(update={"accumulator_sums": 0, "count": count, "split": split})
    product = Product(linear_shape(1, 1, 1), "forward")
    (mapped,) = flow.mapped(array, product)
    check_product(mapped, array, random_convolution(seed))


WIDE = Ports(stationary=12, moving=4, output=6)


def test_two_arrays_and_one_of_twice_the_columns_by_hand() -> None:
    """ws, broadcast, 4 x 3 twice and 4 x 6, weight ports of 12 words: the same folds, which load in 1 or 2 cycles.

    V, D, N = 5, 8, 12 are 2 x 2 folds. LC + 1 is 2 and 3, and 5 vectors hide both. The drain is 2 + 2 in both.
    """
    tiles = JobTiles(*(np.array([size]) for size in (1, 5, 8, 12)))
    job = array_of("broadcast").job_array("operand stays")
    two = SeveralArrays(job, Geometry(4, 3, WIDE), 2, "N")
    one = SeveralArrays(job, Geometry(4, 6, WIDE), 1, "N")
    for arrays, fill in ((two, 2), (one, 3)):
        timing = arrays.timing(tiles)
        assert (timing.fill_cycles, timing.stream_cycles.tolist(), timing.drain_cycles) == (fill, [4 * 5], 4)
    # both read 5 vectors of 8 words twice, and 8 x 12 weights once; two arrays are sent each vector
    found, wide = two.traffic(tiles), one.traffic(tiles)
    assert (replace(found.job, inside=wide.job.inside), found.moving_copies) == (wide.job, 5 * 8 * 2)
    # as many products; `in` takes 4 words of each vector in each of 2 x 2 folds, in both arrays or in one
    assert found.job.inside.product_register_writes == wide.job.inside.product_register_writes == 5 * 8 * 12
    assert (found.job.inside.operand_register_writes, wide.job.inside.operand_register_writes) == (160, 80)
    assert (one.traffic(tiles).moving_copies, one.traffic(tiles).stationary_copies) == (0, 0)


def test_an_odd_block_goes_to_the_first_array_by_hand() -> None:
    """10 columns on arrays of 3: blocks of 3, 3, 3 and 1; the first array has 6 columns and the second 4."""
    two = SeveralArrays(array_of("broadcast").job_array("operand stays"), Geometry(4, 3, WIDE), 2, "N")
    assert [share.tolist() for share in two.shares(np.array([10, 9, 3, 4]))] == [[6, 6, 3, 3], [4, 3, 0, 1]]


@pytest.mark.parametrize(("flow", "kind"), SHARED, ids=SHARED_NAMES)
def test_vectors_on_two_arrays_are_two_half_batches(flow: JobDataflow, kind: str) -> None:
    """A whole batch takes what half of it takes on one array; the filters leave the buffer once for both halves."""
    one = array_of(kind, accumulator_sums=0)
    two = one.model_copy(update={"count": 2, "split": "vectors"})
    whole, half = (
        ConvShape(N=N, C=3, H=4, W=4, K=5, R=3, S=3, P=4, Q=3, stride=(1, 1), padding=(1, 0)) for N in (8, 4)
    )
    (mapped,) = flow.mapped(two, Product(whole, "forward"))
    together, alone = (
        plan_tiled(product, ALL_IN_DRAM, mapped, array, LARGE, one_tile(product))
        for product, array in ((Product(whole, "forward"), two), (Product(half, "forward"), one))
    )
    assert together.compute_cycles == alone.compute_cycles
    assert together.counts.macs == 2 * alone.counts.macs
    assert together.counts.array_network_bytes == 2 * alone.counts.array_network_bytes
    for action in INSIDE:
        assert getattr(together.counts, action) == 2 * getattr(alone.counts, action)
    # 27 x 5 filter words of 2 bytes: once where they stay, else once for each block of the 48 vectors on one array,
    # which lie on its 3 columns where the image takes the stationary port, and on its 4 rows else
    blocks = 48 // 3 if flow.stationary == "image" else 1 if flow.way == "operand stays" else 48 // 4
    assert 2 * alone.counts.buffer_read_bytes - together.counts.buffer_read_bytes == 27 * 5 * 2 * blocks


LARGE = BufferBudget(10**6, 2, 4)


def one_tile(product: Product) -> Tiling:
    """Return a product of 5 filters and 3 channels whole."""
    return Tiling(1, product.shape.N, product.shape.P, 3, 5, ORDERS[0])


def test_an_update_takes_all_arrays_as_lanes_by_hand() -> None:
    """240 weights, two words in and one out: 20 cycles on 12 MACs, 69 through 7 words in, 120 through 2 words out.

    Two arrays have 24, 14 and 4.
    """
    array = array_of("broadcast")
    for count, cycles in ((1, 120), (2, 60), (3, 40)):
        arrays = array.model_copy(update={"count": count})
        plan = plan_elementwise(240, 1, (Operand("buffer"),) * 2, (Operand("buffer"),), arrays, LARGE)
        assert plan.compute_cycles == 1 + cycles + 2


@pytest.mark.parametrize(("flow", "kind"), SHARED, ids=SHARED_NAMES)
@settings(max_examples=25, deadline=None)
@given(
    data=st.data(), shape=shapes(), role=st.sampled_from(ROLES), count=st.integers(1, 3), more=st.integers(1, 2),
    capacity=st.integers(40, 1500), slack=st.sampled_from([None, 0, 2]), port=st.sampled_from([None, 3, 30]),
    split=st.sampled_from(SPLITS),
)  # fmt: skip
def test_more_arrays_are_never_slower(
    flow: JobDataflow, kind: str, data: st.DataObject, shape: ConvShape, role: Role, count: int, more: int,
    capacity: int, slack: int | None, port: int | None, split: str,
) -> None:  # fmt: skip
    """The same tiles: no more cycles, no more words from the buffer, as many MACs. The search keeps within its slack.

    It does so if the tiling is in the list of more arrays, too, and whichever split it may take (docs/machine.md).
    """
    few = data.draw(specs(kind)).model_copy(update={"count": count, "split": split})
    many = few.model_copy(update={"count": count + more})
    product, budget = Product(shape, role), BufferBudget(capacity, 2, 4, slack_percent=slack, ports=MemoryPorts(port))
    try:
        chosen = choose_tiling(product, ALL_IN_DRAM, flow, few, budget)
    except TileTooLargeError:
        return
    (mapped,) = flow.mapped(many, product)
    old, same = (plan_tiled(product, ALL_IN_DRAM, mapped, one, budget, chosen.tiling) for one in (few, many))
    assert old.counts.macs == same.counts.macs == product.macs
    assert same.compute_cycles <= old.compute_cycles
    assert same.counts.buffer_read_bytes <= old.counts.buffer_read_bytes
    assert same.counts.buffer_write_bytes == old.counts.buffer_write_bytes
    search = TilingSearch(product, ALL_IN_DRAM, mapped, many, budget)
    if slack is not None and chosen.tiling in {search.tiling(row) for _, row in search.candidates((1, 2, 0))}:
        time = same.cycles_alone(budget.channel)
        for free in ("either", split):
            now = choose_tiling(product, ALL_IN_DRAM, flow, many.model_copy(update={"split": free}), budget).plan
            assert now.cycles_alone(budget.channel) <= time + time * slack // 100


def test_either_split_may_win_by_hand() -> None:
    """One vector has nothing to share but its columns; of one column nothing but the vectors."""
    flow = find_dataflow("ws", "broadcast", "", "")
    two = array_of("broadcast", accumulator_sums=0).model_copy(update={"count": 2})
    for shape, split in ((linear_shape(1, 4, 60), "columns"), (linear_shape(60, 4, 1), "vectors")):
        chosen = choose_tiling(Product(shape, "forward"), ALL_IN_DRAM, flow, two, LARGE)
        assert chosen.mapped.split == split
        assert chosen.plan.origin.mapping["spatial"]["arrays"] == {split: 2}


def test_row_stationary_refuses_several_arrays_in_a_line() -> None:
    with pytest.raises(
        InputError, match=r"array\.count: is 2, but rs runs on one array; give 1, or take is or os or ws"
    ):
        load_accelerator(design="baseline", dataflow="rs", overrides={"array.count": 2})
