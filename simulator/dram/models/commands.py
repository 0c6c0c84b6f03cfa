"""DRAM by its commands: rows, banks, activates, precharges (docs/dram.md)."""

from collections.abc import Sequence
from math import gcd
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from dataflows.integers import Integers
from dataflows.plans.transfers import TransferChoices, Transfers
from simulator.dram.constraints import cycles_of
from simulator.dram.interleaving import busiest_share
from simulator.dram.part import DramPart
from simulator.dram.part_model import PartDram, refresh_of
from simulator.dram.refresh import Refresh
from workloads.foundation.errors import InputError
from workloads.foundation.quantities import more_than

if TYPE_CHECKING:
    from simulator.dram.transfer_time import TransferTimes


class CommandDram(PartDram):
    """Channels of one part; each transfer holds all of them for exactly as long as its commands take.

    A transfer takes as long as the share of the busiest channel (`simulator.dram.interleaving`).
    """

    model: Literal["commands"]
    part: Annotated[str, Field(min_length=1)]
    """A shipped DRAM part or a file (docs/dram.md)."""
    queue_depth: Annotated[int, Field(ge=1, le=1024)]
    """Places of each request queue."""

    @model_validator(mode="after")
    def _part_is_large_enough(self) -> Self:
        if self.capacity_bytes > self.memory.capacity_bytes:
            asked, room = more_than(self.capacity_bytes, self.memory.capacity_bytes)
            problem = f"is {asked}, and {self.part} has {room}"
            raise InputError("", "capacity_bytes", problem, "give no more, or more ranks or channels in the part")
        return self

    @property
    def memory(self) -> DramPart:
        """The part, as its file was when this was made; two of one name and other contents are not equal."""
        part = self.known_part
        assert part is not None, "this model has a part"
        return part

    def least_transfer_cycles(self, frequency_hz: int) -> int:
        """Return what a transfer takes at least beside its bytes: opening the first row and closing the last.

        A short transfer waits until its row may close, so that its bytes hide in this time. From some size on each
        burst adds its own cycles: the least of all sizes up to four rows holds for the longer ones, too.
        """
        from simulator.dram.transfer_time import contiguous, transfer_memory_cycles

        part = self.memory
        rows = self.row_bytes // part.burst_bytes
        sizes = [1 << bit for bit in range(rows.bit_length())] + [rows, 2 * rows, 4 * rows]
        beside = min(
            transfer_memory_cycles(part, contiguous(count * part.burst_bytes, write), self.queue_depth)[0]
            - count * part.burst_cycles
            for count in sizes
            for write in (False, True)
        )
        return max(0, beside) * frequency_hz // part.clock_hz

    @property
    def bytes_per_second(self) -> int:
        """The peak of all channels."""
        return self.memory.peak_bytes_per_second

    def transfer_cycles(self, transfers: Transfers, frequency_hz: int) -> Integers:
        """Return the cycles of the arrays' clock that each transfer holds the channels, its patterns one by one."""
        return self.costs([transfers], frequency_hz)[0][0]

    def costs_of_choices(self, asked: Sequence[TransferChoices], frequency_hz: int) -> list[tuple[Integers, Integers]]:
        """Return the cycles and the rows of all choices, over all channels.

        Each pattern is looked up once, since a transfer is the sum of its own.
        """
        costs, part = [], self.memory
        for times, one in zip(self._times(*(one.transfers for one in asked)), asked, strict=True):
            choices = one.choices.astype(np.int64)
            cycles, activates = ((table.T @ choices).ravel() for table in (times.cycles, times.activates))
            costs.append((self.accelerator_cycles(cycles, frequency_hz), part.organization.channels * activates))
        return costs

    def command_hz(self, frequency_hz: int) -> int:
        """Return the part's clock."""
        return self.memory.clock_hz

    @property
    def burst_bytes(self) -> int:
        """A burst of one channel."""
        return self.memory.burst_bytes

    @property
    def row_bytes(self) -> int:
        """A row of all bank groups of a channel."""
        return self.memory.row_bytes * self.memory.organization.bank_groups

    def _times(self, *asked: Transfers) -> "list[TransferTimes]":
        """Return what the busiest channel's share of each pattern takes."""
        from simulator.dram.transfer_time import TransferTimes, memory_of

        part, sizes = self.memory, [one.segments.size for one in asked]
        names = ("segments", "segment_bytes", "stride_bytes")
        columns = (np.concatenate([getattr(one, name).ravel() for one in asked]) for name in names)
        share = busiest_share(part.organization.channels, part.organization.interleave_bytes, *columns)
        write = np.repeat([int(one.write) for one in asked], sizes)
        found, ends = memory_of(part, self.queue_depth).cut_times(*share, write), np.cumsum(sizes)
        return [
            TransferTimes(*(column[end - size : end].reshape(one.segments.shape) for column in found))
            for one, size, end in zip(asked, sizes, ends.tolist(), strict=True)
        ]

    def accelerator_cycles(self, memory_cycles: Any, frequency_hz: int) -> Any:
        """Return memory clock cycles in cycles of the arrays' clock, rounded up; an int or an array of them."""
        clock_hz = self.memory.clock_hz
        common = gcd(frequency_hz, clock_hz)
        numerator, denominator = frequency_hz // common, clock_hz // common
        if isinstance(memory_cycles, int):
            return -(-memory_cycles * numerator // denominator)
        if int(memory_cycles.max(initial=0)) * numerator >= 1 << 63:  # though the result fits in 64 bits
            memory_cycles = memory_cycles.astype(object)
        return (-(-memory_cycles * numerator // denominator)).astype(np.int64)

    def refresh(self, frequency_hz: int) -> Refresh:
        """Return the refresh of this memory in cycles of the arrays' clock.

        Raises
        ------
        InputError
            If the clock is so slow that a refresh, rounded up to cycles, takes as long as its interval.
        """
        found = refresh_of(self.memory, frequency_hz)
        between = found.interval_numerator / found.interval_denominator
        if found.cycles * found.interval_denominator >= found.interval_numerator:
            problem = f"is {frequency_hz}: a refresh of {self.part} takes {found.cycles} of the"
            problem += f" {between:.3g} cycles from one to the next"
            raise InputError("", "frequency_hz", problem, "give a higher frequency, or another dram.model")
        return found

    def bound_cycles(self, moved_bytes: int, transfers: int, frequency_hz: int) -> int:
        """Return a bound from above on the cycles of so many transfers that move so many bytes, without refresh.

        However its segments lie, a byte takes at most one burst of its own, in a row of its own, after the burst before
        has left and its row is closed.
        """
        times = self.memory.times
        alone = cycles_of("RAS + RP + RCD + CWL + DQSS + BL/2 + WR + RP_ALL + CL + BL/2 + FAW + CCD_L + BL/2", times)
        per_transfer = alone + cycles_of("READ_TO_WRITE_GAP + WTR_L", times)
        return self.accelerator_cycles(moved_bytes * alone + transfers * per_transfer, frequency_hz) + transfers


DRAM_MODEL = CommandDram
