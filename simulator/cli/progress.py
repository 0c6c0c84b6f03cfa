"""Progress on stderr: a bar with the time left on a terminal, plain lines elsewhere, nothing with --quiet.

The time in which kernels are compiled is not counted: it comes once, and tells nothing of the rest.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

from simulator.cli.console import console
from simulator.cli.numba_start import working_clock
from simulator.cli.volume import Volume, volume
from workloads.foundation.headway import hearing
from workloads.foundation.logs import stage
from workloads.foundation.printable import printable

_SECONDS_BETWEEN_LINES = 5.0  # of progress, where it is no terminal
_SECONDS_UNTIL_ESTIMATE = 5.0  # where progress is shown in lines
_SECONDS_UNTIL_SHOWN = 1.0  # of an estimate, on a bar


class _Pace:
    """The time left, if the rest goes on as what was done since a beginning."""

    def __init__(self, shortest: float) -> None:
        self._shortest, self._begin, self._from = shortest, working_clock(), 0.0

    def restart(self, done: float = 0.0) -> None:
        """Forget what was done until now."""
        self._begin, self._from = working_clock(), done

    def left(self, done: float, total: float) -> str:
        """Return how long the rest takes; nothing where that is too early or too short to tell."""
        done, total, seconds = done - self._from, total - self._from, working_clock() - self._begin
        if not 0 < done < total or seconds < self._shortest:
            return ""
        return _words_of((total - done) * seconds / done)


def _words_of(seconds: float) -> str:
    """Return a time left with two digits; it is an estimate."""
    if seconds < 1:
        return "less than 1 s left"
    unit, size = next(pair for pair in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)) if seconds >= pair[1])
    return f"about {float(f'{seconds / size:.2g}'):g} {unit} left"


def _in_lines() -> bool:
    return not console(stderr=True).is_terminal or volume() is Volume.VERBOSE


@contextmanager
def progress(total: int, first: str = "") -> Iterator[Callable[[str], None]]:
    """Give a function that tells that one step of `total` begins, on stderr; 0 where their number is not known.

    On a terminal a bar shows it; elsewhere, and with --verbose, a plain line does. `first` is what runs until the first
    step begins. Where it, or a step, tells its headway, a bar shows that as well, and a line does now and then.
    """
    if volume() is Volume.QUIET:
        yield lambda _: None
    elif _in_lines():
        with _steps_in_lines(total, first) as say:
            yield say
    else:
        with _steps_on_a_bar(total, first) as say:
            yield say


@contextmanager
def _steps_in_lines(total: int, first: str) -> Iterator[Callable[[str], None]]:
    err, pace = console(stderr=True), _Pace(_SECONDS_UNTIL_ESTIMATE)
    begun, text, next_at = 0, first, monotonic() + _SECONDS_BETWEEN_LINES

    def line(said: str, left: str) -> None:
        place = f"[{begun}/{total}] " if total and begun else ""
        err.print(f"{place}{said}{left and ', ' + left}")

    def say(step: str) -> None:
        nonlocal begun, text
        begun, text = begun + 1, step
        if begun == 1:
            pace.restart()
        line(step, pace.left(begun - 1, total))

    def heard(done: int, parts: int) -> None:
        nonlocal next_at
        if monotonic() < next_at or done == parts:
            return
        next_at = monotonic() + _SECONDS_BETWEEN_LINES
        left = pace.left(begun - 1 + done / parts, total) if begun else pace.left(done, parts)
        line(f"{text}, {done:,} of {parts:,} parts", left)

    with hearing(heard):
        yield say


@contextmanager
def _steps_on_a_bar(total: int, first: str) -> Iterator[Callable[[str], None]]:
    pace, begun = _Pace(_SECONDS_UNTIL_SHOWN), 0
    with _bar(total or None, first) as update:

        def say(step: str) -> None:
            nonlocal begun
            begun += 1
            if begun == 1:
                pace.restart()
            update(step, begun - 1, total or None, pace.left(begun - 1, total))

        def heard(done: int, parts: int) -> None:
            if begun and total:
                place = begun - 1 + done / parts
                update(None, place, total, pace.left(place, total))
            elif not begun:
                update(None, done, parts, pace.left(done, parts))

        with hearing(heard):
            yield say


@contextmanager
def counter(things: str) -> Iterator[Callable[[int, int, str], None]]:
    """Give a function that takes how many things of how many are done, and a word: rate and time left, on stderr.

    On a terminal a bar shows it; elsewhere a plain line does now and then. With --quiet nothing does.
    """
    err, begun, lines = console(stderr=True), monotonic(), _in_lines()
    if volume() is Volume.QUIET:
        yield lambda _done, _total, _word: None
        return
    pace, next_at, first = _Pace(_SECONDS_UNTIL_ESTIMATE if lines else _SECONDS_UNTIL_SHOWN), begun, 0

    def rate_and_left(done: int, total: int) -> tuple[str, str]:
        """Return the rate and the time left."""
        nonlocal first
        if first == 0 and done > 0:  # the first ones compile kernels in their processes, and tell nothing of the rest
            first = done
            pace.restart(done)
        rate = f"{done / max(monotonic() - begun, 1e-3):,.1f} {things} a second" if done else ""
        return rate, pace.left(done, total)

    def say(done: int, total: int, word: str) -> None:
        nonlocal next_at
        rate, left = rate_and_left(done, total)
        if monotonic() < next_at and done < total:
            return
        next_at = monotonic() + _SECONDS_BETWEEN_LINES
        err.print(
            " ".join(filter(None, (f"[{done:,}/{total:,} {things}]", ", ".join(filter(None, (rate, left, word))))))
        )

    if lines:
        yield say
        return
    with _bar(None, "") as update:

        def advance(done: int, total: int, word: str) -> None:
            rate, left = rate_and_left(done, total)
            update(", ".join(filter(None, (rate, word))), done, total, left)

        yield advance


@contextmanager
def _bar(total: int | None, text: str) -> Iterator[Callable[[str | None, float, float | None, str], None]]:
    """Give a function that sets a bar's text (nothing: as before), what is done, of how much, and the time left."""
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns: tuple[Any, ...] = (
        SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(),
        TextColumn("{task.fields[place]}", markup=False), TimeElapsedColumn(),
        TextColumn("{task.fields[left]}", markup=False),
    )  # fmt: skip
    with Progress(*columns, console=console(stderr=True), transient=True) as bar:
        task = bar.add_task(printable(text), total=total, place="", left="")

        def update(text: str | None, done: float, total: float | None, left: str) -> None:
            said = None if text is None else printable(text)
            place = f"{int(done):,}/{total:,}" if total else ""
            bar.update(task, description=said, completed=done, total=total, place=place, left=left)

        yield update


@contextmanager
def waiting(text: str) -> Iterator[None]:
    """Show on a terminal what is being done, where it is one step; its headway, where it tells it."""
    with stage(text), progress(0, text):
        yield
