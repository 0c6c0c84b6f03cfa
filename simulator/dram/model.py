"""The DRAM models that a spec can name, and what they have in common."""

from typing import Annotated, Protocol

from pydantic import Field

from dataflows.plans.plan import Integers
from dataflows.plans.transfers import Transfers
from simulator.dram.bandwidth import BandwidthDram
from simulator.dram.commands import CommandDram
from simulator.dram.ideal import IdealDram
from simulator.dram.refresh import Refresh

DramSpec = Annotated[BandwidthDram | CommandDram | IdealDram, Field(discriminator="model")]


class DramModel(Protocol):
    """How long transfers hold the channel."""

    @property
    def transfer_overhead_bytes(self) -> int:
        """What the channel could move in the time that a transfer spends on other things than bytes."""

    @property
    def bytes_per_second(self) -> int | None:
        """What the channels move at best; None where it takes no time."""

    def transfer_cycles(self, transfers: Transfers, frequency_hz: int) -> Integers:
        """Return the cycles that each transfer holds the channel."""

    def activates(self, transfers: Transfers) -> Integers:
        """Return the rows that each transfer opens; zeros where a model does not tell."""

    def refresh(self, frequency_hz: int) -> Refresh | None:
        """Return when the memory refreshes; None where it need not."""

    def bound_cycles(self, moved_bytes: int, transfers: int, frequency_hz: int) -> int:
        """Return a bound from above on the cycles of so many transfers that move so many bytes."""
