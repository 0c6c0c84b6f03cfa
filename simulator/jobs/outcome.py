"""What became of a job."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from workloads.foundation.errors import InputError
from workloads.foundation.printable import printable

JobT = TypeVar("JobT")
ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class Done(Generic[ResultT]):
    """A job that has a result."""

    result: ResultT


@dataclass(frozen=True, slots=True)
class Refused:
    """A job whose input is wrong: it fails again each time. `reason` is one line."""

    reason: str


@dataclass(frozen=True, slots=True)
class Lost:
    """A job that was killed, ran too long, or hit a fault of the program: another try may succeed."""

    reason: str


Outcome = Done[ResultT] | Refused | Lost
Batch = Sequence[JobT]
Answered = list[tuple[JobT, Outcome[ResultT]]]


class Workers(Protocol):
    """Runs batches of jobs. What one job does to its process costs no other job its result."""

    def run(
        self, function: Callable[[JobT], ResultT], batches: Iterable[Batch[JobT]]
    ) -> Iterator[Answered[JobT, ResultT]]:
        """Yield each batch's jobs with their outcomes, as they come; the jobs of one batch may come apart."""


def answered(function: Callable[[JobT], ResultT], batch: Batch[JobT]) -> Answered[JobT, ResultT]:
    """Return what becomes of each job of a batch in this process."""
    return [(job, _outcome(function, job)) for job in batch]


def _outcome(function: Callable[[JobT], ResultT], job: JobT) -> Outcome[ResultT]:
    try:
        return Done(function(job))
    except InputError as error:
        return Refused(str(error))
    except Exception as error:
        return Lost(printable(" ".join(f"{type(error).__name__}: {error}".split()))[:500])
