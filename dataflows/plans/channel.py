"""What the planner knows of the DRAM channel: what a transfer takes, and a bound of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from dataflows.integers import Integers
from dataflows.plans.transfers import TransferChoices, Transfers


class Channel(Protocol):
    """A DRAM channel in cycles of the arrays' clock.

    Attributes
    ----------
    least_cycles : (float, int)
        Cycles of a byte and of a transfer beside its bytes, that none goes below.
    rate : (int, int, int), optional
        Numerator, denominator, latency, where a transfer of some bytes takes ceil(bytes numerator / denominator) +
        latency cycles however they lie; None where it must be asked.
    """

    @property
    def least_cycles(self) -> tuple[float, int]:
        """Bounds from below."""

    @property
    def rate(self) -> tuple[int, int, int] | None:
        """What transfers take by their bytes."""

    def transfer_cycles(self, transfers: Transfers) -> Integers:
        """Return the cycles that each transfer holds the channel."""

    def costs_of_choices(self, asked: Sequence[TransferChoices]) -> list[tuple[Integers, Integers]]:
        """Return the cycles of each transfer with each choice of its patterns, and the rows that it opens in DRAM.

        See `TransferChoices`.
        """

    def __hash__(self) -> int:
        """Plans are remembered by channel."""


@dataclass(frozen=True, slots=True)
class InstantChannel:
    """Transfers that take no time."""

    least_cycles: tuple[float, int] = (0.0, 0)
    rate: tuple[int, int, int] | None = (0, 1, 0)

    def transfer_cycles(self, transfers: Transfers) -> Integers:
        """Return zeros."""
        return transfers.moved_bytes * 0

    def costs_of_choices(self, asked: Sequence[TransferChoices]) -> list[tuple[Integers, Integers]]:
        """Return zeros."""
        return [(np.zeros(len(one.transfers) * one.choices.shape[1], np.int64),) * 2 for one in asked]


INSTANT = InstantChannel()
