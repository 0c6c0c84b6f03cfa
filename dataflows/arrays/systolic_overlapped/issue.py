"""The cycles in which a tile's instructions begin, by the rule of docs/microarchitecture.md, "Instructions".

The rule is gone through, instruction after instruction. Folds that find the controller as an earlier one did are not
counted again.
"""

import numpy as np
from numba import njit

from dataflows.integers import Integers


@njit(cache=True)
def issue(
    folds: int, V: int, row: int, step_cycles: int, load_cycles: int, vectors: int, least_cycles: int, in_flight: int,
    result_cycles: int, entries: Integers,
) -> tuple[int, int]:  # fmt: skip
    """Count the cycles of a tile's instructions.

    Parameters
    ----------
    folds, V, row : int
        Folds of the tile, vectors of each, and of each row of the ofmap.
    step_cycles, load_cycles : int
        Cycles of a vector, and of the next fold's words.
    vectors, least_cycles, in_flight, result_cycles : int
        See `Instructions`.
    entries : int64[folds * V], or empty
        Room for the cycles in which the vectors enter, from the begin of the first fold on.

    Returns
    -------
    (int, int)
        Cycles from the begin of the first fold to that of the last one, and until the last vector has entered.
    """
    ends = np.full(in_flight, -result_cycles)  # of the instructions before, the oldest first; then all are forgotten
    kept, kept_at, kept_time, until, time = ends.copy(), 0, 0, 1, 0
    fold, first = 0, 0
    while True:
        entered = 0
        while entered < V:
            size = min(vectors, row - entered % row, V - entered)
            begin = max(ends[-1], ends[0] + result_cycles)
            if entered == 0:
                first = time + begin
            if len(entries) > 0:
                for i in range(size):
                    entries[fold * V + entered + i] = time + begin + (i + 1) * step_cycles
            entered += size
            taken = max(size * step_cycles, least_cycles)
            if entered == V:
                if fold == folds - 1:
                    return first, time + begin + size * step_cycles
                taken = max(taken, load_cycles)
            for i in range(in_flight - 1):
                ends[i] = ends[i + 1]
            ends[-1] = begin + taken
        fold += 1
        # what matters of the past is when it ended, counted from now on
        time += ends[-1]
        now = ends[-1]
        for i in range(in_flight):
            ends[i] = max(ends[i] - now, -result_cycles)
        same = len(entries) == 0
        for i in range(in_flight):
            same = same and ends[i] == kept[i]
        if same:
            turns = (folds - 1 - fold) // (fold - kept_at)
            time, fold = time + turns * (time - kept_time), fold + turns * (fold - kept_at)
        elif fold == until:
            kept, kept_at, kept_time, until = ends.copy(), fold, time, 2 * until
