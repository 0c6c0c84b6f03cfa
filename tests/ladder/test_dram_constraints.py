"""The table of constraints: the naive model's own rules, the page, and the clock's arithmetic."""

from pathlib import Path

import pytest
from make_dram_table import table_rows
from naive_dram import NaiveChannel, odd_part
from registries import DRAM_PARTS

from simulator.dram.constraints import COMMANDS, CONSTRAINTS, cycles_of, least_cycles
from simulator.dram.part import DramPart, load_part

PARTS = {name: load_part(name) for name in DRAM_PARTS} | {f"odd {seed}": odd_part(seed) for seed in range(20)}
# place, as the naive model says it: same rank, same bank group, same bank
PLACES = [(True, True, True), (True, True, False), (True, False, False), (False, False, False)]


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
def test_least_cycles_are_those_of_the_naive_model(part: DramPart) -> None:
    least, naive = least_cycles(part.times), NaiveChannel(part)
    for place, where in enumerate(PLACES):
        for i, earlier in enumerate(COMMANDS):
            for j, later in enumerate(COMMANDS):
                if place in (1, 2) and {earlier, later} & {"PREA", "REF"}:
                    continue  # these have every bank of the rank as their place
                assert least[place, i, j] == max(0, naive.rule(earlier, later, *where)), (where, earlier, later)


def test_the_page_has_the_table() -> None:
    """Written by `python tests/make_dram_table.py`."""
    page = (Path(__file__).parents[2] / "docs" / "dram.md").read_text(encoding="utf-8")
    assert "\n".join(table_rows()) in page


def test_ddr3_by_hand() -> None:
    """DDR3-1600: CL 11, CWL 8, RCD 11, RP 11, RAS 28, WR 12, WTR 6, a burst of 4 cycles, a gap of 2."""
    times = load_part("ddr3-1600").times
    expected = {
        "RCD": 11, "RAS + RP": 39, "CWL + DQSS + BL/2 + WR": 24, "CL + BL/2 + READ_TO_WRITE_GAP - CWL": 9,
        "CWL + DQSS + BL/2 + WTR_L": 18, "CWL + DQSS + BL/2 + RANK_SWITCH_GAP - CL": 3,
    }  # fmt: skip
    rows = {row.cycles for row in CONSTRAINTS}
    for expression, cycles in expected.items():
        assert expression in rows
        assert cycles_of(expression, times) == cycles
