"""The rule by which plans compete (docs/machine.md, "Tiles"): by the time that they take, and by the bytes they move.

Candidates are listed in the order of bounds from below, so that few of them have to be planned: once the next bound is
no better than the best plan so far, no plan behind it is.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from dataflows.plans.plan import Plan

Candidate = TypeVar("Candidate")
Key = tuple[int, ...]
# What candidates are compared by: 0 time, 1 DRAM bytes, 2 bytes through the buffer; then the number of tiles.
Criteria = tuple[int, int, int]
FASTEST: Criteria = (0, 1, 2)
FEWEST_BYTES: Criteria = (1, 2, 0)
NO_LIMIT = 1 << 62
# Lists candidates by the criteria, each with its key: bounds from below of the three and the number of tiles. Those
# that for certain take longer than the limit are left out.
Listing = Callable[[Criteria, int], Iterator[tuple[Key, Candidate]]]


MOST_KEPT_TILES = 4096


@dataclass(frozen=True, slots=True)
class Measured:
    """What a plan is compared by, with the plan, unless it is so large that it is made again where it is taken."""

    plan: Plan | None
    values: tuple[int, int, int]
    tiles: int

    @classmethod
    def of(cls, plan: Plan, cycles: int) -> "Measured":
        """Measure a plan that takes so many cycles."""
        c = plan.counts
        moved = c.dram_read_bytes + c.dram_write_bytes
        return cls(plan, (cycles, moved, c.buffer_read_bytes + c.buffer_write_bytes), len(plan.loads))

    def key(self, criteria: Criteria) -> Key:
        """Return the values in the order of the criteria, and the number of tiles."""
        return (*(self.values[i] for i in criteria), self.tiles)


@dataclass
class Contest(Generic[Candidate]):
    """Candidates for one op.

    Attributes
    ----------
    listing, plan_of : callable
        They list candidates, and plan and measure one.
    quick : callable
        Returns what no candidate's time is below, and a candidate that is soon planned and seldom much slower than the
        fastest; None where there is no candidate.
    """

    listing: Listing[Candidate]
    plan_of: Callable[[Candidate], Measured]
    quick: Callable[[], tuple[int, Candidate] | None]
    measured: dict[Candidate, Measured] = field(default_factory=dict)

    def winner(self, slack_percent: int | None) -> Measured | None:
        """Return the plan that the rule takes; None where there is no candidate.

        Of the plans that take at most so much longer than the fastest (None: however long) the one of fewest DRAM
        bytes, of these the one of fewest bytes through the buffer, of these the fastest, of these that of fewest tiles.
        """
        if slack_percent is None:
            return self.first(FEWEST_BYTES)
        fastest = _Fastest(self, slack_percent)
        return self.first(FEWEST_BYTES, fastest.limit(fastest.time), fastest.allows)

    def measure(self, candidate: Candidate) -> Measured:
        """Plan a candidate, once."""
        if candidate not in self.measured:
            one = self.plan_of(candidate)
            # thousands of plans of many tiles, kept while one op is planned, fill the memory
            self.measured[candidate] = one if one.tiles <= MOST_KEPT_TILES else replace(one, plan=None)
        return self.measured[candidate]

    def candidate(self, one: Measured) -> Candidate:
        """Return the candidate that was measured so."""
        return next(candidate for candidate, other in self.measured.items() if other is one)

    def plan(self, one: Measured) -> Plan:
        """Return the plan that was measured so."""
        plan = one.plan if one.plan is not None else self.plan_of(self.candidate(one)).plan
        assert plan is not None
        return plan

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
        self.listed: Iterator[tuple[Key, Candidate]] | None = None  # by time; begun where a decision needs it
        # The time of the fastest so far, and what none is below.
        self.time = self.bound = NO_LIMIT
        first = contest.quick()
        if first is not None:
            self.time, self.bound = contest.measure(first[1]).values[0], first[0]

    def limit(self, time: int) -> int:
        """Return the longest time that is fast enough where the fastest plan takes `time`."""
        return time + time * self.slack_percent // 100

    def allows(self, time: int) -> bool:
        """Whether a time is fast enough."""
        while self.limit(self.bound) < time <= self.limit(self.time):
            self._plan_one()
        return time <= self.limit(self.time)

    def _plan_one(self) -> None:
        """Raise the bound to the next candidate's, and plan that one where it may be the fastest."""
        if self.listed is None:
            self.listed = self.contest.listing(FASTEST, NO_LIMIT)
        key, candidate = next(self.listed, ((NO_LIMIT,), None))
        self.bound = min(self.time, key[0])
        if candidate is not None and key[0] < self.time:
            self.time = min(self.time, self.contest.measure(candidate).values[0])
            self.bound = min(self.time, self.bound)
