"""Pages that commands write: rows of tables, and text whose lines end at 100 columns."""

import re
from collections.abc import Sequence
from itertools import groupby
from textwrap import TextWrapper

_WIDTH = 100
# A code span, or the address of a link: its spaces stay in their line.
_UNBROKEN = re.compile(r"`[^`]+`|\]\([^)]*\)")
_MARKUP = ("|", "#", "<!--", "```")


def table_row(cells: Sequence[str]) -> str:
    """Return a row of a Markdown table, with its line end."""
    return f"| {' | '.join(cells)} |\n"


def table_head(cells: Sequence[str]) -> str:
    """Return the first two lines of a table."""
    return table_row(cells) + "|" + "---|" * len(cells) + "\n"


def wrapped(text: str) -> str:
    """Return Markdown whose paragraphs and list items end their lines at 100 columns.

    Tables, headings and comments stay as they are. The text has no code blocks.
    """
    lines: list[str] = []
    for kind, group in groupby(text.splitlines(), _kind):
        paragraph = list(group)
        if kind != "text":
            lines += paragraph
            continue
        for item in re.split(r"\n(?=- )", "\n".join(paragraph)):
            lines += _filled(" ".join(item.split()))
    return "\n".join(lines) + "\n"


def _kind(line: str) -> str:
    return "blank" if not line.strip() else "markup" if line.startswith(_MARKUP) else "text"


def _filled(text: str) -> list[str]:
    wrapper = TextWrapper(_WIDTH, break_long_words=False, break_on_hyphens=False)
    wrapper.subsequent_indent = "  " if text.startswith("- ") else ""
    kept = _UNBROKEN.sub(lambda match: match[0].replace(" ", "\0"), text)
    return [line.replace("\0", " ") for line in wrapper.wrap(kept)]
