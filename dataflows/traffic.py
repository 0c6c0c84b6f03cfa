"""What crosses an array's edge, and what is accessed inside."""

from dataclasses import dataclass

from dataflows.actions import ActionCounts


@dataclass(frozen=True, slots=True)
class ArrayTraffic:
    """Words that cross the array's edge, and accesses inside; sums over all tiles.

    Psums that are added to are counted both when written and when read; finished results are counted in neither.
    `sums_return` says whether they are read back into the array or added in their memory. `accumulated` says whether
    those of a tile lie in the array's accumulator memory and not in the buffer. `network_words` counts an operand's
    word once for each line that carries it from its memory to an array. `inside` is what registers, scratchpads and
    wires inside the arrays do.
    """

    ifmap_words: int
    filter_words: int
    partial_sum_writes: int
    partial_sum_reads: int
    network_words: int
    inside: ActionCounts
    sums_return: bool
    accumulated: bool = False
