"""The rule by which plans compete (docs/machine.md, "Tiles"): by the time that they take, and by the bytes they move.

Candidates are listed in the order of bounds from below, so that few of them have to be planned: once the next bound is
no better than the best plan so far, no plan behind it is.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from dataflows.plans.plan import Plan

Candidate = TypeVar("Candidate")
Key = tuple[int, ...]
# What candidates are compared by: 0 time, 1 DRAM bytes, 2 bytes through the buffer; then the number of tiles.
Criteria = tuple[int, int, int]
FASTEST: Criteria = (0, 1, 2)
FEWEST_BYTES: Criteria = (1, 2, 0)
FAST_OF_FEW_TILES: Criteria = (3, 1, 2)  # only to list by: such plans are soon made, and seldom much slower
TIMES = (0, 3)  # the criteria that are times
NO_LIMIT = 1 << 62
# Lists candidates by the criteria, each with its key: bounds from below of the three and the number of tiles. Those that
# for certain take longer than the limit are left out.
Listing = Callable[[Criteria, int], Iterator[tuple[Key, Candidate]]]


@dataclass(frozen=True, slots=True)
class Measured:
    """A plan with what it is compared by."""

    plan: Plan
    values: tuple[int, int, int]

    @classmethod
    def of(cls, plan: Plan, cycles: int) -> "Measured":
        """Measure a plan that takes so many cycles."""
        c = plan.counts
        moved = c.dram_read_bytes + c.dram_write_bytes
        return cls(plan, (cycles, moved, c.buffer_read_bytes + c.buffer_write_bytes))

    def key(self, criteria: Criteria) -> Key:
        """Return the values in the order of the criteria, and the number of tiles."""
        return (*(self.values[i] for i in criteria), len(self.plan.loads))


@dataclass
class Contest(Generic[Candidate]):
    """Candidates for one op."""

    listing: Listing[Candidate]
    plan_of: Callable[[Candidate], Measured]
    measured: dict[Candidate, Measured] = field(default_factory=dict)

    def winner(self, slack_percent: int | None) -> Measured | None:
        """Return the plan that the rule takes; None where there is no candidate.

        Of the plans that take at most so much longer than the fastest (None: however long) the one of fewest DRAM bytes,
        of these the one of fewest bytes through the buffer, of these the fastest, of these the one of fewest tiles.
        """
        if slack_percent is None:
            return self.first(FEWEST_BYTES)
        fastest = _Fastest(self, slack_percent)
        return self.first(FEWEST_BYTES, fastest.limit(fastest.time), fastest.allows)

    def measure(self, candidate: Candidate) -> Measured:
        """Plan a candidate, once."""
        if candidate not in self.measured:
            self.measured[candidate] = self.plan_of(candidate)
        return self.measured[candidate]

    def first(
        self, criteria: Criteria, most_time: int = NO_LIMIT, allows: Callable[[int], bool] = lambda _: True
    ) -> Measured | None:
        """Return the plan that comes first by the criteria, of those whose time is allowed."""
        best = None
        for bound, candidate in self.listing(criteria, most_time):
            if best is not None and best.key(criteria) <= bound[:4]:
                break
            one = self.measure(candidate)
            if (best is None or one.key(criteria) < best.key(criteria)) and allows(one.values[0]):
                best = one
        return best


class _Fastest:
    """The least time of all candidates, found as exactly as it is asked for."""

    def __init__(self, contest: Contest[Candidate], slack_percent: int) -> None:
        self.contest, self.slack_percent = contest, slack_percent
        self.listed = contest.listing(FASTEST, NO_LIMIT)
        self.following = next(self.listed, None)
        # The time of the fastest so far, and what none is below.
        self.time = self.bound = NO_LIMIT
        if self.following is not None:
            first = next(contest.listing(FAST_OF_FEW_TILES, NO_LIMIT))
            self.time, self.bound = contest.measure(first[1]).values[0], self.following[0][0]

    def limit(self, time: int) -> int:
        """Return the longest time that is fast enough where the fastest plan takes `time`."""
        return time + time * self.slack_percent // 100

    def allows(self, time: int) -> bool:
        """Whether a time is fast enough."""
        while self.limit(self.bound) < time <= self.limit(self.time):
            self._plan_one()
        return time <= self.limit(self.time)

    def _plan_one(self) -> None:
        if self.following is not None:
            self.time = min(self.time, self.contest.measure(self.following[1]).values[0])
            self.following = next(self.listed, None)
        self.bound = self.time if self.following is None else min(self.time, self.following[0][0])
