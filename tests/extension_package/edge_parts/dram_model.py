"""DRAM that takes some cycles of the arrays a byte. A model's own keys have defaults."""

from typing import Annotated, Literal

from pydantic import Field

from dataflows.integers import Integers
from dataflows.plans.transfers import Transfers
from simulator.dram.model import DramModel


class ByteDram(DramModel):
    """A byte in `byte_cycles` cycles."""

    model: Literal["byte"]
    byte_cycles: Annotated[int, Field(ge=1)] = 3
    """Cycles of a byte."""

    def least_transfer_cycles(self, frequency_hz: int) -> int:
        """Return none: a transfer takes the time of its bytes."""
        return 0

    @property
    def bytes_per_second(self) -> int:
        """At 1 GHz."""
        return 10**9 // self.byte_cycles

    def transfer_cycles(self, transfers: Transfers, frequency_hz: int) -> Integers:
        """Return the time of the bytes."""
        return transfers.moved_bytes * self.byte_cycles

    def rate(self, frequency_hz: int) -> tuple[int, int, int]:
        """Return the time by the bytes alone, so that tiles can be chosen without their transfers."""
        return self.byte_cycles, 1, 0

    def bound_cycles(self, moved_bytes: int, transfers: int, frequency_hz: int) -> int:
        """Return the time of the bytes."""
        return moved_bytes * self.byte_cycles


DRAM_MODEL = ByteDram
