"""The RTL of row stationary against convolutions and the cycle formulas of docs/microarchitecture.md."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import gcd
from pathlib import Path

import numpy as np
import pytest
from row_stationary_simulator import RowJob, RowMapping, run_icarus, run_verilator
from rtl_simulator import RtlResult, have_icarus, have_verilator
from samples import sampled

if not have_icarus() and not have_verilator():
    pytest.skip("neither Icarus Verilog nor Verilator is installed", allow_module_level=True)

needs_icarus = pytest.mark.skipif(not have_icarus(), reason="Icarus Verilog is not installed")
needs_verilator = pytest.mark.skipif(not have_verilator(), reason="needs Verilator, and a folder without spaces")

PORTS = (1, 1, 2, 3, 5, 7, 64)
PES = ((2, 3), (4, 4), (6, 5), (4, 2), (3, 1), (1, 1))


@dataclass(frozen=True)
class Sizes:
    """A job's sizes, in the page's order."""

    groups: int
    images: int
    channels: int
    filters: int
    filter_rows: int
    filter_columns: int
    rows: int
    columns: int


def ceil(a: int, b: int) -> int:
    return -(-a // b)


def formula(job: RowJob) -> int:
    """The page's cycles of a job."""
    m, (sy, sx), (dy, dx) = job.mapping, job.stride, job.dilation
    groups, images, filters, rows, columns = job.result_shape
    channels, filter_rows, filter_columns = job.filters.shape[2:]
    U = m.w * m.q * m.p
    LC = ceil(m.h * m.r * m.t * m.d * m.p * m.q * m.w, job.filter_port)
    Z = len({y * sy + i * dy for y in range(m.e) for i in range(m.h)})
    I0 = ceil(Z * m.r * m.q * m.d * m.w, job.image_port)
    I1 = ceil(Z * m.r * m.q * m.d * min(m.w, sx // gcd(dx, sx)), job.image_port)
    O = ceil(m.e * m.t * m.d * m.p, job.output_port)  # noqa: E741
    F = ceil(groups, m.d) * ceil(filters, m.t * m.p) * ceil(channels, m.r * m.q)
    F *= ceil(filter_rows, m.h) * ceil(filter_columns, m.w)
    A = images * ceil(rows, m.e)
    B = min(dx // gcd(dx, sx), columns)
    S = (A * B - 1) * max(U, I0, O) + A * (columns - B) * max(U, I1, O)
    return max(LC, I0) + F * S + (F - 1) * max(U + LC, I0, O) + U + m.h * m.r + 1


def convolution(job: RowJob) -> np.ndarray:
    """Y, wrapped at the sums' width."""
    (sy, sx), (dy, dx) = job.stride, job.dilation
    _, _, _, rows, columns = job.result_shape
    y = np.zeros(job.result_shape, dtype=object)
    for i in range(job.filters.shape[3]):
        for j in range(job.filters.shape[4]):
            window = job.image[:, :, :, i * dy :, j * dx :][:, :, :, ::sy, ::sx][:, :, :, :rows, :columns]
            y += np.einsum("gmb,gabyx->gamyx", job.filters[..., i, j].astype(object), window.astype(object))
    half = 1 << (job.sum_bits - 1)
    return ((y + half) % (2 * half) - half).astype(np.int64)


def make_job(
    pes: tuple[int, int],
    ports: tuple[int, int, int],
    scratchpads: tuple[int, int, int],
    mapping: RowMapping,
    sizes: Sizes,
    stride: tuple[int, int] = (1, 1),
    dilation: tuple[int, int] = (1, 1),
    seed: int = 0,
    word_bits: int = 16,
    sum_bits: int = 32,
    more: tuple[int, int] = (0, 0),
) -> RowJob:
    """Make a job with random operands; the image is by `more` rows and columns larger than its windows."""
    rng = np.random.default_rng(seed)
    low, high = -(1 << (word_bits - 1)), 1 << (word_bits - 1)
    height = (sizes.rows - 1) * stride[0] + (sizes.filter_rows - 1) * dilation[0] + 1 + more[0]
    width = (sizes.columns - 1) * stride[1] + (sizes.filter_columns - 1) * dilation[1] + 1 + more[1]
    image = rng.integers(low, high, (sizes.groups, sizes.images, sizes.channels, height, width))
    filters = rng.integers(
        low, high, (sizes.groups, sizes.filters, sizes.channels, sizes.filter_rows, sizes.filter_columns)
    )
    outputs = (sizes.rows, sizes.columns)
    return RowJob(*pes, *ports, *scratchpads, mapping, image, filters, *outputs, stride, dilation, word_bits, sum_bits)


def random_mapping(rng: np.random.Generator, pes: tuple[int, int], scratchpads: tuple[int, int, int]) -> RowMapping:
    """A mapping that fits, whether it suits the job or not."""

    def up_to(most: int) -> int:
        return int(rng.integers(1, most + 1))

    (R, C), (FW, IW, PW) = pes, scratchpads
    h = up_to(min(R, 4))
    r = up_to(R // h)
    w = up_to(IW)
    q = up_to(IW // w)
    p = up_to(min(PW, FW // (q * w)))
    chains = R // (h * r) * C
    e = up_to(chains)
    t = up_to(chains // e)
    return RowMapping(h, w, q, p, r, e, t, d=up_to(chains // (e * t)))


def random_job(number: int) -> RowJob:
    rng = np.random.default_rng(2000 + number)
    pes = PES[number % len(PES)]
    scratchpads = ((12, 4, 3), (8, 4, 2), (24, 6, 4))[int(rng.integers(3))]
    ports = tuple(int(rng.choice(PORTS)) for _ in range(3))
    sizes = Sizes(*(int(rng.integers(1, most + 1)) for most in (3, 2, 4, 4, 3, 4, 4, 5)))
    stride, dilation = (tuple(int(n) for n in rng.choice((1, 1, 2, 3), 2)) for _ in range(2))
    bits = ((16, 32), (16, 32), (8, 20), (16, 24))[int(rng.integers(4))]
    more = tuple(int(n) for n in rng.integers(0, 3, 2))
    mapping = random_mapping(rng, pes, scratchpads)
    return make_job(pes, ports, scratchpads, mapping, sizes, stride, dilation, number, *bits, more)  # type: ignore[arg-type]


SMALL = (12, 4, 3)
EDGES = {
    "one PE": make_job((1, 1), (1, 1, 1), (1, 1, 1), RowMapping(1, 1, 1, 1, 1, 1, 1, 1), Sizes(1, 1, 1, 1, 1, 1, 1, 1)),
    "one PE, one word, many folds": make_job(
        (1, 1), (64, 64, 64), (1, 1, 1), RowMapping(1, 1, 1, 1, 1, 1, 1, 1), Sizes(2, 1, 2, 2, 2, 2, 1, 2)
    ),
    "one position a fold": make_job(
        (4, 4), (64, 64, 64), SMALL, RowMapping(2, 2, 2, 3, 2, 4, 1, 1), Sizes(1, 1, 9, 7, 3, 3, 4, 1)
    ),
    "nothing is a multiple": make_job(
        (4, 4), (3, 3, 3), SMALL, RowMapping(2, 2, 2, 3, 1, 3, 2, 1), Sizes(1, 2, 3, 7, 3, 3, 4, 5)
    ),
    "1 x 1 filters": make_job(
        (4, 4), (4, 4, 4), SMALL, RowMapping(1, 1, 4, 3, 4, 4, 1, 1), Sizes(1, 2, 17, 5, 1, 1, 4, 4)
    ),
    "stride 2": make_job(
        (6, 5), (5, 5, 5), SMALL, RowMapping(3, 3, 1, 3, 1, 5, 2, 1), Sizes(1, 1, 2, 7, 3, 3, 6, 5), stride=(2, 2)
    ),
    "stride wider than the window": make_job(
        (4, 4), (2, 2, 9), SMALL, RowMapping(2, 2, 2, 2, 1, 4, 1, 1), Sizes(1, 1, 3, 2, 2, 2, 5, 4), stride=(3, 3)
    ),
    "dilation 2": make_job(
        (4, 4), (9, 1, 9), SMALL, RowMapping(3, 3, 1, 2, 1, 4, 1, 1), Sizes(1, 1, 2, 3, 3, 3, 5, 5), dilation=(2, 2)
    ),
    "dilation 3, runs of unequal length": make_job(
        (2, 3), (9, 1, 9), SMALL, RowMapping(2, 4, 1, 2, 1, 3, 1, 1), Sizes(2, 1, 2, 2, 2, 4, 3, 7), dilation=(3, 3)
    ),
    "more runs than columns": make_job(
        (2, 3), (2, 2, 2), SMALL, RowMapping(2, 2, 2, 2, 1, 3, 1, 1), Sizes(1, 2, 2, 2, 2, 2, 3, 2), dilation=(1, 3)
    ),
    "dilation 2 and stride 2 have a run": make_job(
        (2, 3), (2, 1, 2), SMALL, RowMapping(2, 3, 1, 2, 1, 3, 1, 1), Sizes(1, 1, 2, 2, 2, 3, 4, 4), (2, 2), (2, 2)
    ),
    "dilation 3 and stride 2": make_job(
        (2, 3), (2, 1, 2), SMALL, RowMapping(2, 4, 1, 2, 1, 3, 1, 1), Sizes(1, 1, 2, 2, 3, 4, 3, 7), (2, 2), (3, 3)
    ),
    "narrow ports": make_job(
        (4, 4), (1, 1, 1), SMALL, RowMapping(2, 2, 2, 3, 1, 4, 2, 1), Sizes(1, 1, 3, 7, 2, 3, 5, 4)
    ),
    "only the output port is narrow": make_job(
        (4, 4), (64, 64, 1), SMALL, RowMapping(1, 1, 1, 3, 2, 4, 2, 1), Sizes(1, 1, 3, 7, 1, 2, 5, 4)
    ),
    "groups side by side": make_job(
        (4, 4), (3, 3, 3), SMALL, RowMapping(2, 2, 2, 2, 1, 2, 1, 3), Sizes(5, 2, 3, 3, 2, 2, 3, 4)
    ),
    "sets with other channels": make_job(
        (6, 5), (9, 9, 9), SMALL, RowMapping(2, 2, 2, 3, 3, 5, 1, 1), Sizes(1, 1, 8, 4, 2, 3, 6, 4)
    ),
    "a set goes on in the next row of chains": make_job(
        (4, 2), (4, 4, 4), SMALL, RowMapping(1, 2, 1, 3, 1, 3, 2, 1), Sizes(2, 1, 2, 7, 2, 3, 7, 3)
    ),
    "a set, wrapped, with parts": make_job(
        (6, 2), (4, 4, 4), SMALL, RowMapping(1, 2, 2, 2, 2, 3, 1, 2), Sizes(3, 1, 5, 3, 2, 2, 4, 3)
    ),
    "filter rows folded": make_job(
        (2, 3), (2, 2, 2), SMALL, RowMapping(2, 3, 1, 3, 1, 3, 1, 1), Sizes(1, 1, 1, 2, 5, 3, 4, 4)
    ),
    "filter columns folded": make_job(
        (4, 4), (2, 2, 2), SMALL, RowMapping(3, 3, 1, 3, 1, 4, 1, 1), Sizes(1, 1, 2, 2, 3, 7, 4, 4)
    ),
    "the window's last column is missing": make_job(
        (4, 4), (2, 2, 2), SMALL, RowMapping(3, 4, 1, 3, 1, 4, 1, 1), Sizes(1, 1, 2, 2, 3, 6, 3, 5)
    ),
    "rows that are left over": make_job(
        (6, 5), (6, 6, 6), SMALL, RowMapping(4, 1, 1, 1, 1, 3, 1, 1), Sizes(1, 2, 1, 1, 4, 2, 4, 3)
    ),
    "image rows that no window meets": make_job(
        (4, 4), (2, 2, 2), SMALL, RowMapping(2, 2, 2, 2, 1, 4, 2, 1), Sizes(1, 2, 2, 3, 2, 2, 5, 3), (3, 1), more=(3, 2)
    ),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("rtl")


def check(job: RowJob, result: RtlResult) -> None:
    np.testing.assert_array_equal(result.y, convolution(job))
    assert result.cycles == formula(job)


@needs_icarus
@pytest.mark.parametrize("number", sampled(range(30), lambda number: number < len(PES)))
def test_random_job(number: int, folder: Path) -> None:
    job = random_job(number)
    check(job, run_icarus(job, folder))


@needs_icarus
@pytest.mark.parametrize("edge", sampled(EDGES, lambda edge: EDGES[edge].rows * EDGES[edge].columns <= 8))
def test_edge(edge: str, folder: Path) -> None:
    check(EDGES[edge], run_icarus(EDGES[edge], folder))


@needs_icarus
def test_cycles_of_one_fold(folder: Path) -> None:
    # U = 2 1 2 = 4, LC = ceil(2 2 1 1 2 1 2 / 8) = 2, Z = 3, I0 = ceil(3 2 1 1 2 / 6) = 2, I1 = 1, O = ceil(4 / 4) = 1.
    # E(0) = max(2, 2) - 1 = 1, E(1) = 1 + max(4, 1, 1) = 5; 5 + U + h r + 2 = 15.
    mapping = RowMapping(2, 2, 1, 2, 2, 2, 1, 1)
    job = make_job((4, 2), (8, 6, 4), SMALL, mapping, Sizes(1, 1, 2, 2, 2, 2, 2, 2))
    assert run_icarus(job, folder).cycles == 15


@needs_icarus
def test_cycles_where_the_image_port_is_narrow(folder: Path) -> None:
    # U = 2, LC = 2 2 = 4, Z = 4, I0 = I1 = 4 2 = 8, O = 3.
    # F = 2 2 1 2 = 8 (filters, channels, filter rows, filter columns); A = 2 strips, B = 2 runs of 5 columns.
    # S = (2 2 - 1) 8 + 2 (5 - 2) 8 = 72; 8 + 8 72 + 7 max(2 + 4, 8, 3) + 2 + 2 + 1 = 645.
    mapping = RowMapping(2, 1, 2, 1, 1, 3, 1, 1)
    job = make_job((2, 3), (1, 1, 1), SMALL, mapping, Sizes(1, 1, 3, 2, 2, 2, 4, 5), dilation=(1, 2))
    assert run_icarus(job, folder).cycles == 645


@needs_icarus
def test_cycles_where_the_output_port_is_narrow(folder: Path) -> None:
    # U = 2 3 = 6, LC = ceil(3 2 2 3 2 / 5) = 15, Z = |{0, 1, 2, 3, 4}| = 5, I0 = I1 = ceil(5 2 2 / 4) = 5,
    # O = 2 2 3 = 12.
    # F = 2 2 1 2 = 8; A = 2 images of 2 strips = 4, B = 1.
    # S = (4 - 1) 12 + 4 (2 - 1) 12 = 84; 15 + 8 84 + 7 max(6 + 15, 5, 12) + 6 + 6 + 1 = 847.
    mapping = RowMapping(3, 2, 1, 3, 2, 2, 2, 1)
    job = make_job((6, 5), (5, 4, 1), SMALL, mapping, Sizes(1, 2, 3, 7, 3, 3, 3, 2), stride=(2, 2))
    assert run_icarus(job, folder).cycles == 847


@needs_icarus
def test_most_negative_operands_wrap(folder: Path) -> None:
    job = EDGES["nothing is a multiple"]
    least = -(1 << 15)
    full = replace(job, image=np.full_like(job.image, least), filters=np.full_like(job.filters, least))
    check(full, run_icarus(full, folder))


@needs_icarus
def test_dump_changes_nothing(folder: Path) -> None:
    job = EDGES["rows that are left over"]
    result = run_icarus(job, folder, dump=True)
    check(job, result)
    assert result.registers is not None
    assert {name: values.shape for name, values in result.registers.items()} == {
        name: (result.cycles, elements)
        for name, elements in (
            ("filter", 6 * 5 * 12),
            ("input", 6 * 5 * 4),
            ("psum", 6 * 5 * 3),
            ("product", 6 * 5),
            ("chain", 6 * 5),
            ("sum", 6 * 5),
        )
    }
    for name, values in result.registers.items():
        pes = values.reshape(result.cycles, 6, 5, -1)
        assert not pes[:, :, 3:].any(), name
        assert not pes[:, 1 if name == "sum" else 4 :].any(), name
    assert run_icarus(job, folder).registers is None


@needs_icarus
def test_registers_of_a_fold(folder: Path) -> None:
    """One fold, two positions in two chains of four places, from the load to the result."""
    mapping = RowMapping(h=2, w=2, q=1, p=2, r=2, e=2, t=1, d=1)
    job = make_job((4, 2), (8, 6, 4), SMALL, mapping, Sizes(1, 1, 2, 2, 2, 2, 2, 2), seed=3, word_bits=12, sum_bits=40)
    result = run_icarus(job, folder, dump=True)
    assert result.registers is not None
    registers = {name: values.reshape(result.cycles, 4, 2, -1) for name, values in result.registers.items()}
    image, filters, sums = job.image[0, 0], job.filters[0], convolution(job)[0, 0]
    windows = np.lib.stride_tricks.sliding_window_view(image, 2, axis=2)  # [channel, row, column, j]
    for c in range(2):
        for n, E in enumerate((1, 5)):
            before = np.zeros(2, dtype=np.int64)
            for place in range(4):
                channel, i = place // 2, place % 2
                # LC = 2: the words of places 0 and 1 come in cycle 0, those of places 2 and 3 in cycle 1.
                loaded = registers["filter"][:, place, c, :4]
                words = filters[:, channel, i].ravel()
                assert not loaded[: place // 2 + place].any()
                np.testing.assert_array_equal(
                    loaded[place // 2 + place :], np.tile(words, (15 - place // 2 - place, 1))
                )
                window = windows[channel, c + i, n]
                np.testing.assert_array_equal(registers["input"][E + place, place, c], [*window, 0, 0])
                if n == 1:
                    np.testing.assert_array_equal(
                        registers["input"][E + place - 1, place, c, :2], windows[channel, c + i, 0]
                    )
                products = window[:, None] * filters[:, channel, i].T  # in the order of the steps, [k, f]
                for step, product in enumerate(products.ravel()):
                    assert registers["product"][E + 1 + step + place, place, c, 0] == product
                for f in range(2):
                    assert registers["psum"][E + 2 + f + place, place, c, f] == products[0, f]
                    before[f] += products[:, f].sum()
                    assert registers["chain"][E + 4 + f + place, place, c, 0] == before[f]
            for f in range(2):
                assert registers["sum"][E + 4 + f + 4, 0, c, 0] == sums[f, c, n]
    assert not registers["psum"][:, :, :, 2].any()
    assert not registers["sum"][:, 1:].any()


@needs_icarus
def test_partial_sums_go_through_sum(folder: Path) -> None:
    """Two folds of a 1 x 1 convolution: the second adds what the first wrote."""
    job = make_job(
        (1, 1), (1, 1, 1), (1, 1, 1), RowMapping(1, 1, 1, 1, 1, 1, 1, 1), Sizes(1, 1, 2, 1, 1, 1, 1, 1), seed=4
    )
    registers = run_icarus(job, folder, dump=True).registers
    assert registers is not None
    first, second = (job.image[0, 0, :, 0, 0] * job.filters[0, 0, :, 0, 0]).tolist()
    # E(0) = 0 and E(1) = 0 + max(1 + 1, 1, 1) = 2; sum is written in E + 3, chain in E + 2.
    assert registers["sum"].ravel().tolist() == [0, 0, 0, first, first, first + second]
    assert registers["chain"].ravel().tolist() == [0, 0, first, first, second, second]


def test_jobs_that_do_not_fit_are_refused() -> None:
    job = EDGES["nothing is a multiple"]
    for mapping in (
        replace(job.mapping, h=5),
        replace(job.mapping, e=5),
        replace(job.mapping, q=3),
        replace(job.mapping, p=4),
        replace(job.mapping, d=0),
    ):
        with pytest.raises(ValueError):
            replace(job, mapping=mapping)
    with pytest.raises(ValueError, match="outside"):
        replace(job, out_rows=job.out_rows + 1)


@needs_icarus
def test_a_broken_tool_is_reported(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rtl_simulator.WATCHDOG_CYCLES", 3)
    with pytest.raises(RuntimeError, match="no end after"):
        run_icarus(EDGES["narrow ports"], folder)


@needs_verilator
@pytest.mark.long
@pytest.mark.parametrize(
    "edge", ["groups side by side", "dilation 3, runs of unequal length", "a set, wrapped, with parts"]
)
def test_verilator(edge: str, folder: Path) -> None:
    job = EDGES[edge]
    check(job, run_verilator(job, folder))
    groups, channels = job.filters.shape[0], job.filters.shape[2]
    again = replace(
        job, image=job.image[: groups - 1, :1, : channels - 1], filters=job.filters[: groups - 1, :, : channels - 1]
    )
    check(again, run_verilator(again, folder))
