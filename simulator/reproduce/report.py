"""The report: Markdown, and the same as one HTML file that holds its pictures."""

import base64
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template

from simulator.reproduce.exhibit import EXPLAIN_BEYOND, Cell, Comparison, Exhibit, ExhibitMaker, Table
from workloads.foundation.reading import read_text
from workloads.foundation.shipped import shipped_folder


def markdown_report(made: Sequence[tuple[ExhibitMaker, Exhibit]], head: str) -> str:
    """Return the report; pictures stand under `figures/`, files of tables under `tables/`.

    Parameters
    ----------
    made : sequence of (ExhibitMaker, Exhibit)
        In order.
    head : str
        A paragraph on what made it.
    """
    parts = ["# The paper's tables and figures, reproduced", head, *_overview(made)]
    for maker, exhibit in made:
        parts.append(f"## {maker.title}")
        parts += [part for part in (exhibit.text, _comparisons(exhibit.comparisons)) if part]
        parts += [f"![{picture.text}](figures/{picture.name}.png)" for picture in exhibit.pictures]
        for table in exhibit.tables:
            if table.shown:
                parts += [f"**{table.title}**", _markdown_table(table)]
        files = [f"[{table.name}.csv](tables/{table.name}.csv)" for table in exhibit.tables]
        parts += ["Numbers: " + ", ".join(files)] if files else []
    return "\n\n".join(parts) + "\n"


def html_report(markdown: str, pictures: Mapping[str, Path], made: Sequence[tuple[ExhibitMaker, Exhibit]]) -> str:
    """Return a Markdown report as one HTML file; `pictures` are the files by the name under which it shows them."""
    from markdown_it import MarkdownIt

    body = MarkdownIt("commonmark").enable("table").render(markdown)
    for name, path in pictures.items():
        data = base64.b64encode(path.read_bytes()).decode()
        body = body.replace(f'src="figures/{name}.png"', f'src="data:image/png;base64,{data}"')
    body = body.replace("<table>", '<div class="wide"><table>').replace("</table>", "</table></div>")
    links = []
    for maker, _ in made:
        title = escape(maker.title, quote=False)
        body = body.replace(f"<h2>{title}</h2>", f'<h2 id="{maker.key}">{title}</h2>')
        links.append(f'<a href="#{maker.key}">{title}</a>')
    head, rest = body.split("</h1>", 1)
    skeleton = Template(read_text(shipped_folder("configs/reproduce") / "report.html"))
    return skeleton.substitute(head=f"{head}</h1>", links="".join(links), body=rest)


def _overview(made: Sequence[tuple[ExhibitMaker, Exhibit]]) -> list[str]:
    compared = [(maker, one) for maker, exhibit in made for one in exhibit.comparisons if one.ours is not None]
    if not compared:
        return []
    beyond = sum(one.needs_reason for _, one in compared)
    said = f"{len(compared)} numbers are compared with the paper's; {beyond} differ by more than {EXPLAIN_BEYOND:.0%}."
    columns = {"exhibit": False, "number": False, "paper": True, "here": True, "difference": True}
    rows = [(maker.title.partition(":")[0], *_numbers(one)) for maker, one in compared]
    table = _lines(list(columns), list(columns.values()), rows)
    return ["## All numbers beside the paper's", f"{said} The reasons stand with the exhibits.", table]


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
