"""The report as Markdown, with its pictures and tables as files beside it."""

from collections.abc import Sequence

from simulator.reproduce.claims import MEANINGS, Claim, claims, counted, with_constants
from simulator.reproduce.exhibit import Cell, Comparison, Table
from simulator.reproduce.made import Report, comparisons_by_exhibit
from simulator.reproduce.report_page import LEAD, constant_text
from simulator.reproduce.summary import summary_text


def markdown_report(report: Report) -> str:
    """Return the report; pictures stand under `figures/`, files of tables under `tables/`."""
    text = summary_text(comparisons_by_exhibit(report))
    parts = ["# The paper's tables and figures, reproduced", LEAD, *([text] if text else [])]
    parts += [*_claims(report), *_constant(report), *_overview(report)]
    for made in report.values():
        exhibit = made.exhibit
        parts.append(f"## {made.title}")
        parts += [part for part in (exhibit.text, _comparisons(exhibit.comparisons)) if part]
        for place, picture in enumerate(exhibit.pictures):
            caption = f"**{made.caption(place)}.** {picture.text}"
            parts += [f"![{picture.text}](figures/{picture.name}.png)", caption]
        for table in exhibit.tables:
            if table.shown:
                parts += [f"**{table.title}**", _markdown_table(table)]
        files = [f"[{table.name}.csv](tables/{table.name}.csv)" for table in exhibit.tables]
        parts += ["Numbers: " + ", ".join(files)] if files else []
    return "\n\n".join(parts) + "\n"


def _overview(report: Report) -> list[str]:
    compared = [(made.name, one) for made in report.values() for one in made.exhibit.comparisons]
    if not compared:
        return []
    columns = {"exhibit": False, "number": False, "paper": True, "here": True, "difference": True, "verdict": False,
               "kind": False}  # fmt: skip
    rows = [(name, *_numbers(one), one.verdict, one.kind) for name, one in compared]
    table = _lines(list(columns), list(columns.values()), rows)
    return ["## All numbers beside the paper's", "The reasons stand with the exhibits.", table]


def _claims(report: Report) -> list[str]:
    judged = claims(report)
    return ["## The paper's claims", *claims_markdown(judged)] if judged else []


def claims_markdown(judged: Sequence[Claim]) -> list[str]:
    """Return how many claims have each verdict, and a table of them; docs/reproduce.md has it, too."""
    said = [f"- {verdict}: {count} ({MEANINGS[verdict]})" for verdict, count in counted(judged).items()]
    rows = [
        (one.claim, one.verdict, one.where, "-" if one.worst is None else f"{one.worst:+.1%}",
         one.reason)
        for one in judged
    ]  # fmt: skip
    table = _lines(("claim", "verdict", "in the paper", "worst difference", "why"), (False,) * 5, rows)
    return ["\n".join(said), table]


def _constant(report: Report) -> list[str]:
    rows = [
        (name, *_numbers(one)[:3], f"{one.constant:,.{one.digits}f}", f"{one.difference:+.1%}",
         f"{one.constant_difference:+.1%}")
        for name, one in with_constants(report)
    ]  # fmt: skip
    if not rows:
        return []
    columns = ("exhibit", "number", "paper", "here", "a constant", "here off", "a constant off")
    table = _lines(columns, (False, False, True, True, True, True, True), rows)
    return ["## What a constant gives", constant_text(report), table]


def _comparisons(comparisons: Sequence[Comparison]) -> str:
    columns = ("number", "paper", "here", "difference", "why")
    rows = [(*_numbers(one), one.reason if one.needs_reason or one.ours is None else "") for one in comparisons]
    return _lines(columns, (False, True, True, True, False), rows) if rows else ""


def _numbers(one: Comparison) -> tuple[str, ...]:
    difference = "" if one.difference is None else f"{one.difference:+.1%}"
    paper, ours = ("-" if value is None else f"{value:,.{one.digits}f}" for value in (one.paper, one.ours))
    return one.what, paper, ours, difference


def _markdown_table(table: Table) -> str:
    places = range(len(table.columns))
    numeric = [bool(table.rows) and not any(isinstance(row[place], str) for row in table.rows) for place in places]
    return _lines(table.columns, numeric, [[_shown(cell, table.digits) for cell in row] for row in table.rows])


def _lines(columns: Sequence[str], numeric: Sequence[bool], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown, columns of numbers to the right."""
    rule = "|" + "|".join("---:" if right else "---" for right in numeric) + "|"
    head, *body = ("| " + " | ".join(row) + " |" for row in (columns, *rows))
    return "\n".join([head, rule, *body])


def _shown(cell: Cell, digits: int) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, str):
        return cell
    return f"{cell:,}" if isinstance(cell, int) else f"{cell:,.{digits}f}"
