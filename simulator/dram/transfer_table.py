"""What transfers took on a channel, by their pattern: a hash table with open addressing. A part of `transfer_kernel`.

A pattern that comes again costs a look into the table. A contiguous pattern is one segment, however it was given.
"""

from typing import Any

import numpy as np

from workloads.foundation.kernels import njit_inside

# A place of the table is free where `segments` is 0.
ENTRY = np.dtype([
    (name, np.int64)
    for name in ("segments", "segment_bytes", "stride_bytes", "write", "cycles", "activates", "bursts")
])  # fmt: skip


@njit_inside
def place_of_pattern(table: Any, segments: int, segment_bytes: int, stride_bytes: int, write: int) -> int:
    """Return the place at which a table has a pattern, or the free place where it belongs."""
    mixed = (segments * 0x2545F4914F6CDD1D ^ segment_bytes) * 0x1B873593CC9E2D51
    mixed = (mixed ^ mixed >> 29 ^ stride_bytes) * 0x2545F4914F6CDD1D
    mixed = (mixed ^ mixed >> 32 ^ write) * 0x1B873593CC9E2D51
    last = len(table) - 1
    place = (mixed ^ mixed >> 31) & last
    while table[place].segments != 0 and (
        table[place].segments != segments
        or table[place].segment_bytes != segment_bytes
        or table[place].stride_bytes != stride_bytes
        or table[place].write != write
    ):
        place = (place + 1) & last
    return place


@njit_inside
def remember(entry: Any, pattern: Any, write: int, times: Any) -> None:
    """Write down what a pattern takes."""
    entry.segments, entry.segment_bytes, entry.stride_bytes = (
        pattern.segments,
        pattern.segment_bytes,
        pattern.stride_bytes,
    )
    entry.write, entry.cycles, entry.activates, entry.bursts = write, times.cycles, times.activates, times.bursts
