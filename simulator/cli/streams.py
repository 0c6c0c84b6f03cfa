"""Standard output and standard error that nobody need read (docs/decisions/0050-streams-that-nobody-reads.md)."""

import io
import os
import sys
from typing import Any


class _Forgiving(io.FileIO):
    """A stream whose reader may leave, as `head` does: the rest is thrown away, and the run goes on.

    Another error, such as a full disk, is raised once; what is written after it is thrown away too.
    """

    _failed = False

    def write(self, data: Any, /) -> int:
        if not self._failed:
            try:
                return super().write(data)
            except BrokenPipeError:
                self._failed = True
            except OSError:
                self._failed = True
                raise
        return memoryview(data).nbytes


def open_streams() -> None:
    """Put a stream in the place of one that is closed, and let readers leave."""
    for name in ("stdin", "stdout", "stderr"):
        stream, own = getattr(sys, name), getattr(sys, f"__{name}__")
        if stream is None:  # closed, as `>&-` does; nothing else may get its number
            handle = os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, os.fdopen(handle, "r" if name == "stdin" else "w", encoding="utf-8"))
        elif name != "stdin" and stream is own:
            stream.flush()
            raw = io.BufferedWriter(_Forgiving(stream.fileno(), "w", closefd=False))
            wrapped = io.TextIOWrapper(raw, stream.encoding, "backslashreplace", line_buffering=stream.line_buffering)
            setattr(sys, name, wrapped)
