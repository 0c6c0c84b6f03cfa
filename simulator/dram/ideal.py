"""DRAM that takes no time, to see what the arrays alone would do."""

from typing import Literal

from pydantic import PositiveInt

from dataflows.plans.plan import Integers
from dataflows.plans.transfers import Transfers
from workloads.foundation.validation import StrictModel


class IdealDram(StrictModel):
    """Transfers are instant; their bytes and their energy still count."""

    model: Literal["ideal"]
    capacity_bytes: PositiveInt

    @property
    def contents(self) -> None:
        """Return None: there are no files."""

    @property
    def bytes_per_second(self) -> None:
        """Return None: bytes take no time."""

    def transfer_cycles(self, transfers: Transfers, frequency_hz: int) -> Integers:
        """Return zeros."""
        return transfers.moved_bytes * 0

    def least_transfer_cycles(self, frequency_hz: int) -> int:
        """Return zero."""
        return 0

    def activates(self, transfers: Transfers) -> Integers:
        """Return zeros: rows are not told apart."""
        return transfers.moved_bytes * 0

    def refresh(self, frequency_hz: int) -> None:
        """Return None."""

    def bound_cycles(self, moved_bytes: int, transfers: int, frequency_hz: int) -> int:
        """Return zero."""
        return 0
