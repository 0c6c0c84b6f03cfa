"""A process that counts, so that a model which takes too long or all memory ends alone."""

import multiprocessing
import warnings
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from torchvision_operators import prepare_torchvision


class Worker:
    """A process that counts one model after the other."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._end, other = context.Pipe()
        self._process = context.Process(target=serve, args=(other,), daemon=True)
        self._process.start()

    def ask(self, request: Any, seconds: float) -> Any:
        """Return the answer, None if none came in time; then the process is gone."""
        try:
            self._end.send(request)
            if self._end.poll(seconds):
                return self._end.recv()
        except (EOFError, OSError):  # it died, of memory for one
            pass
        self._process.kill()
        self._process.join()
        return None


def serve(end: Connection) -> None:
    """Answer a source with its models' names, and a model with its row."""
    warnings.simplefilter("ignore")
    prepare_torchvision()
    from model_table.measure import measure, names

    with suppress(EOFError, BrokenPipeError):  # the command was stopped
        while True:
            source, name = end.recv()
            end.send(names(source) if name is None else measure(source, name))
