"""Run jobs on the workers of a Dask scheduler. A worker that dies costs its jobs another try elsewhere."""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from time import monotonic
from typing import Any

from simulator.jobs.outcome import Answered, Batch, JobT, Lost, ResultT, answered
from workloads.foundation.errors import InputError

_AHEAD = 2  # batches in hand for each thread of a worker, so that none waits for the next one
_CONNECT_SECONDS = 10
_LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Cluster:
    """Runs jobs on a Dask cluster.

    Attributes
    ----------
    address : str
        The scheduler's, such as ``tcp://host:8786``.
    limit_seconds : float, optional
        How long one job may take; the worker that takes longer is started anew by its nanny.
    """

    address: str
    limit_seconds: float | None = None

    def __post_init__(self) -> None:
        """Refuse a cluster where Dask is not installed, before a folder is made."""
        if find_spec("distributed") is None:
            problem = "takes Dask, which is not installed"
            raise InputError("--scheduler", "", problem, "pip install '.[cluster]' in a clone")

    def run(
        self, function: Callable[[JobT], ResultT], batches: Iterable[Batch[JobT]]
    ) -> Iterator[Answered[JobT, ResultT]]:
        """Yield outcomes as they come.

        Raises
        ------
        InputError
            If the scheduler cannot be reached or goes away.
        OSError
            What reading `batches` raises, as it is.
        """
        from distributed import Client

        for name in ("distributed", "tornado", "asyncio"):  # which log tracebacks of what an error says in one line
            logging.getLogger(name).setLevel(logging.CRITICAL)
        try:
            client = Client(self.address, timeout=_CONNECT_SECONDS, set_as_default=False)
        except (OSError, TimeoutError, ValueError) as error:
            problem = f"{self.address} cannot be reached: {error}"
            raise InputError("--scheduler", "", problem, "start it with: dask scheduler") from None
        try:
            with client.as_current():
                yield from _Session(client, self.limit_seconds, function).answers(_read(batches))
        except _ReadingError as reading:
            raise reading.error from None
        except (OSError, CancelledError) as error:  # of the connection: what a job raises is an outcome
            raise InputError("--scheduler", "", f"the scheduler went away: {error}",
                             "start it again and run the same command: it goes on") from None  # fmt: skip
        finally:
            with suppress(OSError, TimeoutError):
                client.close(timeout=_CONNECT_SECONDS)


class _ReadingError(Exception):
    """What came of reading the batches, so that it is not taken for a fault of the connection."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


def _read(batches: Iterable[Any]) -> Iterator[Any]:
    try:
        yield from batches
    except (OSError, CancelledError) as error:
        raise _ReadingError(error) from error


@dataclass(slots=True)
class _Running:
    """A batch on its way, and since when a worker has had it."""

    jobs: Any
    begun: float | None = None


class _Session:
    """One run on a cluster."""

    def __init__(self, client: Any, limit_seconds: float | None, function: Callable[[Any], Any]) -> None:
        self._client, self._limit, self._function = client, limit_seconds, function
        self._running: dict[Any, _Running] = {}
        self._again: deque[Any] = deque()

    def answers(self, batches: Iterator[Any]) -> Iterator[Answered[Any, Any]]:
        """Yield what comes of each batch."""
        from distributed import wait

        while self._fill(batches):
            with suppress(TimeoutError):
                wait(list(self._running), timeout=_LOOK_SECONDS, return_when="FIRST_COMPLETED")
            self._check_scheduler()
            for future in [one for one in self._running if one.done()]:
                yield from self._answer(future, self._running.pop(future))
            yield from self._overdue()

    def _fill(self, batches: Iterator[Any]) -> bool:
        """Send batches to the workers, as many as they can take; return whether any is on its way."""
        while len(self._running) < _AHEAD * max(1, sum(self._client.nthreads().values())):
            jobs = self._again.popleft() if self._again else next(batches, None)
            if jobs is None:
                break
            future = self._client.submit(answered, self._function, jobs, pure=False, retries=0)
            self._running[future] = _Running(jobs)
        return bool(self._running)

    def _answer(self, future: Any, batch: _Running) -> Iterator[Answered[Any, Any]]:
        from distributed import KilledWorker

        if future.status == "finished":
            yield future.result()
            return
        error = future.exception() if future.status == "error" else None
        if error is not None and not isinstance(error, KilledWorker):
            raise error
        yield from self._apart(batch.jobs, "its worker died under it again and again")

    def _apart(self, jobs: Any, reason: str) -> Iterator[Answered[Any, Any]]:
        """Run the jobs of a batch one by one, or give up a job that is alone already."""
        if len(jobs) > 1:
            self._again.extend([job] for job in jobs)
        else:
            yield [(jobs[0], Lost(reason))]

    def _overdue(self) -> Iterator[Answered[Any, Any]]:
        """End the workers that take too long for a batch."""
        if self._limit is None:
            return
        on = {key: worker for worker, keys in self._client.processing().items() for key in keys}
        now = monotonic()
        for future, batch in list(self._running.items()):
            if future.key not in on:
                batch.begun = None
            elif batch.begun is None:
                batch.begun = now
            elif now - batch.begun > self._limit * len(batch.jobs) * _AHEAD:
                del self._running[future]
                future.cancel(force=True)
                self._client.restart_workers([on[future.key]], raise_for_error=False)
                yield from self._apart(batch.jobs, f"took more than {self._limit:g} seconds")

    def _check_scheduler(self) -> None:
        if self._client.status not in ("running", "connecting"):
            raise InputError("--scheduler", "", "the scheduler went away",
                             "start it again and run the same command: it goes on") from None  # fmt: skip
