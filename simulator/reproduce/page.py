"""Pages: the words of an exhibit are in `configs/reproduce/NAME.md`; its numbers come from its module.

A page has front matter in YAML, then paragraphs in Markdown. Where a number belongs stands its name in braces, with a
format as in Python: ``{average:.3f}``. A number of the paper has its place in `configs/paper/` as name:
``{paper[claims][baseline_pes]}``.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulator.outputs.charts.chart import Chart
from simulator.reproduce.exhibit import ExhibitMaker, Picture, Table
from simulator.reproduce.paper import targets
from workloads.foundation.reading import read_text
from workloads.foundation.shipped import shipped_folder
from workloads.foundation.strict_yaml import parse_yaml

FOLDER = "configs/reproduce"


@dataclass(frozen=True)
class Page:
    """The words of one exhibit.

    Attributes
    ----------
    constants : dict
        What tells it from other exhibits of the page: key, rank, title, and what its module asks for.
    body : str
        Its paragraphs.
    words : dict of str
        Other texts by name, such as reasons.
    pictures : dict of str
        By name: what is to be seen.
    tables : dict of dict
        By name: title and columns, and perhaps digits and whether it is shown, as `Table` has them.
    """

    constants: dict[str, Any]
    body: str
    words: Mapping[str, str] = field(default_factory=dict)
    pictures: Mapping[str, str] = field(default_factory=dict)
    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def text(self, **figures: object) -> str:
        """Return the paragraphs with their figures."""
        return filled(self.body, self.constants | figures)

    def say(self, name: str, /, **figures: object) -> str:
        """Return a text by name with its figures."""
        return filled(self.words[name], self.constants | figures)

    def picture(self, name: str, chart: Chart) -> Picture:
        """Return a picture with its text."""
        return Picture(f"{self.constants['key']}-{name}", filled(self.pictures[name], self.constants), chart)

    def table(self, name: str, rows: Iterable[Iterable[Any]], /, **figures: object) -> Table:
        """Return a table with its title and columns, in which figures may stand; a list of names makes columns."""
        words, known = dict(self.tables[name]), self.constants | figures
        columns: list[str] = []
        for column in words.pop("columns"):
            several = known.get(column[1:-1]) if column.startswith("{") else None
            columns += several if isinstance(several, list) else [filled(column, known)]
        title = filled(words.pop("title"), known)
        return Table(f"{self.constants['key']}-{name}", title, tuple(columns), tuple(map(tuple, rows)), **words)


class PagedExhibit(ExhibitMaker):
    """An exhibit whose words are in a page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.key, self.title, self.rank = (page.constants[name] for name in ("key", "title", "rank"))


def pages(name: str) -> list[Page]:
    """Return the exhibits of a page: one for each entry of `exhibits` in its front matter."""
    matter, body = front_matter(shipped_folder(FOLDER) / f"{name}.md")
    return [Page(constants, body, **matter) for constants in matter.pop("exhibits")]


def page(name: str) -> Page:
    """Return the one exhibit of a page."""
    (only,) = pages(name)
    return only


def front_matter(path: Path) -> tuple[dict[str, Any], str]:
    """Return a page's front matter and its body, every paragraph in one line."""
    head, _, body = read_text(path).removeprefix("---\n").partition("\n---\n")
    return dict(parse_yaml(head, str(path))), re.sub(r"\n(?=[^\n-])(?<!\n\n)", " ", body.strip())


def filled(text: str, figures: Mapping[str, object]) -> str:
    """Return a text with its figures in the place of their names."""
    return text.format_map({"paper": targets(), **figures})
