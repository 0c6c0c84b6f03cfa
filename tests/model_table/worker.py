"""Processes that count, so that all cores do, and a model which takes too long or all memory ends alone."""

import multiprocessing
import sys
import threading
import time
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from torchvision_operators import prepare_torchvision

from model_table.rows import Row

STARTING = 300.0  # seconds that a process may take to load a package


class Worker:
    """A process that counts one model after the other."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._end, other = context.Pipe()
        self._process = context.Process(target=serve, args=(other,), daemon=True)
        self._process.start()
        other.close()  # here, so that the end of the process ends the wait for its answer

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


def listed(source: str) -> list[str]:
    """Return the names of all models of a package, in its order; end the command if it cannot be loaded."""
    found: list[str] | None = Worker().ask((source, None), STARTING)
    if found is None:
        sys.exit(f"{source}: its models cannot be listed; is it installed?")
    return found


def counted(source: str, names: Sequence[str], seconds: float, workers: int) -> Iterator[Row]:
    """Yield the rows of some models as they are counted, by so many processes at once.

    A model has so many seconds, whatever the others do, and a process loads its package before they begin.
    """
    mine = threading.local()

    def row_of(name: str) -> Row:
        worker = getattr(mine, "worker", None)
        if worker is None:
            worker = mine.worker = Worker()
            worker.ask((source, None), STARTING)
        began = time.monotonic()
        row: Row | None = worker.ask((source, name), seconds)
        if row is None:
            mine.worker = None
            row = Row(source, name, reason=f"more than {seconds:.0f} s, or no memory")
        row.seconds = round(time.monotonic() - began, 1)
        return row

    pool = ThreadPoolExecutor(workers)
    try:
        for future in as_completed([pool.submit(row_of, name) for name in names]):
            yield future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def serve(end: Connection) -> None:
    """Answer a source with its models' names, and a model with its row."""
    warnings.simplefilter("ignore")
    prepare_torchvision()
    import torch

    from model_table.measure import measure, names

    torch.set_num_threads(1)  # every core has a process
    with suppress(EOFError, BrokenPipeError):  # the command was stopped
        while True:
            source, name = end.recv()
            end.send(names(source) if name is None else measure(source, name))
