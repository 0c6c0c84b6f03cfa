"""The DRAM channel of a machine, as its planner sees it."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from dataflows.integers import Integers
from dataflows.plans.channel import Channel
from dataflows.plans.transfers import TransferChoices, Transfers
from simulator.dram.model import DramModel


@dataclass(frozen=True, slots=True)
class MachineChannel:
    """A DRAM model at the arrays' clock.

    Attributes
    ----------
    identity : hashable
        All that its times depend on, the contents of the DRAM part's file included: plans are remembered by it.
    """

    identity: Hashable
    least_cycles: tuple[float, int]
    rate: tuple[int, int, int] | None
    model: DramModel = field(compare=False)
    frequency_hz: int = field(compare=False)

    def __hash__(self) -> int:
        """Return a hash of little work: plans are looked up by channel thousands of times."""
        return hash((self.least_cycles, self.rate, self.frequency_hz))

    def transfer_cycles(self, transfers: Transfers) -> Integers:
        """Return the cycles that each transfer holds the channel."""
        return self.model.transfer_cycles(transfers, self.frequency_hz)

    def costs_of_choices(self, asked: Sequence[TransferChoices]) -> list[tuple[Integers, Integers]]:
        """Return the cycles of each transfer with each choice of its patterns, and the rows that it opens."""
        return self.model.costs_of_choices(asked, self.frequency_hz)


@lru_cache(maxsize=64)
def dram_channel(model: DramModel, frequency_hz: int) -> Channel:
    """Return the channel of a DRAM model at a clock; one object for equal models, so that they soon prove equal."""
    rate = model.bytes_per_second
    # a little less, so that rounding cannot make the bound exceed what a transfer takes
    of_a_byte = 0.0 if rate is None else frequency_hz / rate * (1 - 1e-9)
    identity = (model, frequency_hz)
    least = of_a_byte, model.least_transfer_cycles(frequency_hz)
    return MachineChannel(identity, least, model.rate(frequency_hz), model, frequency_hz)
