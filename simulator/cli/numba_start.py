"""Numba's start in a process that is ours alone, and what it compiles there."""

import sys
from functools import cache
from time import monotonic
from typing import Any

from simulator.cli.volume import Volume, note, volume

_NOTE = "compiling kernels: up to 20 s of CPU time, once; later runs find them compiled"


@cache
def start_numba() -> None:
    """Load Numba's parts without SciPy, which it takes for products of matrices of floats, where SciPy is installed.

    No kernel has such products, and SciPy's linear algebra takes a fifth of a second. Numba asks once, as it loads its
    functions of arrays, whether SciPy is there. Only a command does so: in a user's session his own kernels may
    multiply matrices.
    """
    if "scipy" not in sys.modules:
        sys.modules["scipy"] = None  # type: ignore[assignment]  # an import of it fails
        try:
            import numba.np.arraymath  # noqa: F401
        finally:
            del sys.modules["scipy"]
    from numba.core import event

    class Listener(event.Listener):  # type: ignore[misc]
        def on_start(self, event: Any) -> None:
            COMPILING.begin()

        def on_end(self, event: Any) -> None:
            COMPILING.end()

    event.register("numba:compile", Listener())


class Compiling:
    """Hears of every kernel that Numba compiles, not of those that it finds compiled; one may hold others."""

    def __init__(self) -> None:
        self._open, self._since, self._seconds, self._shown = 0, 0.0, 0.0, False

    def begin(self) -> None:
        """Hear that a kernel begins."""
        if self._open == 0:
            self._since = monotonic()
        self._open += 1
        self._tell()

    def end(self) -> None:
        """Hear that a kernel is done."""
        self._open -= 1
        if self._open == 0:
            self._seconds += monotonic() - self._since

    def clock(self) -> float:
        """Return seconds of all but compiling."""
        return (self._since if self._open else monotonic()) - self._seconds

    def _tell(self) -> None:
        if self._shown or not (volume() is Volume.VERBOSE or (volume() is Volume.NORMAL and sys.stderr.isatty())):
            return
        self._shown = True
        note(_NOTE)


COMPILING = Compiling()


def working_clock() -> float:
    """Return seconds of all but compiling, from some beginning."""
    return COMPILING.clock()
