"""Stepped kernels against RTL: cycles, numbers, and every register after every cycle."""

from pathlib import Path

import numpy as np
import pytest
from array_specs import JOB_ARRAYS
from rtl_simulator import RtlJob, RtlResult, flat, have_icarus, run_icarus
from samples import sampled

from dataflows.arrays.job import Geometry, JobArray, Ports
from dataflows.arrays.stepped import SteppedJob, step_job

pytestmark = pytest.mark.skipif(not have_icarus(), reason="needs Icarus Verilog (Debian package iverilog)")

# Arrays are compiled once each; jobs on them vary.
GEOMETRIES = [
    Geometry(1, 1, Ports(1, 1, 1)),
    Geometry(2, 3, Ports(3, 2, 3)),
    Geometry(3, 2, Ports(1, 1, 1)),
    Geometry(4, 4, Ports(16, 4, 4)),
    Geometry(5, 3, Ports(7, 2, 2)),
    Geometry(1, 4, Ports(2, 1, 3)),
    Geometry(6, 1, Ports(5, 6, 1)),
    Geometry(3, 5, Ports(64, 64, 64)),
    Geometry(4, 5, Ports(3, 4, 5)),
    Geometry(7, 4, Ports(4, 3, 3)),
]
WHOLE = Geometry(12, 15, Ports(12, 12, 15))  # the paper's array; an event simulator takes seconds for it


def operands(seed: int, largest: int) -> tuple[np.ndarray, np.ndarray]:
    numbers = np.random.default_rng(seed)
    groups, V, D, N = numbers.integers(1, 4), *numbers.integers(1, largest, 3)
    return numbers.integers(-128, 128, (groups, V, D)), numbers.integers(-128, 128, (groups, D, N))


def both(
    array: JobArray, geometry: Geometry, job: tuple[np.ndarray, np.ndarray], folder: Path, dump: bool = False
) -> tuple[SteppedJob, RtlResult]:
    rtl = run_icarus(RtlJob(array, geometry, *job), folder, dump=dump)
    return step_job(array, geometry, *job, dump_cycles=5000 if dump else 0), rtl


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("rtl")


def cases(jobs_each: int) -> list[tuple[JobArray, Geometry, int]]:
    geometries = [*GEOMETRIES, *([WHOLE] if jobs_each == 1 else [])]
    return [
        (array, geometry, 1000 * index + job)
        for array in JOB_ARRAYS
        if array.rtl is not None
        for index, geometry in enumerate(geometries)
        for job in range(jobs_each)
    ]


def in_turn(case: tuple[JobArray, Geometry, int]) -> bool:
    """Return whether a case is in the default run: every other geometry of an array, and the largest of the first."""
    array, geometry, job = case
    if geometry is WHOLE:
        return array == JOB_ARRAYS[0]
    return (job // 1000 + JOB_ARRAYS.index(array)) % 2 == 0


def label(value: JobArray | Geometry | int) -> str:
    if isinstance(value, Geometry):
        p = value.ports
        return f"{value.rows}x{value.columns}-{p.stationary}-{p.moving}-{p.output}"
    return str(value) if isinstance(value, int) else value.name


@pytest.mark.parametrize(
    ("array", "geometry", "seed"),
    sampled(cases(1), in_turn), ids=label,
)  # fmt: skip
def test_every_register_after_every_cycle(array: JobArray, geometry: Geometry, seed: int, build: Path) -> None:
    large = geometry.rows * geometry.columns > 100
    stepped, rtl = both(array, geometry, operands(seed, 4 if large else 9), build, dump=True)
    assert stepped.cycles == rtl.cycles
    assert np.array_equal(stepped.result, rtl.y)
    assert set(stepped.registers) == set(rtl.registers)
    for name, values in flat(stepped.registers).items():
        wrong = np.nonzero((values != rtl.registers[name]).any(axis=1))[0]
        assert len(wrong) == 0, f"{name} differs first after cycle {wrong[0]}"


@pytest.mark.parametrize(("array", "geometry", "seed"), sampled(cases(5), lambda case: case[2] % 2000 == 0), ids=label)
def test_cycles_and_numbers(array: JobArray, geometry: Geometry, seed: int, build: Path) -> None:
    stepped, rtl = both(array, geometry, operands(seed + 500, 16), build)
    assert stepped.cycles == rtl.cycles
    assert np.array_equal(stepped.result, rtl.y)
    assert stepped.writes == rtl.writes  # of every register
