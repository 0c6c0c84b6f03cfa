"""The first page of the report says what the reviewed tables say, and docs/reproduce.md says the same.

``PYTHONPATH=.:tests python tests/golden/test_summary.py`` writes the lines into docs/reproduce.md again.
"""

import csv
import re
import textwrap
from pathlib import Path
from string import Formatter

import pytest

from simulator.reproduce.exhibit import Comparison
from simulator.reproduce.summary import HEADINGS, summary_lines, summary_text
from workloads.foundation.shipped import shipped_folder
from workloads.foundation.strict_yaml import read_yaml

TABLES = Path(__file__).parent / "reproduce"
DOCS = Path(__file__).parents[2] / "docs" / "reproduce.md"
BEGIN, END = "<!-- summary -->", "<!-- end of summary -->"
WRITTEN: dict[str, list[str]] = read_yaml(shipped_folder("configs/reproduce") / "summary.yaml")


def reviewed() -> dict[str, dict[str, Comparison]]:
    """Return every reviewed comparison by exhibit and by what it is."""
    found: dict[str, dict[str, Comparison]] = {}
    for path in TABLES.glob("*-comparisons.csv"):
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                ours = float(row["here"]) if row["here"] else None
                key, what = path.name.removesuffix("-comparisons.csv"), row["number"]
                found.setdefault(key, {})[what] = Comparison(what, float(row["paper"]), ours)
    return found


def named(line: str) -> list[Comparison]:
    """Return the comparisons that a line names."""
    fields = [field for _, field, _, _ in Formatter().parse(line) if field]
    places = [re.fullmatch(r"(\w+)\[(.*)\]\.(ours|paper)", field) for field in fields]
    assert all(places), fields
    return [reviewed()[place[1]][place[2]] for place in places if place]


def block() -> str:
    """Return the lines as docs/reproduce.md has them."""
    paragraphs = re.split(r"\n(?=- )|\n\n", summary_text(reviewed()))
    wrapped = [
        textwrap.fill(one, 100, subsequent_indent="  " if one.startswith("- ") else "", break_on_hyphens=False)
        for one in paragraphs
    ]
    return re.sub(r"\n\n(?=- )", "\n", "\n\n".join(wrapped)).replace(":**\n-", ":**\n\n-")


def test_ten_lines_under_three_headings() -> None:
    found = summary_lines(reviewed())
    assert list(found) == list(HEADINGS.values())
    assert sum(map(len, found.values())) == sum(map(len, WRITTEN.values())) == 10


@pytest.mark.parametrize("line", WRITTEN["agrees"], ids=range(len(WRITTEN["agrees"])))
def test_what_agrees_is_within_two_per_cent(line: str) -> None:
    assert named(line)
    assert all(one.verdict == "agrees" for one in named(line))


@pytest.mark.parametrize("line", [*WRITTEN["differs"], *WRITTEN["unknown"]])
def test_what_differs_or_is_unknown_does(line: str) -> None:
    assert any(one.verdict != "agrees" for one in named(line))


def test_the_page_has_the_lines_of_the_report() -> None:
    text = DOCS.read_text(encoding="utf-8")
    assert f"{BEGIN}\n{block()}\n{END}" in text, "write the lines again (docstring of this file)"


if __name__ == "__main__":
    before, _, rest = DOCS.read_text(encoding="utf-8").partition(BEGIN)
    DOCS.write_text(f"{before}{BEGIN}\n{block()}\n{END}{rest.partition(END)[2]}", encoding="utf-8")
