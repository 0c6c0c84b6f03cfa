"""What tiles move between DRAM and buffer, as patterns of addresses."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Transfers:
    """Transfers, each of several patterns one after the other: `segments` pieces of equal size, `stride` apart.

    Attributes
    ----------
    segments, segment_bytes, stride_bytes : int64[patterns, transfers]
        A pattern of no segments moves nothing.
    write : bool
        Whether they go to DRAM.
    """

    segments: Integers
    segment_bytes: Integers
    stride_bytes: Integers
    write: bool

    @property
    def moved_bytes(self) -> Integers:
        """Bytes of each transfer."""
        total: Integers = (self.segments * self.segment_bytes).sum(axis=0)
        return total

    def __len__(self) -> int:
        return self.segments.shape[1]


def contiguous(transfer_bytes: Integers, write: bool) -> Transfers:
    """Return transfers of one piece each."""
    one = transfer_bytes.reshape(1, -1)
    return Transfers((one > 0).astype(np.int64), one, one, write)


def together(parts: Sequence[Transfers], write: bool) -> Transfers:
    """Return transfers whose patterns are those of several."""
    return Transfers(
        np.concatenate([part.segments for part in parts]),
        np.concatenate([part.segment_bytes for part in parts]),
        np.concatenate([part.stride_bytes for part in parts]),
        write,
    )


def end_to_end(parts: Sequence[Transfers], write: bool) -> Transfers:
    """Return the transfers of several plans, one after the other."""
    patterns = max((len(part.segments) for part in parts), default=1)

    def padded(table: Integers) -> Integers:
        return np.pad(table, ((0, patterns - len(table)), (0, 0)))

    none = np.zeros((patterns, 0), dtype=np.int64)
    return Transfers(
        np.concatenate([none, *(padded(part.segments) for part in parts)], axis=1),
        np.concatenate([none, *(padded(part.segment_bytes) for part in parts)], axis=1),
        np.concatenate([none, *(padded(part.stride_bytes) for part in parts)], axis=1),
        write,
    )
