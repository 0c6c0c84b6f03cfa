"""When a DRAM refreshes."""

from dataclasses import dataclass

import numpy as np

from dataflows.plans.plan import Integers


@dataclass(frozen=True, slots=True)
class Refresh:
    """When a memory refreshes, in cycles of the accelerator's clock.

    Attributes
    ----------
    interval_numerator, interval_denominator : int
        The refresh interval as a fraction of cycles.
    cycles : int
        How long a refresh holds the channel.
    """

    interval_numerator: int
    interval_denominator: int
    cycles: int

    def due(self, cycle: int) -> int:
        """Return how many refreshes came due up to a cycle of the batch."""
        return cycle * self.interval_denominator // self.interval_numerator

    @property
    def longest_cycles(self) -> int:
        """Most cycles without one: eight intervals, as JEDEC lets up to eight be postponed."""
        return 8 * self.interval_numerator // self.interval_denominator

    @property
    def numbers(self) -> Integers:
        """The attributes, as the step kernel wants them."""
        return np.array([self.interval_numerator, self.interval_denominator, self.cycles], dtype=np.int64)

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
