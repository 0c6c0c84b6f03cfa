"""Stepped arrays: numbers against numpy, cycles and counts against the closed forms."""

from itertools import product

import numpy as np
import pytest
from array_specs import IN_FLOATS, JOB_ARRAY_NAMES, JOB_ARRAYS, STAYS, STAYS_NAMES
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import sampled

from dataflows.arrays.broadcast.output import BROADCAST_OUTPUT
from dataflows.arrays.broadcast.stationary import BROADCAST_STATIONARY
from dataflows.arrays.job import Geometry, JobArray, JobTiles, Ports
from dataflows.arrays.stepped import step_job
from dataflows.plans.plan import Plan

small = st.integers(1, 7)
geometries = st.builds(
    Geometry, small, small, st.builds(Ports, st.integers(1, 60), st.integers(1, 9), st.integers(1, 60))
)


def closed_cycles(array: JobArray, geometry: Geometry, tiles: JobTiles) -> int:
    timing = array.timing(geometry, tiles)
    nothing = np.zeros_like(tiles.V)
    return Plan(
        nothing, nothing, timing.stream_cycles, timing.gap_cycles, timing.fill_cycles, timing.drain_cycles, counts=None,
    ).compute_cycles  # type: ignore[arg-type]  # fmt: skip


@st.composite
def jobs(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    groups, V, D, N = (
        draw(st.integers(1, 3)),
        draw(st.integers(1, 20)),
        draw(st.integers(1, 20)),
        draw(st.integers(1, 20)),
    )
    numbers = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return numbers.integers(-99, 100, (groups, V, D)), numbers.integers(-99, 100, (groups, D, N))


@pytest.mark.parametrize("array", JOB_ARRAYS, ids=JOB_ARRAY_NAMES)
@settings(max_examples=600, deadline=None)
@given(geometries, jobs())
def test_stepped_equals_closed_form_and_numpy(
    array: JobArray, geometry: Geometry, job: tuple[np.ndarray, np.ndarray]
) -> None:
    moving, stationary = job
    stepped = step_job(array, geometry, moving, stationary)
    assert np.array_equal(stepped.result, moving @ stationary)
    groups, V, D = moving.shape
    one = (np.array([size]) for size in (groups, V, D, stationary.shape[2]))
    tiles = JobTiles(*one)
    assert stepped.cycles == closed_cycles(array, geometry, tiles)
    assert stepped.macs == groups * V * D * stationary.shape[2]
    assert stepped.traffic == array.traffic(geometry, tiles)
    assert stepped.partial_sums_read == stepped.traffic.sums - stepped.result.size


@pytest.mark.parametrize(("array", "way"), STAYS, ids=STAYS_NAMES)
@settings(max_examples=100, deadline=None)
@given(geometries, jobs())
def test_what_stays_crosses_the_edge_once(
    array: JobArray, way: str, geometry: Geometry, job: tuple[np.ndarray, np.ndarray]
) -> None:
    """That is what staying means: a word enters once, or a sum leaves once."""
    moving, stationary = job
    stepped = step_job(array, geometry, moving, stationary)
    words = {"operand stays": stepped.traffic.stationary_words, "sums stay": stepped.traffic.sums}
    assert words[way] == (stationary.size if way == "operand stays" else stepped.result.size)


@pytest.mark.parametrize("array", JOB_ARRAYS, ids=JOB_ARRAY_NAMES)
@settings(max_examples=100, deadline=None)
@given(geometries, jobs())
def test_nothing_does_more_than_it_can_in_its_cycles(
    array: JobArray, geometry: Geometry, job: tuple[np.ndarray, np.ndarray]
) -> None:
    """A PE multiplies once a cycle, and a port of so many words brings no more than these."""
    stepped = step_job(array, geometry, *job)
    assert stepped.macs <= stepped.cycles * geometry.pes
    assert stepped.traffic.stationary_words <= stepped.cycles * geometry.ports.stationary
    assert stepped.traffic.moving_words <= stepped.cycles * geometry.ports.moving


@settings(max_examples=200, deadline=None)
@given(
    st.integers(1, 9), st.integers(1, 9), st.integers(20, 90), st.integers(1, 20), st.integers(1, 20), st.integers(1, 2)
)
def test_cycles_without_a_controller_equal_the_long_way(
    rows: int, columns: int, V: int, D: int, N: int, groups: int
) -> None:
    """The broadcast array goes faster where only its datapath changes, and never with a dump."""
    numbers = np.random.default_rng(V)
    moving, stationary = numbers.integers(-9, 10, (groups, V, D)), numbers.integers(-9, 10, (groups, D, N))
    geometry = Geometry(rows, columns, Ports(rows * columns, rows, columns))
    fast = step_job(BROADCAST_STATIONARY, geometry, moving, stationary)
    slow = step_job(BROADCAST_STATIONARY, geometry, moving, stationary, dump_cycles=1)
    assert np.array_equal(fast.result, slow.result) and np.array_equal(fast.result, moving @ stationary)
    assert (fast.cycles, fast.macs, fast.traffic) == (slow.cycles, slow.macs, slow.traffic)
    assert fast.partial_sums_read == slow.partial_sums_read


TOLERANCES = {"float64": 1e-12, "float32": 1e-5}


@pytest.mark.parametrize(
    ("array", "dtype"),
    sampled(product(JOB_ARRAYS, TOLERANCES), lambda case: case[0] == IN_FLOATS),
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_floats(array: JobArray, dtype: str) -> None:
    numbers = np.random.default_rng(0)
    moving, stationary = numbers.normal(size=(2, 9, 11)), numbers.normal(size=(2, 11, 8))
    geometry = Geometry(3, 4, Ports(4, 3, 4))
    stepped = step_job(array, geometry, moving.astype(dtype), stationary.astype(dtype))
    assert stepped.result.dtype == dtype
    tolerance = TOLERANCES[dtype]
    np.testing.assert_allclose(stepped.result, moving @ stationary, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("array", JOB_ARRAYS, ids=JOB_ARRAY_NAMES)
def test_a_dump_ends_with_the_job(array: JobArray) -> None:
    moving, stationary = np.arange(12).reshape(1, 3, 4), np.arange(20).reshape(1, 4, 5)
    geometry = Geometry(2, 3, Ports(2, 1, 2))
    whole = step_job(array, geometry, moving, stationary, dump_cycles=10_000)
    assert whole.registers is not None
    assert {len(values) for values in whole.registers.values()} == {whole.cycles}
    part = step_job(array, geometry, moving, stationary, dump_cycles=5)
    for name, values in part.registers.items():
        assert np.array_equal(values, whole.registers[name][:5])


def test_operands_that_do_not_fit_are_refused() -> None:
    geometry = Geometry(2, 2, Ports(2, 2, 2))
    for shapes in (((1, 2, 3), (1, 2, 3)), ((2, 3), (3, 2)), ((1, 0, 3), (1, 3, 2)), ((1, 2, 3), (1, 3, 0))):
        with pytest.raises(ValueError):
            step_job(BROADCAST_STATIONARY, geometry, *(np.zeros(shape) for shape in shapes))


def test_sums_of_a_short_fold_wait_until_those_before_have_drained() -> None:
    """Tiles of 100 steps and of one on the broadcast os array of 12 x 15: a drain takes 12 cycles."""
    geometry = Geometry(12, 15, Ports(15, 12, 15))
    for steps in ((100, 1), (1, 100)):
        timing = BROADCAST_OUTPUT.timing(
            geometry, JobTiles(np.array([1, 1]), np.array([12, 12]), np.array(steps), np.array([15, 15]))
        )
        # either way 12 cycles pass between the last steps of the folds, or between their starts
        assert timing.gap_cycles.tolist() == [0, 11]


@pytest.mark.parametrize("array", sampled(JOB_ARRAYS, lambda one: one == IN_FLOATS), ids=JOB_ARRAY_NAMES)
def test_operands_of_two_kinds(array: JobArray) -> None:
    geometry = Geometry(2, 2, Ports(2, 2, 2))
    whole, half = np.full((1, 2, 3), 3), np.full((1, 3, 2), 0.5)
    assert np.array_equal(step_job(array, geometry, whole, half).result, whole @ half)
    assert np.array_equal(step_job(array, geometry, half, whole).result, half @ whole)
