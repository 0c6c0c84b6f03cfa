"""SRAM by CACTI: exact at the points of its grid, between its neighbours elsewhere, refused beyond."""

import csv
from dataclasses import astuple
from itertools import pairwise
from math import log, sqrt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.energy.sram import WIDEST_PORT_BITS, Sram, nodes_nm, sram
from workloads.foundation.errors import InputError

LINES = (Path(__file__).parents[2] / "configs/energy/cacti_sram.csv").read_text(encoding="utf-8").splitlines()
ROWS = list(csv.DictReader(line for line in LINES if not line.startswith("#")))
COLUMNS = ["read_pj", "write_pj", "leakage_mw", "area_mm2", "access_ns", "cycle_ns"]
GRID = {
    (int(row["node_nm"]), int(row["capacity_bytes"]), int(row["width_bits"])): Sram(*(float(row[c]) for c in COLUMNS))
    for row in ROWS
}
LARGEST = 8_388_608


def test_the_grid_is_what_the_file_says() -> None:
    assert nodes_nm() == (22, 32, 45, 65)
    assert len(GRID) == len(ROWS) == 184
    assert max(width for _, _, width in GRID) == WIDEST_PORT_BITS
    assert max(capacity for _, capacity, _ in GRID) == LARGEST


@pytest.mark.parametrize("point", GRID, ids=str)
def test_grid_points_are_exact(point: tuple[int, int, int]) -> None:
    assert sram(*point) == GRID[point]


def test_half_way_by_hand() -> None:
    # 2048 and 8192 B at 45 nm, 64 bits: the power law's middle is their geometric mean, at 4096 B
    assert sram(45, 4096, 64).read_pj == pytest.approx(sqrt(2.7557 * 6.137))
    assert sram(45, 5120, 64).leakage_mw == pytest.approx((0.0001 + 0.0003) / 2)
    # half way between 16 and 64 bits is 40
    assert sram(45, 2048, 40).write_pj == pytest.approx((2.4259 + 4.2392) / 2)
    share = log(33 / 32) / log(64 / 27)  # 114,048 between 110,592 and 262,144 B
    assert sram(45, 114_048, 64).area_mm2 == pytest.approx(0.37148 * (0.87209 / 0.37148) ** share)


def test_below_the_grid_costs_what_its_smallest_costs() -> None:
    for node in nodes_nm():
        assert sram(node, 2, 8) == sram(node, 1, 16) == sram(node, 512, 16) == GRID[node, 512, 16]
        assert sram(node, 512, 256) == GRID[node, 2048, 256]  # the smallest that CACTI makes so wide


@pytest.mark.parametrize(
    ("arguments", "key"),
    [((28, 512, 16), "node_nm"), ((45, LARGEST + 1, 64), "capacity_bytes"), ((45, 512, 513), "width_bits")],
)
def test_beyond_the_grid_is_refused(arguments: tuple[int, int, int], key: str) -> None:
    with pytest.raises(InputError) as caught:
        sram(*arguments)
    assert caught.value.key == key


@given(st.sampled_from(nodes_nm()), st.integers(1, LARGEST), st.integers(1, WIDEST_PORT_BITS))
def test_every_value_lies_between_its_neighbours(node: int, capacity: int, width: int) -> None:
    widths = sorted({w for n, _, w in GRID if n == node})
    width_low = max((w for w in widths if w <= width), default=widths[0])
    width_high = min(w for w in widths if w >= width)
    corners = []
    for w in {width_low, width_high}:
        sizes = sorted(c for n, c, v in GRID if (n, v) == (node, w))
        corners += [
            GRID[node, max((c for c in sizes if c <= capacity), default=sizes[0]), w],
            GRID[node, min(c for c in sizes if c >= capacity), w],
        ]
    for found, *around in zip(astuple(sram(node, capacity, width)), *map(astuple, corners), strict=True):
        assert min(around) * (1 - 1e-12) <= found <= max(around) * (1 + 1e-12)


@given(
    st.sampled_from(nodes_nm()),
    st.sampled_from([16, 64, 256, 512]),
    st.tuples(st.integers(1, LARGEST), st.integers(1, LARGEST)).map(sorted),
)
def test_a_larger_bank_costs_no_less(node: int, width: int, capacities: list[int]) -> None:
    small, large = (sram(node, capacity, width) for capacity in capacities)
    assert small.read_pj <= large.read_pj * (1 + 1e-12)
    assert small.write_pj <= large.write_pj * (1 + 1e-12)
    assert small.leakage_mw <= large.leakage_mw * (1 + 1e-12)


@given(st.integers(1, LARGEST), st.sampled_from([16, 64, 256, 512]))
def test_a_newer_node_costs_less_energy_and_area(capacity: int, width: int) -> None:
    found = [sram(node, capacity, width) for node in (65, 45, 32, 22)]
    for older, newer in pairwise(found):
        assert newer.read_pj < older.read_pj
        assert newer.area_mm2 < older.area_mm2
