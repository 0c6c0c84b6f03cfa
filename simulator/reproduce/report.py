"""The report: Markdown, and the same as one HTML file that holds its pictures."""

import base64
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from textwrap import dedent

from simulator.reproduce.exhibit import EXPLAIN_BEYOND, Cell, Comparison, Exhibit, ExhibitMaker, Table

_STYLE = dedent("""
    :root { color-scheme: light dark; }
    body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
    h1, h2, h3 { line-height: 1.2; margin-top: 2.2rem; }
    img { max-width: 100%; background: white; border-radius: 4px; }
    .wide { overflow-x: auto; }
    table { border-collapse: collapse; font-size: 0.9rem; margin: 1rem 0; font-variant-numeric: tabular-nums; }
    th, td { padding: 0.25rem 0.6rem; border-bottom: 1px solid #8885; text-align: left; vertical-align: top; }
    th { border-bottom: 2px solid #888; }
    nav { columns: 2; } nav a { display: block; }
    """)


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
        if files:
            parts.append("Numbers: " + ", ".join(files))
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
    first, rest = body.split("</h1>", 1)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n<title>ADA-GP reproduced</title>\n'
        f"<style>{_STYLE}</style>\n</head>\n<body>\n{first}</h1>\n<nav>{''.join(links)}</nav>\n{rest}</body>\n</html>\n"
    )


def _overview(made: Sequence[tuple[ExhibitMaker, Exhibit]]) -> list[str]:
    rows = [
        f"| {maker.title.partition(':')[0]} | {one.what} | {_paper(one)} | {_ours(one)} | {_difference(one)} |"
        for maker, exhibit in made
        for one in exhibit.comparisons
        if one.ours is not None
    ]
    if not rows:
        return []
    head = "| exhibit | number | paper | here | difference |\n|---|---|---:|---:|---:|"
    beyond = sum(one.needs_reason for _, exhibit in made for one in exhibit.comparisons)
    text = f"{len(rows)} numbers are held against the paper's; {beyond} differ by more than {EXPLAIN_BEYOND:.0%}."
    return [
        "## All numbers beside the paper's",
        f"{text} The reasons stand with the exhibits.",
        "\n".join([head, *rows]),
    ]


def _comparisons(comparisons: Sequence[Comparison]) -> str:
    if not comparisons:
        return ""
    lines = ["| number | paper | here | difference | why |", "|---|---:|---:|---:|---|"]
    for one in comparisons:
        why = one.reason if one.needs_reason or one.ours is None else ""
        lines.append(f"| {one.what} | {_paper(one)} | {_ours(one)} | {_difference(one)} | {why} |")
    return "\n".join(lines)


def _paper(one: Comparison) -> str:
    return f"{one.paper:,.{one.digits}f}"


def _ours(one: Comparison) -> str:
    return "-" if one.ours is None else f"{one.ours:,.{one.digits}f}"


def _difference(one: Comparison) -> str:
    return "" if one.difference is None else f"{one.difference:+.1%}"


def _markdown_table(table: Table) -> str:
    numeric = [
        all(not isinstance(row[index], str) for row in table.rows) and bool(table.rows)
        for index in range(len(table.columns))
    ]
    lines = [
        "| " + " | ".join(table.columns) + " |",
        "|" + "|".join("---:" if right else "---" for right in numeric) + "|",
    ]
    lines += ["| " + " | ".join(_shown(cell, table.digits) for cell in row) + " |" for row in table.rows]
    return "\n".join(lines)


def _shown(cell: Cell, digits: int) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, str):
        return cell
    return f"{cell:,}" if isinstance(cell, int) else f"{cell:,.{digits}f}"
