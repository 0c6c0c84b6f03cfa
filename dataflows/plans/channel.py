"""What the planner knows of the DRAM channel: what a transfer takes, and a bound of it."""

from dataclasses import dataclass
from typing import Protocol

from dataflows.plans.transfers import Integers, Transfers


class Channel(Protocol):
    """A DRAM channel in cycles of the arrays' clock.

    Attributes
    ----------
    least_cycles : (float, int)
        Cycles of a byte and of a transfer beside its bytes, that none goes below.
    """

    @property
    def least_cycles(self) -> tuple[float, int]:
        """Bounds from below."""

    def transfer_cycles(self, transfers: Transfers) -> Integers:
        """Return the cycles that each transfer holds the channel."""

    def __hash__(self) -> int:
        """Plans are remembered by channel."""


@dataclass(frozen=True, slots=True)
class InstantChannel:
    """Transfers that take no time."""

    least_cycles: tuple[float, int] = (0.0, 0)

    def transfer_cycles(self, transfers: Transfers) -> Integers:
        """Return zeros."""
        return transfers.moved_bytes * 0


INSTANT = InstantChannel()
