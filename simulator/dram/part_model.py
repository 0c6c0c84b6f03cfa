"""A DRAM model that knows its part: what the part draws, and what its ranks do between transfers (docs/dram.md)."""

from math import gcd
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import Field, PrivateAttr, model_validator

from simulator.dram.model import DramCommand, DramModel
from simulator.dram.part import DramPart, load_part
from simulator.dram.part_changes import PartChanges
from simulator.dram.refresh import Refresh
from workloads.foundation.errors import InputError
from workloads.foundation.validation import NullIsValue

if TYPE_CHECKING:
    from simulator.dram.idle_kernel import IdleRules

Nanoseconds = Annotated[int, Field(ge=0, le=10**9)]


class PartDram(PartChanges, DramModel):
    """A part, and when its ranks power down."""

    part: Annotated[Annotated[str, Field(min_length=1)] | None, NullIsValue] = None
    """A shipped DRAM part or a file (docs/dram.md); its currents give DRAM's energy. Null: the energy table does."""
    power_down_after_ns: Annotated[Nanoseconds | None, NullIsValue] = None
    """Time without a transfer after which the ranks of the part power down; null: never."""
    self_refresh_after_ns: Annotated[Nanoseconds | None, NullIsValue] = None
    """Time without a transfer after which they refresh themselves; null: never."""
    _memory: DramPart | None = PrivateAttr(None)

    @model_validator(mode="after")
    def _part_is_there(self) -> Self:
        if self.part is None:
            if changes := [name for name in PartChanges.model_fields if getattr(self, name) is not None]:
                raise InputError("", changes[0], "changes a part, and part is null", "give a part, or leave it out")
            return self
        try:
            part = load_part(self.part)
        except InputError as error:  # its own file would be lost behind the key of this one
            problem = " ".join(filter(None, [error.key, error.problem]))
            raise InputError("", "part", f"is {self.part}: {problem}", error.remedy) from None
        self._memory = self.changed(part)
        return self

    @property
    def known_part(self) -> DramPart | None:
        """The part, as its file was when this was made; None where there is none."""
        # Pydantic's own way to a private attribute takes microseconds, and plans ask thousands of times.
        private = self.__pydantic_private__
        return None if private is None else private["_memory"]

    @property
    def parts(self) -> dict[str, DramPart]:
        """The one part, if there is one."""
        return {} if self.part is None or self.known_part is None else {self.part: self.known_part}

    @property
    def copies(self) -> int:
        """How many parts lie side by side."""
        return 1

    @property
    def ranks(self) -> int:
        """Ranks of all channels, which all draw current; none where no part is known."""
        return 0 if self.known_part is None else self.known_part.organization.ranks * self.active_ranks

    @property
    def active_ranks(self) -> int:
        """Ranks with a bank open while a transfer is on: one of each channel."""
        return 0 if self.known_part is None else self.known_part.organization.channels * self.copies

    def energy_pj(self, command: DramCommand, frequency_hz: int) -> float | None:
        """Return the energy of a byte, a row, a refresh of all ranks, or a cycle of the arrays' clock of one rank."""
        from simulator.dram.power import command_energies

        part = self.known_part
        if part is None:
            return None
        each, memory_cycles = command_energies(part), part.clock_hz / frequency_hz
        return {
            "read": each.read_pj / part.burst_bytes,
            "write": each.write_pj / part.burst_bytes,
            "activate": each.activate_pj,
            "refresh": each.refresh_pj * self.ranks,
            "active_rank_cycle": each.active_cycle_pj * memory_cycles,
            "standby_rank_cycle": each.precharged_cycle_pj * memory_cycles,
            "power_down_rank_cycle": each.power_down_cycle_pj * memory_cycles,
            "self_refresh_rank_cycle": each.self_refresh_cycle_pj * memory_cycles,
        }[command]

    def idle_rules(self, frequency_hz: int) -> "IdleRules | None":
        """Return what the ranks do between transfers, by the part's times and this policy; None without a part."""
        from simulator.dram.idle_kernel import NEVER, IdleRules

        part = self.known_part
        if part is None:
            return None
        times = part.timing_cycles
        refresh = refresh_of(part, frequency_hz)

        def cycles(memory_cycles: int) -> int:
            return -(-memory_cycles * frequency_hz // part.clock_hz)

        def after(wait_ns: int | None) -> int:
            return NEVER if wait_ns is None else -(-wait_ns * frequency_hz // 1_000_000_000)

        return IdleRules(
            refresh.interval_numerator, refresh.interval_denominator, refresh.cycles,
            self.refresh(frequency_hz) is not None,
            after(self.power_down_after_ns), cycles(times.XP), cycles(times.CKE),
            after(self.self_refresh_after_ns), cycles(times.XS), cycles(times.CKESR),
        )  # fmt: skip


def refresh_of(part: DramPart, frequency_hz: int) -> Refresh:
    """Return the refresh of a part in cycles of the arrays' clock; its time is rounded up to whole cycles."""
    over = part.timing_cycles.REFI * frequency_hz
    common = gcd(over, part.clock_hz)
    held = -(-part.timing_cycles.RFC * frequency_hz // part.clock_hz)
    return Refresh(over // common, part.clock_hz // common, held)
