"""Run jobs in processes of this machine. A process that dies or hangs costs one job a second try."""

import gc
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import parent_process
from multiprocessing.context import SpawnContext, SpawnProcess
from threading import Thread
from typing import Any

from simulator.jobs.outcome import Answered, Batch, JobT, Lost, ResultT, answered

_MOST_POOLS = 5
_AHEAD = 2  # batches in hand for each process, so that none waits for the next one


class _Process(SpawnProcess):
    """A process that does not run the user's script again: a job needs none of it, and the script starts the jobs."""

    def start(self) -> None:
        """Start it, while the script looks like none."""
        main = sys.modules["__main__"]
        hidden: dict[str, Any] = {name: vars(main).pop(name) for name in ("__file__", "__spec__") if name in vars(main)}
        main.__spec__ = None
        try:
            super().start()
        finally:
            vars(main).update(hidden)


class _Context(SpawnContext):
    """Makes new processes, not forked ones: the parent may have threads, of a progress bar for one."""

    Process = _Process


@dataclass(frozen=True, slots=True)
class Here:
    """Runs jobs in this process, one after the other, without a time limit."""

    def run(
        self, function: Callable[[JobT], ResultT], batches: Iterable[Batch[JobT]]
    ) -> Iterator[Answered[JobT, ResultT]]:
        """Yield each batch's outcomes."""
        for batch in batches:
            yield answered(function, batch)


@dataclass(frozen=True, slots=True)
class Processes:
    """Runs jobs in processes.

    Attributes
    ----------
    count : int
        Number of processes.
    limit_seconds : float, optional
        How long one job may take; a process that takes longer is ended.
    """

    count: int
    limit_seconds: float | None = None

    def run(
        self, function: Callable[[JobT], ResultT], batches: Iterable[Batch[JobT]]
    ) -> Iterator[Answered[JobT, ResultT]]:
        """Yield outcomes as they come; a batch whose process was lost is run again job by job."""
        from pebble import ProcessPool  # a process of a job need not load it

        rest, again = iter(batches), deque[_Try]()
        for _ in range(_MOST_POOLS):
            pool = ProcessPool(max_workers=self.count, context=_Context(), initializer=_begin)
            try:
                yield from self._answers(pool, function, rest, again)
                pool.close()
                return
            except BrokenProcessPool:  # by a kill in the moment in which a process took its next batch
                continue
            finally:
                pool.stop()
                pool.join()
        raise RuntimeError(f"the pool of processes broke {_MOST_POOLS} times")

    def _answers(
        self, pool: Any, function: Callable[[JobT], ResultT], batches: Iterator[Batch[JobT]], again: "deque[_Try]"
    ) -> Iterator[Answered[JobT, ResultT]]:
        running: dict[Future[Any], _Try] = {}
        while True:
            while len(running) < self.count * _AHEAD:
                batch = again.popleft() if again else _first_try(next(batches, None))
                if batch is None:
                    break
                limit = None if self.limit_seconds is None else self.limit_seconds * len(batch.jobs)
                try:
                    running[pool.schedule(answered, args=(function, batch.jobs), timeout=limit)] = batch
                except RuntimeError:
                    again.extend([batch, *running.values()])
                    raise BrokenProcessPool from None
            if not running:
                return
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                if isinstance(future.exception(), BrokenProcessPool):
                    again.extend(running.values())
                    raise BrokenProcessPool
                batch = running.pop(future)
                reason = self._why_lost(future)
                if reason is None:
                    yield future.result()
                elif len(batch.jobs) > 1:
                    again.extend(_Try([job], 1) for job in batch.jobs)
                elif batch.number == 1 and "killed" in reason:
                    again.append(_Try(batch.jobs, 2))
                else:
                    yield [(batch.jobs[0], Lost(reason))]

    def _why_lost(self, future: "Future[Any]") -> str | None:
        from pebble import ProcessExpired

        error = future.exception()
        if error is None:
            return None
        if isinstance(error, TimeoutError):
            return f"took more than {self.limit_seconds:g} seconds"
        if isinstance(error, ProcessExpired):
            return f"its process was killed twice (exit code {error.exitcode})"
        raise error


@dataclass(frozen=True, slots=True)
class _Try:
    """A batch, and which try it is."""

    jobs: Any
    number: int


def _first_try(batch: Any) -> _Try | None:
    return None if batch is None else _Try(batch, 1)


def _begin() -> None:
    """Prepare a process for jobs.

    It looks for cycles of garbage less often: plans make many objects and no cycles, and the search takes a fifth. It
    ends with the process that started it, and only so: Ctrl-C reaches both.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
