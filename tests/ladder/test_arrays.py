"""What plans take from arrays: sizes that suit them, adds, and bytes on the buses; by hand and against the kernels."""

import numpy as np
import pytest
from array_specs import INSIDE, JOB_ARRAY_NAMES, JOB_ARRAYS, RUNS, array_of, part_name, specs
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dataflows.array import PEArray
from dataflows.arrays.broadcast.stationary import BROADCAST_STATIONARY
from dataflows.arrays.job import Geometry, JobArray, Ports
from dataflows.arrays.stepped import step_job
from dataflows.dataflow import Dataflow
from dataflows.functional.products import run_dgrad, run_forward, run_wgrad
from dataflows.plans.budget import BufferBudget
from dataflows.plans.placement import ALL_IN_DRAM
from dataflows.plans.plan import Plan
from dataflows.plans.planning import plan_product
from workloads.passes import Product, decomposed_dgrad
from workloads.shapes import ConvShape, linear_shape

ONE_TILE = BufferBudget(capacity_bytes=1 << 40, word_bytes=2, partial_sum_bytes=4)


def geometries() -> st.SearchStrategy[Geometry]:
    side, width = st.integers(1, 6), st.integers(1, 40)
    return st.builds(Geometry, side, side, st.builds(Ports, width, st.integers(1, 8), width))


def cycles_of_folds(array: JobArray, geometry: Geometry, streamed: int, folds: int) -> int:
    """Step a job of so many folds, one a group, that fill the array and stream so many steps."""
    sizes = {"V": geometry.rows, "D": geometry.rows, "N": geometry.columns}
    sizes[array.granularity(geometry).streamed] = streamed
    moving = np.ones((folds, sizes["V"], sizes["D"]), np.int64)
    return step_job(array, geometry, moving, np.ones((folds, sizes["D"], sizes["N"]), np.int64)).cycles


@pytest.mark.parametrize("array", JOB_ARRAYS, ids=JOB_ARRAY_NAMES)
@settings(max_examples=80, deadline=None)
@given(geometries(), st.integers(1, 40))
def test_a_fold_takes_what_its_granularity_says(array: JobArray, geometry: Geometry, streamed: int) -> None:
    """Its steps, or what hides its neighbour, and the overhead: by stepping a job of one fold more."""
    size = array.granularity(geometry)
    more = cycles_of_folds(array, geometry, streamed, 3) - cycles_of_folds(array, geometry, streamed, 2)
    assert more == max(streamed * size.step_cycles, size.least_cycles) + size.overhead_cycles


def test_what_hides_the_loading_by_hand() -> None:
    """12 x 15 loads over a port of 12 words in 180 / 12 cycles and one for the swap, however vectors come."""
    for moving in (12, 6, 5):
        assert BROADCAST_STATIONARY.granularity(Geometry(12, 15, Ports(12, moving, 15))).least_cycles == 16


def plan_of(dataflow: Dataflow, kind: str) -> Plan:
    """Plan 10 x 30 times 30 x 20 on 4 x 8 PEs: under ws 8 blocks of the reduction and 3 of the columns."""
    array = array_of(kind, 4, 8, (8, 4, 8))
    return plan_product(Product(linear_shape(10, 30, 20), "forward"), ALL_IN_DRAM, dataflow, array, ONE_TILE)


BY_HAND = {  # dataflow: words of images and of filters into the array, psums of one block that meet the next
    "ws": (10 * 30 * 3, 30 * 20, 10 * 20 * 7),  # each vector comes for each of 3 blocks of columns
    "is": (10 * 30, 30 * 20 * 2, 10 * 20 * 7),  # the image stays in 2 blocks of 8 vectors; filters come for each
    "os": (10 * 30 * 3, 30 * 20 * 3, 0),  # 3 blocks of 4 vectors, 3 of 8 columns
}


@pytest.mark.parametrize("name", BY_HAND)
@pytest.mark.parametrize("kind", ["broadcast", "systolic"])
def test_adds_and_bytes_on_the_buses_by_hand(kind: str, name: str) -> None:
    flow = next(flow for flow, runs_on in RUNS if (flow.name, runs_on) == (name, kind))
    image, filters, psums = BY_HAND[name]
    counts = plan_of(flow, kind).counts
    # the broadcast array takes psums back and adds them in its accumulator: over the bus twice, of 4 bytes each;
    # the systolic array's go one way and are added where they are kept: an addition each
    returns = kind == "broadcast"
    assert counts.adds == (0 if returns else psums)
    # 8 weights a cycle for 4 rows are two lines to each row under `is`, and a filter word goes over both
    lines = 2 if (name, kind) == ("is", "broadcast") else 1
    assert counts.array_network_bytes == 2 * (image + lines * filters + 10 * 20) + 4 * psums * (2 if returns else 1)


@st.composite
def shapes(draw: st.DrawFn) -> ConvShape:
    small = st.integers(1, 3)
    groups = draw(st.sampled_from([1, 1, 2]))
    (R, S), (H, W) = (draw(small), draw(small)), (draw(st.integers(1, 6)), draw(st.integers(1, 6)))
    stride, padding = (draw(small), draw(small)), (draw(st.integers(0, 1)), draw(st.integers(0, 1)))
    P, Q = ((extent + 2 * pad - kernel) // step + 1
            for extent, pad, kernel, step in zip((H, W), padding, (R, S), stride, strict=True))  # fmt: skip
    assume(P >= 1 and Q >= 1)
    return ConvShape(draw(st.integers(1, 2)), groups * draw(small), H, W, groups * draw(small), R, S, P, Q, stride,
                     padding, (1, 1), groups)  # fmt: skip


@pytest.mark.parametrize(
    ("flow", "kind"), [run for run in RUNS if run[0].way != "rows stay"], ids=part_name
)  # one mapping alone
@settings(max_examples=40, deadline=None)
@given(data=st.data(), shape=shapes())
def test_cycles_and_counts_of_passes_equal_the_plans(
    flow: Dataflow, kind: str, data: st.DataObject, shape: ConvShape
) -> None:
    array: PEArray = data.draw(specs(kind)).model_copy(update={"accumulator_sums": 0})
    X, W, dY = (
        np.ones(size, np.int64)
        for size in ((shape.N, shape.C, shape.H, shape.W), (shape.K, shape.C // shape.groups, shape.R, shape.S),
                     (shape.N, shape.K, shape.P, shape.Q))
    )  # fmt: skip
    runs = {
        (Product(shape, "forward"),): run_forward(shape, X, W, flow, array),
        (Product(shape, "wgrad"),): run_wgrad(shape, X, dY, flow, array),
        (Product(shape, "dgrad"),): run_dgrad(shape, W, dY, flow, array, decomposed=False),
        decomposed_dgrad(shape): run_dgrad(shape, W, dY, flow, array),
    }
    for products, run in runs.items():
        for product, job in zip(products, run.parts, strict=True):
            plan = plan_product(product, ALL_IN_DRAM, flow, array, ONE_TILE)
            assume(len(plan.stream_cycles) == 1)
            assert job.cycles == plan.compute_cycles
            assert job.macs == plan.counts.macs == product.macs
            for action in INSIDE:
                assert getattr(job.traffic.inside, action) == getattr(plan.counts, action), action
            words, results = job.traffic.ifmap_words + job.traffic.filter_words, job.result.size
            psums = job.traffic.partial_sum_reads
            assert psums == job.traffic.partial_sum_writes
            crossing = 8 if job.traffic.sums_return else 4
            assert plan.counts.array_network_bytes == 2 * (job.traffic.network_words + results) + crossing * psums
            assert plan.counts.adds == (0 if job.traffic.sums_return else psums)
            assert plan.counts.buffer_read_bytes == 2 * words + 4 * psums + 2 * results
