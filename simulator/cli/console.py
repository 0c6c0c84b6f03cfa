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
from rich.table import Table
from rich.text import Text

from simulator.cli.volume import Volume, volume
from workloads.foundation.logs import stage
from workloads.foundation.printable import printable

_SECONDS_BETWEEN_LINES = 5.0  # of progress, where it is no terminal
_SECONDS_UNTIL_ESTIMATE = 5.0  # where progress is told in lines
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


@contextmanager
def progress(total: int, first: str = "") -> Iterator[Callable[[str], None]]:
    """Give a function that tells that one step of `total` begins, on stderr; 0 where their number is not known.

    On a terminal a bar shows it, with the time left as far as the steps before give it, and `first` until
    the first step begins; elsewhere, and with --verbose, a plain line does. With --quiet nothing does.
    """
    err = console(stderr=True)
    if volume() is Volume.QUIET:
        yield lambda _: None
        return
    if not err.is_terminal or volume() is Volume.VERBOSE:
        begun = 0
        second = monotonic()  # when the second step began: the first one compiles kernels, and tells nothing

        def say(text: str) -> None:
            nonlocal begun, second
            begun, now = begun + 1, monotonic()
            second = now if begun <= 2 else second
            place = f"[{begun}/{total}] " if total else ""
            err.print(f"{place}{text}{_time_left(begun - 2, total - 1, now - second)}")

        yield say
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )  # fmt: skip

    columns: tuple[Any, ...] = (
        SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(),
        TimeElapsedColumn(), *((TextColumn("left:"), TimeRemainingColumn()) if total else ()),
    )  # fmt: skip
    with Progress(*columns, console=err, transient=True) as bar:
        task, begun_steps = bar.add_task(first, total=total or None), 0

        def advance(text: str) -> None:
            nonlocal begun_steps
            bar.update(task, description=printable(text), completed=begun_steps)
            begun_steps += 1

        yield advance


@contextmanager
def counter(things: str) -> Iterator[Callable[[int, int, str], None]]:
    """Give a function that takes how many things of how many are done, and a word: rate and time left, on stderr.

    On a terminal a bar shows it; elsewhere a plain line does now and then. With --quiet nothing does.
    """
    err, begun = console(stderr=True), monotonic()
    if volume() is Volume.QUIET:
        yield lambda _done, _total, _word: None
        return
    if not err.is_terminal or volume() is Volume.VERBOSE:
        next_at, first, first_at = begun, 0, begun

        def say(done: int, total: int, word: str) -> None:
            nonlocal next_at, first, first_at
            now = monotonic()
            if first == 0 and done > 0:  # the first ones compile kernels, and tell nothing of the rest
                first, first_at = done, now
            if now < next_at and done < total:
                return
            next_at = now + _SECONDS_BETWEEN_LINES
            left = _time_left(done - first, total - first, now - first_at)
            rate = f"{done / max(now - begun, 1e-3):,.1f} a second{left}"
            err.print(f"[{done:,}/{total:,} {things}] {rate}{word and ', ' + word}")

        yield say
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

    columns: tuple[Any, ...] = (
        SpinnerColumn(), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}", markup=False),
        TextColumn("left:"), TimeRemainingColumn(), TextColumn("{task.description}", markup=False),
    )  # fmt: skip
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task("", total=None, rate="")

        def advance(done: int, total: int, word: str) -> None:
            rate = f"{done / max(monotonic() - begun, 1e-3):,.1f} {things} a second"
            bar.update(task, completed=done, total=total, description=printable(word), rate=rate)

        yield advance


@contextmanager
def waiting(text: str) -> Iterator[None]:
    """Show on a terminal what is being done, where it is one step and no one can tell how long it takes."""
    err = console(stderr=True)
    if not err.is_terminal or volume() is not Volume.NORMAL:
        with stage(text):
            yield
        return
    with err.status(Text(printable(text))):
        yield


def _time_left(done: int, total: int, seconds: float) -> str:
    """Return how long the rest takes if it goes on as before; nothing where that is too early or too short to tell."""
    if not 0 < done < total or seconds < _SECONDS_UNTIL_ESTIMATE:
        return ""
    return f", about {duration(float(f'{(total - done) * seconds / done:.2g}'))} left"


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
