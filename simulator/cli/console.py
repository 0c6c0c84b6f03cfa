"""The terminal: tables that stay plain in a pipe, and progress on stderr.

Names come from files. They are shown as they are written there: no mark-up, no emoji, and escapes in the place of what
a terminal obeys.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.measure import Measurement
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)  # fmt: skip
from rich.table import Table
from rich.text import Text

from workloads.foundation.printable import printable

_SECONDS_BETWEEN_LINES = 5.0  # of progress, where it is no terminal
_PIPE_WIDTH = 200  # a pipe has no width; tables need not be folded there


class Screen(Console):
    """A console that prints texts as they are; lines may have breaks."""

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    def print(self, *objects: Any, **options: Any) -> None:
        """Print texts and tables."""
        super().print(*(printable(one, keep="\n") if isinstance(one, str) else one for one in objects), **options)


def console(stderr: bool = False) -> Screen:
    """Return a console: coloured and as wide as the terminal, or plain and wide in a pipe."""
    terminal = (sys.stderr if stderr else sys.stdout).isatty()
    return Screen(stderr=stderr, width=None if terminal else _PIPE_WIDTH)


def table(
    title: str, columns: Sequence[tuple[str, bool]], rows: Sequence[Sequence[str]], caption: str | None = None
) -> Table:
    """Return a table; `columns` are (name, whether it holds numbers)."""
    from rich import box

    made = Table(title=Text(printable(title)), title_justify="left", title_style="bold", box=box.SIMPLE_HEAD,
                 caption=None if caption is None else Text(printable(caption)), caption_justify="left",
                 pad_edge=False)  # fmt: skip
    for name, numeric in columns:
        made.add_column(Text(printable(name)), justify="right" if numeric else "left", no_wrap=not numeric)
    for row in rows:
        made.add_row(*(Text(printable(cell)) for cell in row))
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


@contextmanager
def progress(total: int) -> Iterator[Callable[[str], None]]:
    """Give a function that reports one step of `total`: a bar on a terminal, else a plain line, on stderr."""
    err = console(stderr=True)
    if not err.is_terminal:
        done = 0

        def say(text: str) -> None:
            nonlocal done
            done += 1
            err.print(f"[{done}/{total}] {text}" if total else text)

        yield say
        return
    columns: tuple[Any, ...] = (
        SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(),
        TimeElapsedColumn(),
    )  # fmt: skip
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task("", total=total or None)

        def advance(text: str) -> None:
            bar.update(task, description=printable(text), advance=1)

        yield advance


@contextmanager
def counter(things: str) -> Iterator[Callable[[int, int, str], None]]:
    """Give a function that takes how many things of how many are done, and a word: rate and time left, on stderr.

    A bar on a terminal; elsewhere a plain line now and then.
    """
    err, begun = console(stderr=True), monotonic()
    if not err.is_terminal:
        next_at = begun

        def say(done: int, total: int, word: str) -> None:
            nonlocal next_at
            now = monotonic()
            if now < next_at and done < total:
                return
            next_at = now + _SECONDS_BETWEEN_LINES
            rate = done / max(now - begun, 1e-3)
            left = f", {duration((total - done) / rate)} left" if 0 < done < total else ""
            err.print(f"[{done:,}/{total:,} {things}] {rate:,.1f} a second{left}{word and ', ' + word}")

        yield say
        return
    columns: tuple[Any, ...] = (
        SpinnerColumn(), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}", markup=False),
        TimeRemainingColumn(), TextColumn("{task.description}", markup=False),
    )  # fmt: skip
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task("", total=None, rate="")

        def advance(done: int, total: int, word: str) -> None:
            rate = f"{done / max(monotonic() - begun, 1e-3):,.1f} {things} a second"
            bar.update(task, completed=done, total=total, description=printable(word), rate=rate)

        yield advance


def thousands(value: int) -> str:
    """Return a count with separators between thousands."""
    return f"{value:,}"


def joules(energy_pj: float) -> str:
    """Return an energy in a unit that reads well."""
    value = energy_pj * 1e-12
    for unit, size in (("kJ", 1e3), ("J", 1.0), ("mJ", 1e-3), ("uJ", 1e-6)):
        if value >= size:
            return f"{value / size:.4g} {unit}"
    return f"{energy_pj:.4g} pJ"


def duration(seconds: float) -> str:
    """Return a duration in a unit that reads well."""
    for unit, size in (("d", 86400.0), ("h", 3600.0), ("min", 60.0), ("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.4g} {unit}"
    return f"{seconds * 1e6:.4g} us"


def percent(share: float | None) -> str:
    """Return a share in percent, or a dash."""
    return "-" if share is None else f"{share:.1%}"
