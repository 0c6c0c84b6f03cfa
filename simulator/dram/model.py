"""The DRAM models that a spec can name, and what they have in common."""

from collections.abc import Hashable
from typing import Annotated, Protocol, get_args

from pydantic import Field

from dataflows.plans.plan import Integers
from dataflows.plans.transfers import Transfers
from simulator.dram.bandwidth import BandwidthDram
from simulator.dram.commands import CommandDram
from simulator.dram.ideal import IdealDram
from simulator.dram.refresh import Refresh

DramSpec = Annotated[BandwidthDram | CommandDram | IdealDram, Field(discriminator="model")]


def dram_keys(model: object) -> set[str]:
    """Return the keys that a model of this name has; none for a name that no model has."""
    kinds = {kind.model_fields["model"].annotation.__args__[0]: kind for kind in get_args(get_args(DramSpec)[0])}
    return set(kinds[model].model_fields) if model in kinds else set()


class DramModel(Protocol):
    """How long transfers hold the channel."""

    @property
    def contents(self) -> Hashable:
        """What times depend on beside the spec's keys: the contents of files that it names."""

    @property
    def bytes_per_second(self) -> int | None:
        """What the channels move at best; None where it takes no time."""

    def transfer_cycles(self, transfers: Transfers, frequency_hz: int) -> Integers:
        """Return the cycles that each transfer holds the channel."""

    def least_transfer_cycles(self, frequency_hz: int) -> int:
        """Return what a transfer takes at least beside its bytes at the peak."""

    def activates(self, transfers: Transfers) -> Integers:
        """Return the rows that each transfer opens; zeros where a model does not tell."""

    def refresh(self, frequency_hz: int) -> Refresh | None:
        """Return when the memory refreshes; None where it need not."""

    def bound_cycles(self, moved_bytes: int, transfers: int, frequency_hz: int) -> int:
        """Return a bound from above on the cycles of so many transfers that move so many bytes."""
