"""Compute the points that a store lacks, on any workers, and keep each result as it comes."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice

from simulator.jobs.model_version import model_version
from simulator.jobs.outcome import Outcome, Refused, Workers
from simulator.sweep.point import Point, totals
from simulator.sweep.store import Keyed, Store
from workloads.foundation.errors import InputError
from workloads.foundation.extensions import extension_packages

_BLOCK = 256  # points that are looked up in the store at once
_BATCH = 16  # points that travel to a worker together
Said = Callable[[int, int, str], None]
"""Called with how many points of how many are done, and a word about the last ones."""
Totals = tuple[int | float, ...]


def sweep_version() -> str:
    """Return the version of what computes a sweep's rows: the model, and extension packages that may give parts."""
    model, packages = model_version("simulator/area/", "simulator/sweep/point.py"), extension_packages()
    return sha256(json.dumps([model, packages], sort_keys=True).encode()).hexdigest() if packages else model


@dataclass(slots=True)
class Progress:
    """Counts points; `total` of them are expected."""

    total: int
    said: Said
    done: int = 0

    def add(self, count: int, word: str) -> None:
        """Count points that are done."""
        self.done += count
        self.said(self.done, self.total, word)


def run_points(
    points: Iterable[Point], store: Store, sweep: str, first: int, workers: Workers, progress: Progress
) -> int:
    """Place points in a store, from the number `first` on, and compute those that it lacks; return how many there are.

    The memory does not grow with the number of points.
    """
    waiting: set[str] = set()
    count = 0

    def missing() -> Iterator[list[Keyed]]:
        nonlocal count
        rest = iter(points)
        while block := list(islice(rest, _BLOCK)):
            keyed = [_keyed(point, store.model) for point in block]
            store.place(sweep, first + count, [one for one, _ in keyed])
            count += len(block)
            store.keep((one, outcome) for one, outcome in keyed if outcome is not None)
            known = store.finished([one.key for one, _ in keyed]) | waiting
            lacking = {one.key: one for one, _ in keyed if one.key not in known}
            waiting.update(lacking)
            found_there = len(block) - len(lacking)
            progress.add(found_there, "from the store" if found_there else "")
            found = list(lacking.values())
            yield from (found[start : start + _BATCH] for start in range(0, len(found), _BATCH))

    for answers in workers.run(compute, missing()):
        store.keep(answers)
        waiting.difference_update(one.key for one, _ in answers)
        progress.add(len(answers), "")
    return count


def compute(one: Keyed) -> Totals:
    """Return the totals of a point."""
    return totals(one.point)


def _keyed(point: Point, model: str) -> tuple[Keyed, Outcome[Totals] | None]:
    """Return a point with its key; one whose machine is wrong has its outcome already."""
    try:
        return Keyed(point.key(point.spec(), model), point), None
    except InputError as error:
        text = json.dumps([point.trace, point.apart_from_design, point.design, model])
        return Keyed(sha256(text.encode()).hexdigest(), point), Refused(str(error))
