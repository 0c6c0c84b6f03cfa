"""What crosses an array's edge, and what is accessed inside."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ArrayTraffic:
    """Words that cross the array's edge, and accesses inside; sums over all tiles.

    Psums that are added to are counted both when written and when read; finished results are counted in neither.
    `sums_return` says whether they are read back into the array or added in their memory. `accumulated` says whether
    those of a tile lie in the array's accumulator memory and not in the buffer. `copied_words` are words that further
    arrays get when the memory gives a word to several.
    """

    ifmap_words: int
    filter_words: int
    partial_sum_writes: int
    partial_sum_reads: int
    register_reads: int
    register_writes: int
    sums_return: bool
    accumulated: bool = False
    scratchpad_reads: int = 0
    scratchpad_writes: int = 0
    copied_words: int = 0
