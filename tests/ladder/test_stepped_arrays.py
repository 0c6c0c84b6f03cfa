"""Stepped arrays: numbers against numpy, cycles and counts against the closed forms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflows.arrays.job import Geometry, JobTiles, Ports
from dataflows.arrays.stepped import ARRAYS, MODELS, ArrayName, step_job
from dataflows.plan import Plan

small = st.integers(1, 7)
geometries = st.builds(
    Geometry, small, small, st.builds(Ports, st.integers(1, 60), st.integers(1, 9), st.integers(1, 60)), st.booleans()
)


def closed_cycles(array: ArrayName, geometry: Geometry, tiles: JobTiles) -> int:
    timing = MODELS[array].timing(geometry, tiles)
    nothing = np.zeros_like(tiles.V)
    return Plan(
        nothing, nothing, timing.stream_cycles, timing.last_fold_cycles, timing.fill_cycles, timing.turnaround_cycles,
        timing.drain_cycles, counts=None,
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


@pytest.mark.parametrize("array", ARRAYS)
@settings(max_examples=600, deadline=None)
@given(geometries, jobs())
def test_stepped_equals_closed_form_and_numpy(
    array: ArrayName, geometry: Geometry, job: tuple[np.ndarray, np.ndarray]
) -> None:
    moving, stationary = job
    stepped = step_job(array, geometry, moving, stationary)
    assert np.array_equal(stepped.result, moving @ stationary)
    groups, V, D = moving.shape
    one = (np.array([size]) for size in (groups, V, D, stationary.shape[2]))
    tiles = JobTiles(*one)
    assert stepped.cycles == closed_cycles(array, geometry, tiles)
    assert stepped.macs == groups * V * D * stationary.shape[2]
    assert stepped.traffic == MODELS[array].traffic(geometry, tiles)
    assert stepped.partial_sums_read == stepped.traffic.sums - stepped.result.size


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
    fast = step_job("broadcast_stationary", geometry, moving, stationary)
    slow = step_job("broadcast_stationary", geometry, moving, stationary, dump_cycles=1)
    assert np.array_equal(fast.result, slow.result) and np.array_equal(fast.result, moving @ stationary)
    assert (fast.cycles, fast.macs, fast.traffic) == (slow.cycles, slow.macs, slow.traffic)
    assert fast.partial_sums_read == slow.partial_sums_read


@pytest.mark.parametrize("array", ARRAYS)
def test_floats(array: ArrayName) -> None:
    numbers = np.random.default_rng(0)
    moving, stationary = numbers.normal(size=(2, 9, 11)), numbers.normal(size=(2, 11, 8))
    geometry = Geometry(3, 4, Ports(4, 3, 4))
    for dtype, tolerance in ((np.float64, 1e-12), (np.float32, 1e-5)):
        stepped = step_job(array, geometry, moving.astype(dtype), stationary.astype(dtype))
        assert stepped.result.dtype == dtype
        np.testing.assert_allclose(stepped.result, moving @ stationary, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("array", ARRAYS)
def test_a_dump_ends_with_the_job(array: ArrayName) -> None:
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
            step_job("broadcast_stationary", geometry, *(np.zeros(shape) for shape in shapes))
