"""What a DRAM model is: a frozen part of the spec that says how long transfers hold the channel."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from dataflows.integers import Integers
from dataflows.plans.transfers import TransferChoices, Transfers
from simulator.dram.part import DramPart
from simulator.dram.refresh import Refresh
from workloads.foundation.validation import StrictModel

if TYPE_CHECKING:
    from simulator.dram.idle_kernel import IdleRules

DramCommand = Literal[
    "read", "write", "activate", "refresh", "active_rank_cycle", "standby_rank_cycle", "power_down_rank_cycle",
    "self_refresh_rank_cycle",
]  # fmt: skip


class DramModel(StrictModel, ABC):
    """One model of the off-chip DRAM, in a file of its own in `simulator/dram/models`."""

    model: str
    """Name of the model."""
    capacity_bytes: Annotated[int, Field(ge=1, le=1 << 62)]
    """Bytes of the memory; a run that keeps more is refused."""

    @abstractmethod
    def least_transfer_cycles(self, frequency_hz: int) -> int:
        """Return what a transfer takes at least beside its bytes at the peak."""

    @property
    @abstractmethod
    def bytes_per_second(self) -> int | None:
        """What the channels move at best; None where it takes no time."""

    @abstractmethod
    def transfer_cycles(self, transfers: Transfers, frequency_hz: int) -> Integers:
        """Return the cycles of the arrays' clock that each transfer holds the channel."""

    def rate(self, frequency_hz: int) -> tuple[int, int, int] | None:
        """Return a transfer's time by its bytes, where it depends on nothing else.

        Returns
        -------
        (int, int, int) or None
            Numerator, denominator and latency of ceil(bytes numerator / denominator) + latency cycles; a transfer of no
            bytes takes none. None where it also depends on how the bytes lie.
        """
        return None

    @abstractmethod
    def bound_cycles(self, moved_bytes: int, transfers: int, frequency_hz: int) -> int:
        """Return a bound from above on the cycles of so many transfers that move so many bytes."""

    def costs(self, asked: Sequence[Transfers], frequency_hz: int) -> list[tuple[Integers, Integers]]:
        """Return the cycles that each transfer holds the channel, and the rows that it opens.

        Transfers that are equal are looked at once.
        """
        if not asked:
            return []
        kinds, which = zip(*(one.different() for one in asked), strict=True)
        found = self.costs_of_choices(kinds, frequency_hz)
        return [(cycles[own], activates[own]) for (cycles, activates), own in zip(found, which, strict=True)]

    def costs_of_choices(self, asked: Sequence[TransferChoices], frequency_hz: int) -> list[tuple[Integers, Integers]]:
        """Return what `costs` does, of each transfer with each choice of its patterns.

        No rows are opened where a model knows none.
        """
        cycles = [self.transfer_cycles(one.one_by_one(), frequency_hz) for one in asked]
        return [(each, each * 0) for each in cycles]

    def refresh(self, frequency_hz: int) -> Refresh | None:
        """Return when the memory refreshes; None where refreshes are left out."""
        return None

    def idle_rules(self, frequency_hz: int) -> "IdleRules | None":
        """Return what ranks do between transfers; None where the energy table prices DRAM."""
        return None

    @property
    def ranks(self) -> int:
        """Ranks that draw current; none where the energy table prices DRAM."""
        return 0

    @property
    def active_ranks(self) -> int:
        """Ranks of them that have a bank open while a transfer is on."""
        return 0

    def energy_pj(self, command: DramCommand, frequency_hz: int) -> float | None:
        """Return the energy of one count of a command; None where the energy table prices DRAM."""
        return None

    def command_hz(self, frequency_hz: int) -> int:
        """Return the clock of the memory's commands, in hertz; the arrays' where a model has none."""
        return frequency_hz

    @property
    def parts(self) -> dict[str, DramPart]:
        """The parts that the model was read from, by the name in the spec; none where it has none."""
        return {}

    @property
    def burst_bytes(self) -> int:
        """What one read or write moves; 64 bytes where a model knows no bursts."""
        return 64

    @property
    def row_bytes(self) -> int:
        """Contiguous bytes before another row begins; one burst where a model knows no rows."""
        return self.burst_bytes
