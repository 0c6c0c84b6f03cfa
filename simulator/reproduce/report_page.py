"""The report as one HTML page that needs no network, by the page builder of every report."""

import json
from typing import Any

from simulator.outputs.charts.interactive import figure
from simulator.pages.page import Code, Column, DataTable, Markdown, Number, Page, Panels, Part, Section, Text
from simulator.reproduce.exhibit import Comparison, Table, exhibit_makers
from simulator.reproduce.made import MadeExhibit, Report, comparisons_by_exhibit
from simulator.reproduce.summary import MEANINGS, counts, overview, summary_text

TITLE = "ADA-GP reproduced"
LEAD = (
    "Every table and figure of the hardware side of ADA-GP (Janfaza et al., MICRO 2023), simulated from the shipped "
    "traces on the shipped machine (docs/machine.md). No constant is fitted. A speedup is the baseline's cycles of a "
    "whole training run over the design's."
)
PICTURE = (
    "A dot is a number of the paper that has one here. Left to right: the number here over the paper's, on a "
    "logarithmic axis; below a quarter and above four it is at the edge. The pointer shows both numbers."
)


def report_page(report: Report, provenance: dict[str, Any], sources: str) -> Page:
    """Return the report.

    Parameters
    ----------
    report : dict of MadeExhibit
        By key, in order.
    provenance : dict
        Versions, command and digests of the call that writes it.
    sources : str
        Digest of the code and files as they are now; an exhibit of another one says so.
    """
    numbers = [Number(verdict, str(count), MEANINGS[verdict]) for verdict, count in counts(report).items() if count]
    sections = [Section("summary", "What agrees and what does not", _summary(report))]
    if numbers:
        sections.append(Section("numbers", "All numbers beside the paper's", [_all_numbers(report)]))
    sections += [Section(key, made.title, _exhibit(made, sources)) for key, made in report.items()]
    sections.append(Section("provenance", "Where the numbers come from", _provenance(report, provenance)))
    return Page(TITLE, _part_of(report) + LEAD, numbers, [one for one in sections if one.parts])


def _part_of(report: Report) -> str:
    """Return a sentence that begins a page which lacks exhibits; nothing for the whole report."""
    made, known = len(report), len(exhibit_makers())
    return "" if made >= known else f"This page has {made} of {known} exhibits; adagp-sim reproduce makes the others. "


def _summary(report: Report) -> list[Part]:
    chart, text = overview(report), summary_text(comparisons_by_exhibit(report))
    parts: list[Part] = [] if chart is None else [Panels("The paper's numbers", [figure(chart.panels[0])], PICTURE)]
    return [*parts, Markdown(text)] if text else parts


def _all_numbers(report: Report) -> DataTable:
    pairs = [(made, one) for made in report.values() for one in made.exhibit.comparisons]
    columns = [Column("exhibit", filtered=True), *_columns(chosen=True)]
    return DataTable(
        "Every number of the paper; the first column leads to its exhibit", columns,
        [[made.name, *_row(one)] for made, one in pairs], [made.key for made, _ in pairs],
    )  # fmt: skip


def _exhibit(made: MadeExhibit, sources: str) -> list[Part]:
    exhibit = made.exhibit
    parts: list[Part] = []
    if made.sources != sources:
        parts.append(Text(f"Made on {made.time}; the code or the machine's files have changed since."))
    parts.append(Markdown(exhibit.text))
    if exhibit.comparisons:
        rows = [_row(one) for one in exhibit.comparisons]
        shown = None if any(row[-1] for row in rows) else -1  # no column of reasons where there is none
        parts.append(DataTable("Beside the paper", _columns()[:shown], [row[:shown] for row in rows]))
    for place, picture in enumerate(exhibit.pictures):
        panels = [figure(panel) for panel in picture.chart.panels]
        parts.append(Panels(made.caption(place), panels, picture.text, picture.chart.columns))
    parts += [_table(table) for table in exhibit.tables]
    return parts


def _columns(chosen: bool = False) -> list[Column]:
    """Return the columns of `_row`, what a phone shows first; where `chosen`, a reader can choose a verdict."""
    return [
        Column("number", long=True), Column("verdict", filtered=chosen), Column("paper", None), Column("here", None),
        Column("difference, %", 1), Column("why", long=True),
    ]  # fmt: skip


def _row(one: Comparison) -> list[str | float | None]:
    difference = None if one.difference is None else 100 * one.difference
    return [one.what, one.verdict, one.paper, one.ours, difference, one.reason if one.verdict != "agrees" else ""]


def _table(table: Table) -> DataTable:
    columns = [
        Column(name, table.digits, filtered=_is_choice([row[place] for row in table.rows]))
        for place, name in enumerate(table.columns)
    ]
    title = f"{table.title} (tables/{table.name}.csv)"
    return DataTable(title, columns, table.rows, folded=not table.shown)


def _is_choice(cells: list[Any]) -> bool:
    """Return whether a column has few texts, each in many rows, so that a reader may want one of them."""
    return len(cells) > 12 and all(isinstance(cell, str) for cell in cells) and 1 < len(set(cells)) <= len(cells) / 3


def _provenance(report: Report, provenance: dict[str, Any]) -> list[Part]:
    rows = [[made.name, made.time, made.command, made.version, made.model] for made in report.values()]
    columns = [Column("exhibit"), Column("made"), Column("command"), Column("version"), Column("model")]
    versions = {key: value for key, value in provenance.items() if key != "exhibits"}  # the table above has those
    return [
        Text("The paper's numbers are in configs/paper/ada-gp-micro23.yaml, each with its place in the paper."),
        DataTable("When each exhibit was made", columns, rows, list(report)),
        Code(
            "Versions, command and hashes",
            json.dumps(versions, indent=2),
        ),
    ]
