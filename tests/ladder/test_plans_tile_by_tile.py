"""Plans of many tiles against the stepped arrays, tile by tile."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflows.array import PEArray
from dataflows.arrays.stepped import MODELS, step_job
from dataflows.dataflow import MatrixTiles, dataflows
from dataflows.placement import ALL_IN_DRAM
from dataflows.plan import BufferBudget, TileTooLargeError
from dataflows.planning import plan_product
from dataflows.tiling import choose_tiling, tile_sequence
from workloads.passes import Product
from workloads.shapes import linear_shape

FLOWS = list(dataflows().values())


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: f"{flow.name}-{flow.interconnect}")
@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 40), st.integers(1, 40), st.integers(1, 30), st.integers(1, 3), st.integers(60, 2000),
    st.sampled_from(["free", "serial"]),
)  # fmt: skip
def test_sums_over_tiles(flow, rows: int, reduction: int, columns: int, groups: int, capacity: int, drain: str) -> None:
    """Tiles do what jobs of their size do; a systolic array takes exactly the sum of their cycles."""
    pe = PEArray(
        interconnect=flow.interconnect, rows=4, columns=3, weight_port_words_per_cycle=4,
        input_port_words_per_cycle=3, output_port_words_per_cycle=2, systolic_os_drain=drain,
    )  # fmt: skip
    product = Product(linear_shape(rows, reduction, columns, groups), "forward")
    budget = BufferBudget(capacity, 2, 4, 8)
    try:
        tiling = choose_tiling(product, ALL_IN_DRAM, flow.quanta(pe), budget)
    except TileTooLargeError:
        return
    tiles = tile_sequence(product, tiling)
    jobs = flow.jobs(MatrixTiles(tiles.groups, tiles.moving, tiles.reduction, tiles.columns))
    name = next(name for name, model in MODELS.items() if model is flow.model)
    stepped = [
        step_job(name, flow.geometry(pe), np.ones((g, V, D), np.int64), np.ones((g, D, N), np.int64))
        for g, V, D, N in zip(*(getattr(jobs, axis).tolist() for axis in ("groups", "V", "D", "N")), strict=True)
    ]
    plan = plan_product(product, ALL_IN_DRAM, flow, pe, budget)
    assert plan.counts.macs == sum(job.macs for job in stepped)
    assert plan.counts.register_writes == sum(job.traffic.register_writes for job in stepped)
    words = sum(job.traffic.moving_words + job.traffic.stationary_words for job in stepped)
    results = rows * columns * groups
    partial = sum(job.traffic.sums for job in stepped) - results
    stored = 2 * results
    assert plan.counts.buffer_read_bytes == 2 * words + 4 * partial + stored
    cycles = sum(job.cycles for job in stepped)
    if flow.interconnect == "systolic":
        assert plan.compute_cycles == cycles
    else:  # tiles overlap in the pipeline, and never take longer than one by one
        assert plan.compute_cycles <= cycles
        assert plan.compute_cycles >= plan.counts.macs / pe.pes
