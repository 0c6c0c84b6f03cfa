"""A section of the report: the slowest pass of each design."""

from collections.abc import Sequence

from simulator.pages.page import Part, Text
from simulator.pages.result import ResultFolder
from simulator.pages.run_report import ReportSection


def parts(result: ResultFolder) -> Sequence[Part]:
    """Return a sentence a design."""
    said = []
    for design in dict.fromkeys(row["design"] for row in result.rows):
        rows = [row for row in result.rows if row["design"] == design and row["layer"]]
        one = max(rows, key=lambda row: row["cycles"])
        said.append(Text(f"The slowest pass of {design} is {one['pass']} of layer {one['layer']}."))
    return said


SECTION = ReportSection("slowest", "The slowest pass", 65, parts)
