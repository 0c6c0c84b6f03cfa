"""DRAM by its commands: rows, banks, activates, precharges (docs/dram.md)."""

from dataclasses import dataclass
from math import gcd
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, PositiveInt, model_validator

from dataflows.plan import Integers
from simulator.dram.part import DramPart, load_part
from workloads.errors import InputError
from workloads.validation import StrictModel

if TYPE_CHECKING:
    from simulator.dram.transfer_time import TransferPattern


@dataclass(frozen=True)
class RefreshTiming:
    """When refreshes come due and how long one holds the channel, in cycles of the arrays' clock.

    Attributes
    ----------
    interval_numerator, interval_denominator : int
        tREFI as a fraction in lowest terms: refresh n is due at n x numerator / denominator.
    cycles : int
        tRFC, rounded up.
    """

    interval_numerator: int
    interval_denominator: int
    cycles: int


class CommandDram(StrictModel):
    """Channels of one part; each transfer holds all of them for exactly as long as its commands take.

    With several channels each holds an equal share of every segment, and they work in lockstep: a transfer takes as
    long as its share takes on one.
    """

    model: Literal["commands"]
    part: Annotated[str, Field(min_length=1)]
    capacity_bytes: PositiveInt
    queue_depth: Annotated[int, Field(ge=1, le=1024)] = 32

    @model_validator(mode="after")
    def _part_is_there(self) -> Self:
        try:
            memory = load_part(self.part)
        except InputError as error:  # its own file would be lost behind the key of this one
            problem = " ".join(filter(None, [error.key, error.problem]))
            raise InputError("", "part", f"is {self.part}: {problem}", error.mend) from None
        if self.capacity_bytes > memory.capacity_bytes:
            problem = f"is {self.capacity_bytes}, and {self.part} has {memory.capacity_bytes}"
            raise InputError("", "capacity_bytes", problem, "give no more, or more ranks or channels in the part")
        return self

    @property
    def memory(self) -> DramPart:
        """The part."""
        return load_part(self.part)

    @property
    def transfer_overhead_bytes(self) -> int:
        """What the channels could move while a contiguous transfer of one row does not move bytes."""
        from simulator.dram.transfer_time import contiguous, transfer_memory_cycles

        part = self.memory
        bursts = part.row_bytes * part.organization.bank_groups // part.burst_bytes
        cycles, _ = transfer_memory_cycles(part, contiguous(bursts * part.burst_bytes), self.queue_depth)
        idle = cycles - bursts * part.burst_cycles
        return part.organization.channels * idle * part.burst_bytes // part.burst_cycles

    def channel_share(self, pattern: "TransferPattern") -> "TransferPattern":
        """Return what one channel moves of a transfer: its share of each segment, rounded up to whole bytes."""
        from simulator.dram.transfer_time import TransferPattern, contiguous

        channels = self.memory.organization.channels
        if channels == 1:
            return pattern
        if pattern.contiguous:
            return contiguous(-(-pattern.moved_bytes // channels), pattern.write)
        size, stride = -(-pattern.segment_bytes // channels), -(-pattern.stride_bytes // channels)
        return TransferPattern(pattern.segments, size, stride, pattern.write)

    def pieces(self, pattern: "TransferPattern") -> tuple["TransferPattern", ...]:
        """Return one channel's share of a transfer, cut where refresh asks for it; see `cut_transfer`."""
        from simulator.dram.transfer_time import cut_transfer

        return cut_transfer(self.memory, self.channel_share(pattern), self.queue_depth)

    def pattern_cycles(self, pattern: "TransferPattern", frequency_hz: int) -> int:
        """Return the cycles of the arrays' clock that a transfer, with all its pieces, holds the channels."""
        from simulator.dram.transfer_time import cut_memory_cycles

        cycles, _, _ = cut_memory_cycles(self.memory, self.channel_share(pattern), self.queue_depth)
        return self.accelerator_cycles(cycles, frequency_hz)

    def pattern_activates(self, pattern: "TransferPattern") -> int:
        """Return the activates of a transfer over all channels."""
        from simulator.dram.transfer_time import cut_memory_cycles

        _, activates, _ = cut_memory_cycles(self.memory, self.channel_share(pattern), self.queue_depth)
        return self.memory.organization.channels * activates

    def transfer_cycles(self, transfer_bytes: Integers, frequency_hz: int) -> Integers:
        """Return the cycles that each transfer would hold the channels if it read one run of bytes."""
        from simulator.dram.transfer_time import cut_times

        shares = -(-np.asarray(transfer_bytes, np.int64) // self.memory.organization.channels)
        times = cut_times(self.memory, 1, shares, shares, False, self.queue_depth)
        return self.accelerator_cycles(times.cycles, frequency_hz)

    def accelerator_cycles(self, memory_cycles: Any, frequency_hz: int) -> Any:
        """Return memory clock cycles in cycles of the arrays' clock, rounded up; an int or an array of them."""
        common = gcd(frequency_hz, self.memory.clock_hz)
        return -(-memory_cycles * (frequency_hz // common) // (self.memory.clock_hz // common))

    def refresh(self, frequency_hz: int) -> RefreshTiming:
        """Return the refresh of this memory in cycles of the arrays' clock."""
        part = self.memory
        over = part.timing_cycles.REFI * frequency_hz
        common = gcd(over, part.clock_hz)
        held = self.accelerator_cycles(part.timing_cycles.RFC, frequency_hz)
        return RefreshTiming(over // common, part.clock_hz // common, held)

    def bound_cycles(self, moved_bytes: int, transfers: int, frequency_hz: int) -> int:
        """Return a bound from above on the cycles of so many transfers that move so many bytes, without refresh.

        However its segments lie, a byte takes at most one burst of its own, in a row of its own, after the burst before
        has left and its row is closed.
        """
        t = self.memory.command_timing
        alone = t.activate_to_activate + t.activate_to_column + t.write_to_precharge + t.precharge_all_to_activate
        alone += t.read_to_end + t.four_activates + t.column_to_column_l
        per_transfer = alone + t.read_end_to_next + t.write_end_to_next
        return self.accelerator_cycles(moved_bytes * alone + transfers * per_transfer, frequency_hz) + transfers
