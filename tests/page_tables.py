"""Tables that a command writes into a page, each between ``<!-- begin: NAME -->`` and ``<!-- end: NAME -->``."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return a table's lines."""
    first, *rest = ("| " + " | ".join(row) + " |" for row in (head, *rows))
    return [first, "|" + "---|" * len(head), *rest]


def write_tables(page: str, tables: Mapping[str, Sequence[str]]) -> None:
    """Replace the tables of a page of docs/ by new ones."""
    path = DOCS / f"{page}.md"
    lines = path.read_text(encoding="utf-8").splitlines()
    for name, block in tables.items():
        begin, end = (lines.index(f"<!-- {mark}: {name} -->") for mark in ("begin", "end"))
        lines[begin + 1 : end] = ["", *block, ""]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
