"""The RTL arrays against matrix products and the cycle formulas of docs/microarchitecture.md."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product as pairs
from pathlib import Path

import numpy as np
import pytest
from array_specs import JOB_ARRAYS
from rtl_simulator import RtlJob, RtlResult, have_icarus, have_verilator, run_icarus, run_verilator
from samples import sampled

from dataflows.arrays.job import Geometry, Ports

if not have_icarus() and not have_verilator():
    pytest.skip("neither Icarus Verilog nor Verilator is installed", allow_module_level=True)

needs_icarus = pytest.mark.skipif(not have_icarus(), reason="Icarus Verilog is not installed")
needs_verilator = pytest.mark.skipif(not have_verilator(), reason="needs Verilator, and a folder without spaces")

PORTS = (1, 1, 2, 3, 5, 7, 64)


def ceil(a: int, b: int) -> int:
    return -(-a // b)


def stationary_folds(job: RtlJob) -> tuple[int, int]:
    """F and II of arrays whose stationary operand stays."""
    (groups, _, D, N), g = job.sizes, job.geometry
    return groups * ceil(D, g.rows) * ceil(N, g.columns), max(
        ceil(g.rows, g.ports.moving), ceil(g.columns, g.ports.output)
    )


def output_folds(job: RtlJob) -> tuple[int, int]:
    """F and II of arrays whose sums stay."""
    (groups, V, _, N), g = job.sizes, job.geometry
    return groups * ceil(V, g.rows) * ceil(N, g.columns), max(
        ceil(g.rows, g.ports.moving), ceil(g.columns, g.ports.stationary)
    )


def broadcast_stationary(job: RtlJob) -> int:
    (F, II), R, V = stationary_folds(job), job.geometry.rows, job.sizes[1]
    LC, L = ceil(R * job.geometry.columns, job.geometry.ports.stationary), (R - 1).bit_length()
    return LC + 1 + (F - 1) * max(V * II, LC + 1) + V * II + L + 2


def broadcast_output(job: RtlJob) -> int:
    (F, II), D = output_folds(job), job.sizes[2]
    DC = ceil(job.geometry.rows * job.geometry.columns, job.geometry.ports.output)
    return (F - 1) * max(D * II, DC) + D * II + DC + 3


def systolic_stationary(job: RtlJob) -> int:
    (F, II), R, C, V = stationary_folds(job), job.geometry.rows, job.geometry.columns, job.sizes[1]
    return F * (R * ceil(C, job.geometry.ports.stationary) + (V + R + C - 2) * II)


def systolic_output(job: RtlJob) -> int:
    (F, II), R, C, D = output_folds(job), job.geometry.rows, job.geometry.columns, job.sizes[2]
    return F * (D + R + C - 2) * II


def systolic_output_serial(job: RtlJob) -> int:
    rows = job.geometry.rows * ceil(job.geometry.columns, job.geometry.ports.output)
    return systolic_output(job) + output_folds(job)[0] * rows


def overlapped_stationary(job: RtlJob) -> int:
    (F, II), R, C, V = stationary_folds(job), job.geometry.rows, job.geometry.columns, job.sizes[1]
    LC = R * ceil(C, job.geometry.ports.stationary)
    return LC + (F - 1) * max(V * II, LC) + V * II + R + C - 1


def overlapped_output(job: RtlJob) -> int:
    (F, II), R, C, D = output_folds(job), job.geometry.rows, job.geometry.columns, job.sizes[2]
    DC = C * ceil(R, job.geometry.ports.output)
    return (F - 1) * max(D * II, DC) + D * II + DC + R + C


# The page's cycles of a job, for the arrays whose RTL is held here against the page and not against the stepped kernel.
FORMULAS: dict[str, Callable[[RtlJob], int]] = {
    one.__name__: one
    for one in (broadcast_stationary, broadcast_output, systolic_stationary, systolic_output, systolic_output_serial,
                overlapped_stationary, overlapped_output)
}  # fmt: skip
ARRAYS = {array.name: array for array in JOB_ARRAYS if array.name in FORMULAS}


def product(job: RtlJob) -> np.ndarray:
    """Y, wrapped at the sums' width."""
    exact = job.moving.astype(object) @ job.stationary.astype(object)
    half = 1 << (job.sum_bits - 1)
    return ((exact + half) % (2 * half) - half).astype(np.int64)


def make_job(
    array: str,
    pes: tuple[int, int],
    ports: tuple[int, int, int],
    sizes: tuple[int, int, int, int],
    seed: int,
    word_bits: int = 16,
    sum_bits: int = 32,
) -> RtlJob:
    rng = np.random.default_rng(seed)
    groups, V, D, N = sizes
    low, high = -(1 << (word_bits - 1)), 1 << (word_bits - 1)
    moving = rng.integers(low, high, (groups, V, D))
    stationary = rng.integers(low, high, (groups, D, N))
    return RtlJob(ARRAYS[array], Geometry(*pes, Ports(*ports)), moving, stationary, word_bits, sum_bits)


def random_job(number: int) -> RtlJob:
    rng = np.random.default_rng(1000 + number)
    R, C = (int(rng.integers(1, 7)) for _ in range(2))
    ports = tuple(int(rng.choice(PORTS)) for _ in range(3))
    sizes = (int(rng.integers(1, 4)), int(rng.integers(1, 9)), int(rng.integers(1, 12)), int(rng.integers(1, 12)))
    word_bits, sum_bits = ((16, 32), (16, 32), (8, 20), (16, 24))[int(rng.integers(4))]
    array = list(ARRAYS)[number % len(ARRAYS)]
    return make_job(array, (R, C), ports, sizes, number, word_bits, sum_bits)  # type: ignore[arg-type]


EDGES = {
    "one PE": ((1, 1), (1, 1, 1), (1, 1, 1, 1)),
    "one row": ((1, 5), (2, 1, 3), (2, 4, 3, 7)),
    "one column": ((5, 1), (2, 3, 1), (2, 4, 7, 3)),
    "one vector, many folds": ((3, 3), (2, 2, 2), (3, 1, 8, 5)),
    "one step, many folds": ((3, 2), (1, 64, 1), (2, 7, 1, 5)),
    "exact blocks, wide ports": ((4, 4), (64, 64, 64), (1, 8, 8, 8)),
    "inner ends in a block": ((4, 3), (3, 4, 3), (1, 6, 9, 7)),
    "narrow ports": ((4, 3), (1, 1, 1), (2, 5, 6, 4)),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("rtl")


def check(job: RtlJob, result: RtlResult) -> None:
    np.testing.assert_array_equal(result.y, product(job))
    assert result.cycles == FORMULAS[job.array.name](job)


@needs_icarus
@pytest.mark.parametrize("number", sampled(range(40), lambda number: number < 2 * len(ARRAYS)))
def test_random_job(number: int, folder: Path) -> None:
    job = random_job(number)
    check(job, run_icarus(job, folder))


def in_turn(case: tuple[str, str]) -> bool:
    """Whether the default run has an edge on an array: two arrays an edge, another two for the next edge."""
    array, edge = (list(names).index(name) for names, name in zip((ARRAYS, EDGES), case, strict=True))
    return (array - 2 * edge) % len(ARRAYS) < 2


@needs_icarus
@pytest.mark.parametrize(("array", "edge"), sampled(pairs(ARRAYS, EDGES), in_turn))
def test_edge(array: str, edge: str, folder: Path) -> None:
    job = make_job(array, *EDGES[edge], seed=7)
    check(job, run_icarus(job, folder))


@needs_icarus
def test_most_negative_operands_wrap(folder: Path) -> None:
    least = -(1 << 15)
    for array in ARRAYS.values():
        moving, stationary = np.full((1, 3, 6), least), np.full((1, 6, 2), least)
        job = RtlJob(array, Geometry(4, 2, Ports(8, 4, 2)), moving, stationary)
        check(job, run_icarus(job, folder))


@needs_icarus
@pytest.mark.parametrize("array", ARRAYS)
def test_dump_changes_nothing(array: str, folder: Path) -> None:
    job = make_job(array, (5, 3), (4, 2, 2), (2, 4, 7, 5), seed=5)
    result = run_icarus(job, folder, dump=True)
    check(job, result)
    assert result.registers is not None
    assert all(values.shape[0] == result.cycles for values in result.registers.values())
    assert run_icarus(job, folder).registers is None


@needs_icarus
def test_registers_of_the_stationary_broadcast(folder: Path) -> None:
    """One fold, followed from the load to the result."""
    R, C, V = 3, 2, 2
    job = make_job("broadcast_stationary", (R, C), (4, 3, 2), (1, V, R, C), seed=11)
    registers = run_icarus(job, folder, dump=True).registers
    assert registers is not None
    A, B = job.moving[0], job.stationary[0]
    words = B.ravel()
    # LC = 2, II = 1, L = 2: load in cycles 0 and 1, swap in 3, enter in 3 and 4, results in 7 and 8.
    np.testing.assert_array_equal(registers["shadow"][0], [*words[:4], 0, 0])
    np.testing.assert_array_equal(registers["shadow"][1], words)
    assert not registers["weight"][2].any()
    np.testing.assert_array_equal(registers["weight"][3], words)
    for v in range(V):
        products = A[v][:, None] * B
        pair = np.stack([products[0] + products[1], products[2]])
        wrapped = ((pair.sum(axis=0) + 2**31) % 2**32) - 2**31
        np.testing.assert_array_equal(registers["in"][3 + v], A[v])
        np.testing.assert_array_equal(registers["product"][4 + v], products.ravel())
        np.testing.assert_array_equal(registers["tree_1"][5 + v], ((pair + 2**31) % 2**32 - 2**31).ravel())
        np.testing.assert_array_equal(registers["tree_2"][6 + v], wrapped)
        np.testing.assert_array_equal(registers["sum"][7 + v], wrapped)
    assert registers["sum"].shape == (9, C)


@needs_icarus
def test_registers_of_the_serial_drain(folder: Path) -> None:
    """The rows of results move down, one every ceil(C / OP) cycles."""
    R, C, D = 3, 2, 2
    job = make_job("systolic_output_serial", (R, C), (2, 3, 1), (1, R, D, C), seed=12)
    registers = run_icarus(job, folder, dump=True).registers
    assert registers is not None
    rows = product(job)[0]
    last_beat = D + R + C - 3
    np.testing.assert_array_equal(registers["acc"][last_beat], rows.ravel())
    np.testing.assert_array_equal(registers["acc"][last_beat + 1], rows.ravel())
    np.testing.assert_array_equal(registers["acc"][last_beat + 2], rows[[0, 0, 1]].ravel())
    np.testing.assert_array_equal(registers["acc"][last_beat + 4], rows[[0, 0, 0]].ravel())


@needs_icarus
def test_a_broken_tool_is_reported(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rtl_simulator.WATCHDOG_CYCLES", 3)
    job = make_job("broadcast_output", (2, 2), (1, 1, 1), (1, 4, 4, 4), seed=1)
    with pytest.raises(RuntimeError, match="no end after"):
        run_icarus(job, folder)


@needs_verilator
@pytest.mark.long  # the default run has Verilator in test_row_stationary_self.py
@pytest.mark.parametrize(
    "array", ["broadcast_stationary", "systolic_output_serial", "overlapped_stationary", "overlapped_output"]
)
def test_verilator(array: str, folder: Path) -> None:
    job = make_job(array, (3, 4), (3, 2, 2), (2, 5, 8, 6), seed=21)
    check(job, run_verilator(job, folder))
    again = make_job(array, (3, 4), (3, 2, 2), (3, 2, 4, 5), seed=22)
    check(again, run_verilator(again, folder))
