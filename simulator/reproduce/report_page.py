"""The report as one HTML page that needs no network, by the page builder of every report."""

import json
from typing import Any

from simulator.outputs.charts.interactive import figure
from simulator.pages.page import Code, Column, DataTable, Markdown, Number, Page, Panels, Part, Section, Text
from simulator.reproduce.claims import MEANINGS, Claim, claims, constant_errors, counted, with_constants
from simulator.reproduce.exhibit import KINDS, Comparison, Table, exhibit_makers
from simulator.reproduce.made import MadeExhibit, Report, comparisons_by_exhibit
from simulator.reproduce.summary import overview, summary_text

TITLE = "ADA-GP reproduced"
LEAD = (
    "Every table and figure of the hardware side of ADA-GP (Janfaza et al., MICRO 2023), simulated from the shipped "
    "traces on the shipped machine (docs/machine.md). No constant is fitted. A speedup is the baseline's cycles of a "
    "whole training run over the design's."
)
CONSTANT = (
    "A constant gives most speedups of the paper: take the schedule, let a backward take two forwards and a predictor "
    "nothing, and every network gains the same. A simulator must be compared with it."
)
KNOWS = (
    "The constant knows no layers and no designs. It gives LOW, Efficient and MAX the same speedup, every network the "
    "same, and a pipeline with unequal stages the same as one with equal ones. Cycles, energy and stalls it does not "
    "give at all."
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
    judged = claims(report)
    numbers = [Number(verdict, str(count), MEANINGS[verdict]) for verdict, count in counted(judged).items()]
    sections = [
        Section("summary", "What agrees and what does not", _summary(report)),
        Section("claims", "The paper's claims", [_claims(judged)] if judged else []),
        Section("constant", "What a constant gives", _constant(report)),
        Section("numbers", "All numbers beside the paper's", _all_numbers(report)),
    ]
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


def _claims(judged: list[Claim]) -> DataTable:
    """Return a row a claim: what it is made of, how far the worst number is, and what a constant would give."""
    columns = [
        Column("claim", long=True), Column("verdict", filtered=True), Column("in the paper"), Column("numbers", 0),
        Column("worst difference, %", 1), Column("why", long=True),
    ]  # fmt: skip
    rows = [
        [one.claim, one.verdict, one.where, len(one.rows), None if one.worst is None else 100 * one.worst,
         one.reason]
        for one in judged
    ]  # fmt: skip
    return DataTable("One row a claim; the first column leads to its first exhibit", columns, rows,
                     [one.rows[0][0] for one in judged])  # fmt: skip


def _constant(report: Report) -> list[Part]:
    """Return the numbers that a constant gives too: what the simulator adds to it."""
    rows = with_constants(report)
    if not rows:
        return []
    columns = [
        Column("exhibit", filtered=True), Column("number", long=True), Column("paper", None), Column("here", None),
        Column("a constant", None), Column("here off, %", 2), Column("a constant off, %", 2),
    ]  # fmt: skip
    cells = [
        [name, one.what, one.paper, one.ours, one.constant, _per_cent(one.difference),
         _per_cent(one.constant_difference)]
        for name, one in rows
    ]  # fmt: skip
    return [Markdown(constant_text(report)), DataTable("Numbers that a constant gives too", columns, cells)]


def constant_text(report: Report) -> str:
    """Return what a constant gives, how far it is off, and what only the simulator knows."""
    rows = with_constants(report)
    averages = [one for name, one in rows if one.what.startswith("average") and not name.startswith("Figure 20")]
    errors = {"All of these numbers": constant_errors([one for _, one in rows])}
    if averages:
        errors = {"The averages of figures 17 to 19": constant_errors(averages)} | errors
    lines = [
        f"- **{what}** ({one.numbers}): the simulator is {one.ours_mean:.2%} off in the mean and {one.ours_worst:.2%} "
        f"at worst, the constant {one.constant_mean:.2%} and {one.constant_worst:.2%}."
        for what, one in errors.items()
    ]
    return f"{CONSTANT}\n\n" + "\n".join(lines) + f"\n\n{KNOWS}"


def _all_numbers(report: Report) -> list[Part]:
    pairs = [(made, one) for made in report.values() for one in made.exhibit.comparisons]
    if not pairs:
        return []
    columns = [Column("exhibit", filtered=True), *_columns(chosen=True), Column("kind", filtered=True)]
    meanings = "\n".join(f"- **{kind}**: {meaning}." for kind, meaning in KINDS.items())
    return [
        Markdown(f"Not every number says as much as another:\n\n{meanings}"),
        DataTable(
            "Every number of the paper; the first column leads to its exhibit", columns,
            [[made.name, *_row(one), one.kind] for made, one in pairs], [made.key for made, _ in pairs],
        ),
    ]  # fmt: skip


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
    reason = one.reason if one.verdict != "agrees" else ""
    return [one.what, one.verdict, one.paper, one.ours, _per_cent(one.difference), reason]


def _per_cent(share: float | None) -> float | None:
    return None if share is None else 100 * share


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
