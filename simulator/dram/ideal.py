"""DRAM that takes no time, to see what the arrays alone would do."""

from typing import Literal

from pydantic import PositiveInt

from dataflows.plan import Integers
from workloads.validation import StrictModel


class IdealDram(StrictModel):
    """Transfers are instant; their bytes and their energy still count."""

    model: Literal["ideal"]
    capacity_bytes: PositiveInt

    @property
    def transfer_overhead_bytes(self) -> int:
        """One burst of 64 bytes, so that tiles do not become smaller than any real memory's."""
        return 64

    def transfer_cycles(self, transfer_bytes: Integers, frequency_hz: int) -> Integers:
        """Return zeros."""
        return transfer_bytes * 0

    def bound_cycles(self, moved_bytes: int, transfers: int, frequency_hz: int) -> int:
        """Return zero."""
        return 0
