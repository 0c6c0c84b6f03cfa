"""A page of parts, and how it becomes one HTML file.

Names from traces and configs are data: the page has them as JSON, and they are shown as text, never as HTML.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from html import escape
from string import Template
from typing import Any

from workloads.foundation.errors import InputError
from workloads.foundation.reading import read_text
from workloads.foundation.shipped import shipped_folder

Cell = str | int | float | None


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True, slots=True)
class Markdown:
    """Paragraphs, lists and small tables in Markdown; HTML in it is shown, not run."""

    text: str


@dataclass(frozen=True, slots=True)
class Number:
    """A number that the page begins with: what it is, the number, and a word beside it."""

    name: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes
    ----------
    digits : int, optional
        Digits behind the point of a number that is not whole; None: five digits in all.
    filtered : bool
        Whether a reader can choose one of its values.
    long : bool
        Whether its texts are sentences, which take several lines.
    """

    name: str
    digits: int | None = 3
    filtered: bool = False
    long: bool = False


@dataclass(frozen=True, slots=True)
class DataTable:
    """A table that a reader can sort, filter and search.

    Attributes
    ----------
    links : sequence of str
        For each row the key of the section to which its first cell leads; none if empty.
    folded : bool
        Whether a reader opens it first.
    """

    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    links: Sequence[str] = ()
    folded: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart: figures in Plotly's JSON by the name under which a reader chooses them, and what they show in words.

    `first` is the name of the figure that is shown first, if not the first one.
    """

    title: str
    figures: Mapping[str, Mapping[str, Any]]
    words: str
    height: int = 420
    first: str = ""


@dataclass(frozen=True, slots=True)
class Panels:
    """Figures that are all shown, each with its title; so many `columns` stand side by side where they fit.

    A figure is Plotly's JSON, its title apart, and its layout has a height.
    """

    title: str
    figures: Sequence[Mapping[str, Any]]
    words: str
    columns: int = 1


@dataclass(frozen=True, slots=True)
class Code:
    """A text as it is, folded away."""

    title: str
    text: str


Part = Text | Markdown | DataTable | Chart | Panels | Code


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page with a heading; `key` is its place in links."""

    key: str
    title: str
    parts: Sequence[Part]


@dataclass(frozen=True, slots=True)
class Page:
    """A page: title, a sentence, numbers, sections."""

    title: str
    lead: str
    numbers: Sequence[Number]
    sections: Sequence[Section]

    def html(self) -> str:
        """Return the page as one HTML file.

        Raises
        ------
        InputError
            If the page has charts and Plotly is not installed.
        """
        writer = _Writer()
        body = "".join(writer.section(section) for section in self.sections)
        links = "".join(f'<a href="#{escape(one.key)}">{escape(one.title)}</a>' for one in self.sections)
        numbers = "".join(
            f'<div class="number"><b>{escape(one.value)}</b><span>{escape(one.name)}</span>'
            f"<small>{escape(one.note)}</small></div>"
            for one in self.numbers
        )
        folder = shipped_folder("configs/pages")
        return Template(read_text(folder / "page.html")).substitute(
            title=escape(self.title),
            lead=escape(self.lead),
            style=read_text(folder / "page.css"),
            script=read_text(folder / "page.js"),
            plotly=plotly_script() if writer.charts else "",
            links=links,
            numbers=numbers,
            body=body,
            data=_embedded({"tables": writer.tables, "charts": writer.charts}),
        )


@dataclass(slots=True)
class _Writer:
    """Writes sections; tables and charts are places in the page, which its script fills from data."""

    tables: list[dict[str, Any]] = field(default_factory=list)
    charts: list[dict[str, Any]] = field(default_factory=list)

    def section(self, section: Section) -> str:
        parts = "".join(self._part(part) for part in section.parts)
        return f'<section id="{escape(section.key)}"><h2>{escape(section.title)}</h2>{parts}</section>'

    def _part(self, part: Part) -> str:
        match part:
            case Text(text):
                return f"<p>{escape(text)}</p>"
            case Markdown(text):
                return _rendered(text)
            case Code(title, text):
                return f"<details><summary>{escape(title)}</summary><pre>{escape(text)}</pre></details>"
            case DataTable():
                return self._table(part)
            case Chart(title, figures, words, height, first):
                chosen = first or next(iter(figures))
                place = self._chart({"figures": dict(figures), "height": height, "first": chosen}, words)
                return _figure(title, words, place)
            case Panels(title, figures, words, columns):
                places = [self._panel(one, words) for one in figures]
                return _figure(title, words, f'<div class="panels columns{columns}">{"".join(places)}</div>')

    def _table(self, table: DataTable) -> str:
        columns = [asdict(one) for one in table.columns]
        self.tables.append({"columns": columns, "rows": [list(row) for row in table.rows], "links": list(table.links)})
        place, title = f'<div class="table" data-table="{len(self.tables) - 1}"></div>', escape(table.title)
        if table.folded:
            return f"<details><summary>{title}</summary>{place}</details>"
        return f"<h3>{title}</h3>{place}"

    def _panel(self, one: Mapping[str, Any], words: str) -> str:
        name = f"<h4>{escape(one['title'])}</h4>" if one["title"] else ""
        place = self._chart({"figures": {"": one}, "height": one["layout"]["height"], "first": ""}, words)
        return f"<div>{name}{place}</div>"

    def _chart(self, chart: dict[str, Any], words: str) -> str:
        self.charts.append(chart)
        number = len(self.charts) - 1
        return f'<div class="chart" data-chart="{number}" role="img" aria-label="{escape(words)}"></div>'


def _figure(title: str, words: str, charts: str) -> str:
    return f"<figure><figcaption><b>{escape(title)}.</b> {escape(words)}</figcaption>{charts}</figure>"


def _rendered(markdown: str) -> str:
    """Return Markdown as HTML; wide tables scroll in their own box."""
    from markdown_it import MarkdownIt

    made = MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown)
    return made.replace("<table>", '<div class="wide"><table>').replace("</table>", "</table></div>")


def _embedded(data: Any) -> str:
    """Return data as JSON that ends no script element."""
    return json.dumps(data, allow_nan=False).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def plotly_script() -> str:
    """Return Plotly's script, which draws charts.

    Raises
    ------
    InputError
        If Plotly is not installed.
    """
    try:
        from plotly.offline import get_plotlyjs
    except ImportError:
        raise InputError("report", "", "its charts take Plotly, which is not installed",
                         "pip install '.[report]' in a clone, or pip install plotly") from None  # fmt: skip
    return str(get_plotlyjs())
