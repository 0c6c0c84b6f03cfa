"""Plans of many tiles against the stepped arrays, tile by tile."""

from collections.abc import Callable

import numpy as np
import pytest
from array_specs import INSIDE, RUN_NAMES, RUNS, array_of, part_name
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflows.array import PEArray
from dataflows.arrays.broadcast.row_stationary_stepped import step_rows
from dataflows.convolution import ConvolutionTiles, Sliding
from dataflows.operands import ConvolutionOperands, SteppedProduct
from dataflows.plans.budget import BufferBudget, TileTooLargeError
from dataflows.plans.placement import ALL_IN_DRAM
from dataflows.plans.planning import choose_tiling, plan_product
from dataflows.plans.tile_sequence import tile_sequence
from workloads.passes import Product
from workloads.shapes import linear_shape


def ones(groups: int, images: int, channels: int, filters: int) -> ConvolutionOperands:
    """A linear layer as a convolution of 1 x 1 images."""
    image = np.ones((groups, images, channels, 1, 1), np.int64)
    return ConvolutionOperands(
        image, np.ones((groups, filters, channels, 1, 1), np.int64), 1, 1, Sliding((1, 1), (1, 1)), "forward"
    )


def stepper(flow, pe: PEArray, parts: ConvolutionTiles) -> Callable[[ConvolutionOperands], SteppedProduct]:
    """Return what steps a tile; row stationary keeps one mapping for all tiles of a plan."""
    if flow.way != "rows stay":
        return lambda operands: flow.step(pe, operands)
    mapping = flow.mapping(pe, parts)
    return lambda operands: step_rows(pe.row_array(), mapping, operands)


@pytest.mark.parametrize(("flow", "kind"), RUNS, ids=RUN_NAMES)
@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 40), st.integers(1, 40), st.integers(1, 30), st.integers(1, 3), st.integers(60, 2000),
    st.sampled_from(["free", "serial"]),
)  # fmt: skip
def test_sums_over_tiles(
    flow, kind: str, rows: int, reduction: int, columns: int, groups: int, capacity: int, drain: str
) -> None:
    """Tiles do what jobs of their size do; a systolic array takes exactly the sum of their cycles."""
    pe = array_of(kind, systolic_os_drain=drain)
    product = Product(linear_shape(rows, reduction, columns, groups), "forward")
    budget = BufferBudget(capacity, 2, 4)
    try:
        chosen = choose_tiling(product, ALL_IN_DRAM, flow, pe, budget)
    except TileTooLargeError:
        return
    tiles = tile_sequence(product, chosen.tiling)
    parts = tiles.parts
    sizes = zip(*(getattr(parts, axis).tolist() for axis in ("groups", "images", "channels", "filters")), strict=True)
    step = stepper(chosen.mapped, pe, parts)
    stepped = [step(ones(*size)) for size in sizes]
    plan = plan_product(product, ALL_IN_DRAM, flow, pe, budget)
    assert plan.counts.macs == sum(job.macs for job in stepped)
    for action in INSIDE:
        # psums of one tile that the next one adds to pass the buses of row stationary once more
        if (action, flow.way) != ("array_network_sum_pitches", "rows stay"):
            assert getattr(plan.counts, action) == sum(getattr(job.traffic.inside, action) for job in stepped), action
    words = sum(job.traffic.ifmap_words + job.traffic.filter_words for job in stepped)
    results = rows * columns * groups
    partial = sum(job.traffic.partial_sum_writes + job.result.size for job in stepped) - results
    stored = 2 * results
    assert plan.counts.buffer_read_bytes == 2 * words + 4 * partial + stored
    cycles = sum(job.cycles for job in stepped)
    if kind == "systolic":
        assert plan.compute_cycles == cycles
    else:  # tiles overlap in the pipeline, and never take longer than one by one
        if flow.way != "rows stay":  # whose next position waits for the output port, where a job alone would be over
            assert plan.compute_cycles <= cycles
        assert plan.compute_cycles >= plan.counts.macs / pe.pes


@pytest.mark.parametrize(("flow", "kind"), [run for run in RUNS if run[0].way == "operand stays"], ids=part_name)
@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 30), st.integers(1, 2), st.integers(60, 2000),
       st.integers(1, 12))  # fmt: skip
def test_an_accumulator_bounds_the_vectors_of_a_job(
    flow, kind: str, rows: int, reduction: int, columns: int, groups: int, capacity: int, sums: int
) -> None:
    """Tiles whose reduction takes several folds are cut; their partial sums then stay, those between tiles do not."""
    pe = array_of(kind, accumulator_sums=sums)
    product = Product(linear_shape(rows, reduction, columns, groups), "forward")
    budget = BufferBudget(capacity, 2, 4)
    try:
        chosen = choose_tiling(product, ALL_IN_DRAM, flow, pe, budget)
    except TileTooLargeError:
        return
    tiles = tile_sequence(product, chosen.tiling)
    plan = plan_product(product, ALL_IN_DRAM, flow, pe, budget)
    jobs, most = [], 0
    sizes = zip(*(getattr(tiles.parts, axis).tolist() for axis in ("groups", "images", "channels", "filters")),
                strict=True)  # fmt: skip
    for g, images, channels, filters in sizes:
        moving = images if flow.stationary == "filter" else filters
        size = sums if channels > 4 else moving
        most = max(most, size if channels > 4 else 0)
        for first in range(0, moving, size):
            piece = min(size, moving - first)
            shape = (g, piece, channels, filters) if flow.stationary == "filter" else (g, images, channels, piece)
            jobs.append(flow.step(pe, ones(*shape)))
    assert most <= sums
    words = sum(job.traffic.ifmap_words + job.traffic.filter_words for job in jobs)
    inside = sum(job.traffic.partial_sum_writes for job in jobs)
    between = sum(job.result.size for job in jobs) - rows * columns * groups
    assert plan.counts.accumulator_write_bytes == plan.counts.accumulator_read_bytes == 4 * inside
    spilled = int((tiles.tensors.result.words * tiles.psums_stored).sum())
    stored = 2 * rows * columns * groups + 4 * spilled
    assert plan.counts.buffer_read_bytes == 2 * words + 4 * between + stored
    cycles = sum(job.cycles for job in jobs)
    if kind == "systolic":
        assert plan.compute_cycles == cycles
    else:
        assert plan.compute_cycles <= cycles
