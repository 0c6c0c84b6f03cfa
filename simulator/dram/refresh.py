"""When a DRAM refreshes."""

from dataclasses import dataclass

POSTPONED_REFRESHES = 8  # JEDEC (JESD79-3F 4.15, JESD79-4B 4.26): so many refreshes may be postponed


@dataclass(frozen=True, slots=True)
class Refresh:
    """When a memory refreshes, in cycles of the accelerator's clock.

    Attributes
    ----------
    interval_numerator, interval_denominator : int
        The refresh interval as a fraction of cycles.
    cycles : int
        How long a refresh holds the channel; less than the interval.
    """

    interval_numerator: int
    interval_denominator: int
    cycles: int

    def due(self, cycle: int) -> int:
        """Return how many refreshes came due up to a cycle of the batch."""
        return cycle * self.interval_denominator // self.interval_numerator

    @property
    def longest_cycles(self) -> int:
        """Most cycles without one: as many intervals as refreshes may be postponed."""
        return POSTPONED_REFRESHES * self.interval_numerator // self.interval_denominator

    def bound_cycles(self, cycles: int) -> int:
        """Return a bound from above on the cycles of a batch that takes so many without refreshes.

        A batch of T cycles makes at most one refresh an interval and one more, and each delays it by at most its own
        cycles. So T <= cycles + (T / interval + 1) x a refresh.
        """
        left = self.interval_numerator - self.cycles * self.interval_denominator
        return -(-(cycles + self.cycles) * self.interval_numerator // left)

    def cycles_at_barrier(self, now: int, free: int, made: int) -> int:
        """Return how long a batch's end waits for refreshes that it owes.

        Parameters
        ----------
        now : int
            Cycles since the batch began.
        free : int
            When the channel is free, counted from now; negative if it has been idle.
        made : int
            Refreshes of this batch so far.
        """
        wait = max(0, free)
        owed = self.due(now + wait) - made
        return wait + max(0, owed - max(0, -free) // self.cycles) * self.cycles
