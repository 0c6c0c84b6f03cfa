"""The terminal: tables that stay plain in a pipe.

Names come from files. They are shown as they are written there: no mark-up, no emoji, and escapes in the place of what
a terminal obeys.
"""

import sys
from collections.abc import Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from workloads.foundation.printable import printable

_PIPE_WIDTH = 200  # a pipe has no width; tables need not be folded there


class Screen(Console):
    """A console that prints texts as they are; lines may have breaks."""

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    def print(self, *objects: Any, **options: Any) -> None:
        """Print texts and tables; in a pipe a text's lines stay whole, since a path may be in them."""
        if not self.is_terminal and all(isinstance(one, str) for one in objects):
            options.setdefault("soft_wrap", True)
        super().print(*(printable(one, keep="\n") if isinstance(one, str) else one for one in objects), **options)


def console(stderr: bool = False) -> Screen:
    """Return a console: coloured and as wide as the terminal, or plain and wide in a pipe."""
    terminal = (sys.stderr if stderr else sys.stdout).isatty()
    return Screen(stderr=stderr, width=None if terminal else _PIPE_WIDTH)


_LONGEST_LINE = 60  # of a text in a table; longer ones are broken


def table(
    title: str, columns: Sequence[tuple[str, bool]], rows: Sequence[Sequence[str]], caption: str | None = None
) -> Table:
    """Return a table; `columns` are (name, whether it holds numbers)."""
    from rich import box

    made = Table(title=Text(printable(title)), title_justify="left", title_style="bold", box=box.SIMPLE_HEAD,
                 caption=None if caption is None else Text(printable(caption)), caption_justify="left",
                 pad_edge=False)  # fmt: skip
    cells = [[printable(cell) for cell in row] for row in rows]
    for place, (name, numeric) in enumerate(columns):
        longest = max((cell_len(row[place]) for row in cells), default=0)
        made.add_column(
            Text(printable(name)), justify="right" if numeric else "left",
            no_wrap=not numeric and longest <= _LONGEST_LINE, min_width=longest if numeric else None,
            max_width=None if numeric else max(_LONGEST_LINE, cell_len(name)),
        )  # fmt: skip
    for row in cells:
        made.add_row(*map(Text, row))
    return made


def long_table(title: str, columns: Sequence[tuple[str, bool]], rows: Sequence[Sequence[str]]) -> str:
    """Return a table as plain text, as wide as it needs: thousands of rows take `rich` minutes."""
    head = [name for name, _ in columns]
    lines = [head, *([_printable(cell) for cell in row] for row in rows)]
    widths = [max(map(cell_len, column)) for column in zip(*lines, strict=True)]

    def aligned(cells: Sequence[str]) -> str:
        padded = [
            " " * (width - cell_len(cell)) + cell if numeric else cell + " " * (width - cell_len(cell))
            for cell, width, (_, numeric) in zip(cells, widths, columns, strict=True)
        ]
        return (" " + "   ".join(padded)).rstrip()

    rule = " " + "─" * (sum(widths) + 3 * (len(widths) - 1))
    return "\n".join([title, "", aligned(head), rule, *map(aligned, lines[1:])])


def _printable(cell: str) -> str:
    """Return a cell without characters that a terminal obeys."""
    return cell if cell.isprintable() else repr(cell)[1:-1]


def print_table(screen: Console, made: Table) -> None:
    """Print a table with every number whole: where a terminal is too narrow, its lines run over."""
    needed = Measurement.get(screen, screen.options.update(max_width=_PIPE_WIDTH), made).maximum
    wide = Screen(file=screen.file, width=max(screen.width, needed), force_terminal=screen.is_terminal)
    wide.print(made)


def thousands(value: int) -> str:
    """Return a count with separators between thousands."""
    return f"{value:,}"


def joules(energy_pj: float) -> str:
    """Return an energy in a unit that reads well."""
    from simulator.outputs.units import energy_unit

    unit, size = energy_unit([energy_pj])
    return f"{energy_pj / size:.4g} {unit}"


def duration(seconds: float) -> str:
    """Return a duration in a unit that reads well."""
    for unit, size in (("d", 86400.0), ("h", 3600.0), ("min", 60.0), ("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.4g} {unit}"
    return f"{seconds * 1e6:.4g} us"


def percent(share: float | None) -> str:
    """Return a share in percent, or a dash."""
    return "-" if share is None else f"{share:.1%}"
