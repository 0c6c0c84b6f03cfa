"""The rule by which plans compete (docs/machine.md, "Tiles"): by the time that they take, and by the bytes they move.

Candidates are listed in the order of bounds from below, so that few of them have to be measured: once the next bound is
no better than the best so far, none behind it is.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

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


class Measured(NamedTuple):
    """What a plan is compared by.

    Attributes
    ----------
    values : (int, int, int)
        Time alone on the channel, DRAM bytes, bytes through the buffer.
    tiles : int
        How many there are.
    compute_cycles : int
        See `Plan`; nothing is compared by them, but they show that a plan is what was measured.
    """

    values: tuple[int, int, int]
    tiles: int
    compute_cycles: int

    @classmethod
    def of(cls, plan: Plan, cycles: int) -> "Measured":
        """Measure a plan that takes so many cycles."""
        c = plan.counts
        moved = c.dram_read_bytes + c.dram_write_bytes
        values = cycles, moved, c.buffer_read_bytes + c.buffer_write_bytes
        return cls(values, len(plan.loads), plan.compute_cycles)

    def key(self, criteria: Criteria) -> Key:
        """Return the values in the order of the criteria, and the number of tiles."""
        return (*(self.values[i] for i in criteria), self.tiles)


@dataclass
class Contest(Generic[Candidate]):
    """Candidates for one op.

    Attributes
    ----------
    listing, measure_one : callable
        They list candidates, and measure one.
    quick : callable
        Returns what no candidate's time is below, and a candidate that is soon measured and seldom much slower than the
        fastest; None where there is no candidate.
    """

    listing: Listing[Candidate]
    measure_one: Callable[[Candidate], Measured]
    quick: Callable[[], tuple[int, Candidate] | None]
    measured: dict[Candidate, Measured] = field(default_factory=dict)

    def winner(self, slack_percent: int | None) -> Candidate | None:
        """Return the candidate that the rule takes; None where there is none.

        Plans that are at most `slack_percent` slower than the fastest one compete (None: all plans). The one with the
        fewest DRAM bytes wins, then the fewest bytes through the buffer, then the least time, then the fewest tiles.
        """
        if slack_percent is None:
            return self.first(FEWEST_BYTES)
        fastest = _Fastest(self, slack_percent)
        return self.first(FEWEST_BYTES, fastest.limit(fastest.time), fastest.allows)

    def measure(self, candidate: Candidate) -> Measured:
        """Measure a candidate, once."""
        one = self.measured.get(candidate)
        if one is None:
            one = self.measured[candidate] = self.measure_one(candidate)
        return one

    def first(
        self, criteria: Criteria, most_time: int = NO_LIMIT, allows: Callable[[int], bool] = lambda _: True
    ) -> Candidate | None:
        """Return the candidate that comes first by the criteria, of those whose time is allowed."""
        best, least = None, None
        for bound, candidate in self.listing(criteria, most_time):
            if least is not None and least <= bound[:4]:
                break
            one = self.measure(candidate)
            key = one.key(criteria)
            if (least is None or key < least) and allows(one.values[0]):
                best, least = candidate, key
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
            self._look_further()
        return time <= self.limit(self.time)

    def _look_further(self) -> None:
        """Raise the bound to the next candidate's, and measure that one where it may be the fastest."""
        if self.listed is None:
            self.listed = self.contest.listing(FASTEST, NO_LIMIT)
        key, candidate = next(self.listed, ((NO_LIMIT,), None))
        self.bound = min(self.time, key[0])
        if candidate is not None and key[0] < self.time:
            self.time = min(self.time, self.contest.measure(candidate).values[0])
            self.bound = min(self.time, self.bound)
