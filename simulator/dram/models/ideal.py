"""DRAM that takes no time, to see what the arrays alone would do."""

from typing import Literal

from dataflows.integers import Integers
from dataflows.plans.transfers import Transfers
from simulator.dram.model import DramModel


class IdealDram(DramModel):
    """Transfers are instant; their bytes and their energy still count."""

    model: Literal["ideal"]

    def least_transfer_cycles(self, frequency_hz: int) -> int:
        """Return zero."""
        return 0

    @property
    def bytes_per_second(self) -> None:
        """Return None: bytes take no time."""

    def transfer_cycles(self, transfers: Transfers, frequency_hz: int) -> Integers:
        """Return zeros."""
        return transfers.moved_bytes * 0

    def rate(self, frequency_hz: int) -> tuple[int, int, int]:
        """Return no cycle a byte."""
        return 0, 1, 0

    def bound_cycles(self, moved_bytes: int, transfers: int, frequency_hz: int) -> int:
        """Return zero."""
        return 0


DRAM_MODEL = IdealDram
