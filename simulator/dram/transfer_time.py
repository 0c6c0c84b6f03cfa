"""How long a tile's transfer holds its channel, exactly (docs/dram.md).

A transfer is atomic on its channel. It starts with all banks precharged and ends when another may start: all banks are
precharged again and the data bus may turn round. Its requests come in address order, one a cycle while the queue has
room, under the rules of the command kernel, without refresh.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from dataflows.integers import Integers
from simulator.dram.channel import channel_of
from simulator.dram.part import DramPart
from simulator.dram.refresh import POSTPONED_REFRESHES
from simulator.dram.transfer_kernel import TIMES, run_transfers
from simulator.dram.transfer_table import ENTRY
from workloads.foundation.errors import InputError

QUEUE_DEPTH = 32
TABLE_PLACES = 1 << 18  # of what a channel remembers: 15 MB


@dataclass(frozen=True)
class TransferPattern:
    """What a transfer moves: equal segments at equal distances, the first at the start of a row.

    Attributes
    ----------
    segments : int
        How many; 0 moves nothing.
    segment_bytes : int
        Bytes of each. It is rounded out to whole bursts; a burst that two segments share is moved once.
    stride_bytes : int
        From the start of one to the start of the next, at least `segment_bytes`.
    write : bool
        Whether they go to DRAM.
    """

    segments: int
    segment_bytes: int
    stride_bytes: int
    write: bool = False

    def __post_init__(self) -> None:
        if self.segments < 0 or self.segment_bytes < 0:
            problem = f"are {self.segments} of {self.segment_bytes} bytes"
            raise InputError("DRAM transfer", "segments", problem, "give no negative numbers")
        if self.segments > 1 and self.stride_bytes < self.segment_bytes:
            problem = f"is {self.stride_bytes}, less than a segment"
            raise InputError("DRAM transfer", "stride_bytes", problem, f"give at least {self.segment_bytes}")

    @property
    def moved_bytes(self) -> int:
        """Bytes that were asked for."""
        return self.segments * self.segment_bytes

    @property
    def contiguous(self) -> bool:
        """Whether it is one run of bytes."""
        return self.segments <= 1 or self.stride_bytes == self.segment_bytes


class TransferTimes(NamedTuple):
    """Of each pattern: memory clock cycles on the channel, activates, and bursts."""

    cycles: Integers
    activates: Integers
    bursts: Integers


def contiguous(moved_bytes: int, write: bool = False) -> TransferPattern:
    """Return the pattern of one run of bytes."""
    return TransferPattern(1, moved_bytes, moved_bytes, write)


def transfer_memory_cycles(part: DramPart, pattern: TransferPattern, queue_depth: int = QUEUE_DEPTH) -> tuple[int, int]:
    """Return the memory clock cycles and the activates of one transfer; remembered.

    Raises
    ------
    InputError
        If the pattern is larger than the channel.
    """
    columns = (pattern.segments, pattern.segment_bytes, pattern.stride_bytes, pattern.write)
    one = memory_of(part, queue_depth).times(*(np.array([number], np.int64) for number in columns))
    return int(one["cycles"][0]), int(one["activates"][0])


class TransferMemory:
    """What a channel's transfers took so far, for a queue of some depth; see `transfer_table`."""

    def __init__(self, part: DramPart, depth: int) -> None:
        self.part, self.depth, self.filled = part, depth, 0
        self.channel, self.least = channel_of(part)
        self.table = np.zeros(TABLE_PLACES, ENTRY)

    def times(self, segments: Integers, segment_bytes: Integers, stride_bytes: Integers, write: Integers) -> Any:
        """Return [patterns] of TIMES; all parameters are int64[patterns].

        Raises
        ------
        InputError
            If a pattern is larger than the channel or its segments overlap.
        """
        result, part = np.zeros(len(segments), TIMES), self.part
        done, columns = 0, (segments, segment_bytes, stride_bytes, write)
        while True:
            done, self.filled = run_transfers(
                self.channel, self.least, part.burst_bytes, self.depth, *columns, True, result, done, self.table,
                self.filled, part.channel_bytes,
            )  # fmt: skip
            if done == len(segments):
                return result
            count, size, stride, writes = (int(column[done]) for column in columns)
            TransferPattern(count, size, stride, bool(writes))
            _check_fits(part, count, size, stride)
            self.table[:], self.filled = 0, 0  # it is full: begin anew

    def cut_times(
        self, segments: Integers, segment_bytes: Integers, stride_bytes: Integers, write: Integers
    ) -> "TransferTimes":
        """Return what `cut_memory_cycles` does, of many patterns; parameters as of `times`."""
        columns = (segments, segment_bytes, stride_bytes, write)
        found = self.times(*columns)
        cycles, activates, bursts = (found[name] for name in TransferTimes._fields)
        limit = POSTPONED_REFRESHES * self.part.timing_cycles.REFI
        if cycles.max(initial=0) > limit:
            for i in np.flatnonzero(cycles > limit):
                count, size, stride, writes = (int(column[i]) for column in columns)
                pattern = TransferPattern(count, size, stride, bool(writes))
                cycles[i], activates[i], bursts[i] = _cut_sums(self.part, pattern, self.depth)
        return TransferTimes(cycles, activates, bursts)


@lru_cache(maxsize=8)
def memory_of(part: DramPart, depth: int) -> TransferMemory:
    """Return what is remembered of a part's channel; it is shared by all machines that have this part."""
    return TransferMemory(part, depth)


def transfer_times(
    part: DramPart,
    segments: ArrayLike,
    segment_bytes: ArrayLike,
    stride_bytes: ArrayLike,
    write: ArrayLike,
    queue_depth: int = QUEUE_DEPTH,
) -> TransferTimes:
    """Return what `transfer_memory_cycles` does, of many patterns at once.

    Parameters
    ----------
    part : DramPart
    segments, segment_bytes, stride_bytes, write : [patterns], or one for all
        See `TransferPattern`. What was looked at before is remembered.

    Raises
    ------
    InputError
        If a pattern is larger than the channel or its segments overlap.
    """
    columns, shape = _columns(segments, segment_bytes, stride_bytes, write)
    numbers = memory_of(part, queue_depth).times(*columns)
    return TransferTimes(*(numbers[name].reshape(shape) for name in TransferTimes._fields))


def cut_transfer(
    part: DramPart, pattern: TransferPattern, queue_depth: int = QUEUE_DEPTH
) -> tuple[TransferPattern, ...]:
    """Return the pieces of a transfer that is too long to go without refresh; itself if it is not.

    JEDEC lets 8 refreshes be postponed, so no piece may take more than 8 x REFI. A contiguous pattern is cut at rows,
    any other between segments, and a single segment that is too long at rows again. All pieces but the last are equal.
    Their number is the smallest from ceil(time / (8 x REFI)) on for which each piece takes at most 8 x REFI. Each piece
    is a transfer of its own, whose first segment lies at the start of a row.
    """
    limit = POSTPONED_REFRESHES * part.timing_cycles.REFI
    whole, _ = transfer_memory_cycles(part, pattern, queue_depth)
    if whole <= limit:
        return (pattern,)
    write = pattern.write
    if pattern.contiguous:
        total, unit = pattern.moved_bytes, part.row_bytes * part.organization.bank_groups
        units = -(-total // unit)

        def piece(count: int) -> TransferPattern:
            return contiguous(count * unit, write)

        def rest(done: int) -> TransferPattern:
            return contiguous(total - done * unit, write)
    else:
        units = pattern.segments
        size, stride = pattern.segment_bytes, pattern.stride_bytes

        def piece(count: int) -> TransferPattern:
            return TransferPattern(count, size, stride, write)

        def rest(done: int) -> TransferPattern:
            return TransferPattern(units - done, size, stride, write)

    pieces = -(-whole // limit)
    while pieces < units and transfer_memory_cycles(part, piece(-(-units // pieces)), queue_depth)[0] > limit:
        pieces += 1
    each = -(-units // pieces)
    if each == 1 and transfer_memory_cycles(part, piece(1), queue_depth)[0] > limit:
        if pattern.contiguous:
            raise InputError(part.name, "timing_cycles.REFI", "is too short to move a row", "give more")
        return cut_transfer(part, contiguous(pattern.segment_bytes, write), queue_depth) * units
    full = (units - 1) // each
    return (*[piece(each)] * full, rest(full * each))


@lru_cache(maxsize=1 << 16)
def _cut_sums(part: DramPart, pattern: TransferPattern, queue_depth: int) -> tuple[int, int, int]:
    """Return cycles, activates and bursts over the pieces of a transfer."""
    pieces = cut_transfer(part, pattern, queue_depth)
    columns = [(piece.segments, piece.segment_bytes, piece.stride_bytes, piece.write) for piece in pieces]
    segments, sizes, strides, writes = zip(*columns, strict=True)
    times = transfer_times(part, segments, sizes, strides, writes, queue_depth)
    return int(times.cycles.sum()), int(times.activates.sum()), int(times.bursts.sum())


def cut_memory_cycles(part: DramPart, pattern: TransferPattern, queue_depth: int = QUEUE_DEPTH) -> tuple[int, int, int]:
    """Return cycles, activates and pieces of a transfer, cut where it must be; see `cut_transfer`."""
    pieces = cut_transfer(part, pattern, queue_depth)
    times = [transfer_memory_cycles(part, piece, queue_depth) for piece in pieces]
    return sum(cycles for cycles, _ in times), sum(activates for _, activates in times), len(pieces)


def cut_times(
    part: DramPart,
    segments: ArrayLike,
    segment_bytes: ArrayLike,
    stride_bytes: ArrayLike,
    write: ArrayLike,
    queue_depth: int = QUEUE_DEPTH,
) -> TransferTimes:
    """Return what `cut_memory_cycles` does, of many patterns at once; see `transfer_times`."""
    columns, shape = _columns(segments, segment_bytes, stride_bytes, write)
    times = memory_of(part, queue_depth).cut_times(*columns)
    return TransferTimes(*(array.reshape(shape) for array in times))


def _columns(*parameters: ArrayLike) -> tuple[list[Integers], tuple[int, ...]]:
    """Return parameters as flat arrays of one length, and the shape that they have together."""
    columns = np.broadcast_arrays(*(np.asarray(each, np.int64) for each in parameters))
    return [np.ascontiguousarray(column).ravel() for column in columns], columns[0].shape


def _check_fits(part: DramPart, segments: int, segment_bytes: int, stride_bytes: int) -> None:
    reach = max(segments - 1, 0) * stride_bytes + segment_bytes
    if reach > part.channel_bytes:
        problem = f"reaches over {reach} bytes"
        raise InputError(part.name, "transfer", problem, f"a channel has {part.channel_bytes}; give less")
