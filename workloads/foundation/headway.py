"""How far a long piece of work is: what plans layers tells it, and whoever shows progress hears it.

Work deep in a run tells its headway without a function that is handed down to it. Where work with headway holds other
such work, the outer one alone is heard.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Heard = Callable[[int, int], None]
"""Called with how many parts of how many are done."""

_HEARD: ContextVar[Heard | None] = ContextVar("heard", default=None)


@contextmanager
def hearing(heard: Heard) -> Iterator[None]:
    """Let a function hear the headway of what runs inside."""
    before = _HEARD.set(heard)
    try:
        yield
    finally:
        _HEARD.reset(before)


@contextmanager
def headway(parts: int) -> Iterator[Callable[[], None]]:
    """Give a function to call when one of some parts is done."""
    heard, done = _HEARD.get(), 0
    before = _HEARD.set(None)

    def part_done() -> None:
        nonlocal done
        done += 1
        if heard is not None:
            heard(done, parts)

    try:
        yield part_done
    finally:
        _HEARD.reset(before)
