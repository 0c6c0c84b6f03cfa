"""The DRAM models that a spec can name, and what they have in common."""

from typing import Annotated, Protocol

from pydantic import Field

from dataflows.plan import Integers
from dataflows.transfers import Transfers
from simulator.dram.bandwidth import BandwidthDram
from simulator.dram.ideal import IdealDram
from simulator.dram.refresh import Refresh

DramSpec = Annotated[BandwidthDram | IdealDram, Field(discriminator="model")]


class DramModel(Protocol):
    """How long transfers hold the channel."""

    @property
    def transfer_overhead_bytes(self) -> int:
        """What the channel could move in the time that a transfer spends on other things than bytes."""

    def transfer_cycles(self, transfers: Transfers, frequency_hz: int) -> Integers:
        """Return the cycles that each transfer holds the channel."""

    def activates(self, transfers: Transfers) -> int:
        """Return the rows that the transfers open, together."""

    def refresh(self, frequency_hz: int) -> Refresh | None:
        """Return when the memory refreshes; None where it need not."""

    def bound_cycles(self, moved_bytes: int, transfers: int, frequency_hz: int) -> int:
        """Return a bound from above on the cycles of so many transfers that move so many bytes."""
