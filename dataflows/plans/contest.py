"""The rule by which tilings compete (docs/machine.md, "Tiles"): by the time that they take, and by the bytes they move.

Candidates are listed in the order of bounds from below, so that few of them have to be measured: once the next bound is
no better than the best so far, none behind it is. The kernel returns early where only Python knows what it needs to
measure a candidate, and goes on when it is called again.

Big functions are called in one place alone: each level of calls compiles them once more.
"""

# numba infers the types inside the kernel; numpy's stubs do not follow its scalars.
# mypy: disable-error-code="call-overload,arg-type,return-value"

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from dataflows.integers import Integers
from dataflows.plans import (
    array_side,
    candidate_heap,
    cut_tables,
    kernel_arrays,
    table_reading,
    tile_clock,
    tile_kinds,
    tiling_search,
    tiling_time,
)
from dataflows.plans.candidate_heap import KEY
from dataflows.plans.cut_tables import (
    UNKNOWN_WORDS,
    Extents,
    Memory,
    MemoryBytes,
    MemoryWidths,
    Rate,
    StreamBytes,
    Tables,
)
from dataflows.plans.kernel_arrays import zero_rows
from dataflows.plans.table_reading import axes_of, space_at
from dataflows.plans.tiling_search import candidate_at, list_candidates
from dataflows.plans.tiling_time import TILE_ROWS, Measured, measure
from workloads.foundation.kernel_sources import sources_of
from workloads.foundation.kernels import njit_inside

NEVER = 1 << 62
LONGEST_LIST = 512
QUICK, BY_BYTES, BY_TIME, LAID_OUT, DONE = 0, 1, 2, 3, 4  # stages of a contest
ROW = 6  # numbers of a row of the state, and of `Measured`
# Of the row `now`: the stage; 1 where a candidate waits to be measured; 1 where there is a best one; of the fastest
# plan's time the least known, and what none is below; and the stage after the quick one.
STAGE, WAITS, FOUND, SHORTEST, FLOOR, THEN = 0, 1, 2, 3, 4, 5
# Rows of the state: `now`; place and mapping of the candidate to be measured, of one about which the fastest time must
# decide, of the best so far and of the one that was measured first; of each list (by bytes, by time) how many were
# asked for, how many it has and how many were taken; what the held one, the best and the first came to.
NOW, WAITING, HELD, BEST, FIRST, LISTED, RESULTS = 0, 1, 2, 3, 4, 5, 5
ROWS = 10


class Asked(NamedTuple):
    """How many candidates are wanted, by which three criteria, and limits; see `list_candidates`."""

    wanted: int
    first: int
    second: int
    third: int
    most_time: int
    most_first: int


def new_state(stage: int, shortest: int, floor: int, then: int) -> Integers:
    """Return the state of a contest that begins at a stage, with what is known of the fastest plan's time."""
    state = np.zeros((ROWS, ROW), np.int64)
    state[NOW] = stage, 0, 0, shortest, floor, then
    state[FIRST, 0] = -1
    return state


@njit_inside
def longest_allowed(time: int, slack_percent: int) -> int:
    """Return the longest time that is fast enough where the fastest plan takes `time`."""
    if slack_percent < 0 or time == NEVER:
        return NEVER
    return time + time // 100 * slack_percent + time % 100 * slack_percent // 100


@njit_inside
def comes_first(state: Integers) -> bool:
    """Whether what is held is before the best one: by DRAM bytes, buffer bytes, time, tiles."""
    one, other = RESULTS + HELD, RESULTS + BEST
    if state[one, 1] != state[other, 1]:
        return state[one, 1] < state[other, 1]
    if state[one, 2] != state[other, 2]:
        return state[one, 2] < state[other, 2]
    if state[one, 0] != state[other, 0]:
        return state[one, 0] < state[other, 0]
    return state[one, 3] < state[other, 3]


@njit_inside
def first_allowed(state: Integers, slack_percent: int) -> bool:
    """Whether the candidate that was measured first is known to be fast enough."""
    time, floor = state[RESULTS + FIRST, 0], state[NOW, FLOOR]
    return state[FIRST, 0] >= 0 and time <= longest_allowed(floor, slack_percent)


@njit_inside
def asked_for(state: Integers, lists: Integers, slack_percent: int) -> Asked:
    """Return which candidates the stage's list must go on with; none while it has some, or where none are left."""
    now, stage = state[NOW], state[NOW, STAGE]
    which = 1 if stage == BY_TIME else 0
    wanted, count, taken = state[LISTED + which, 0], state[LISTED + which, 1], state[LISTED + which, 2]
    most_time, most_first = longest_allowed(now[SHORTEST], slack_percent), np.int64(NEVER)
    if taken < count or count < wanted:
        return Asked(0, 0, 0, 0, most_time, most_first)
    more = min(LONGEST_LIST, 8 * wanted)
    if wanted == 0:
        more = 1 if stage == QUICK else 4
    for column in range(KEY):  # the list goes on after its last key
        lists[which, more + 1, column] = lists[which, count - 1, column] if wanted > 0 else -1
    if stage == QUICK:
        return Asked(more, 3, 1, 2, now[SHORTEST], NEVER)
    if stage == BY_TIME:
        return Asked(more, 0, 1, 2, now[SHORTEST] - 1, NEVER)
    if now[FOUND] > 0:
        most_first = state[RESULTS + BEST, 1]
    elif first_allowed(state, slack_percent):
        most_first = state[RESULTS + FIRST, 1]  # the first one is fast enough, so the winner has no more bytes
    return Asked(more, 1, 2, 0, most_time, most_first)


@njit_inside
def note_list(state: Integers, wanted: int, count: int, least_time: int) -> None:
    """Note how many candidates a list has now, and what no tiling's time is below."""
    listed = LISTED + 1 if state[NOW, STAGE] == BY_TIME else LISTED
    state[listed, 0], state[listed, 1], state[listed, 2] = wanted, count, 0
    if state[NOW, STAGE] == QUICK:
        state[NOW, FLOOR] = min(state[NOW, FLOOR], least_time)


@njit_inside
def still_better(keys: Integers, at: int, state: Integers) -> bool:
    """Whether a bound in the order of `comes_first` is before the best one."""
    best = RESULTS + BEST
    if keys[at, 0] != state[best, 1]:
        return keys[at, 0] < state[best, 1]
    if keys[at, 1] != state[best, 2]:
        return keys[at, 1] < state[best, 2]
    if keys[at, 2] != state[best, 0]:
        return keys[at, 2] < state[best, 0]
    return keys[at, 3] < state[best, 3]


@njit_inside
def decide(state: Integers, slack_percent: int) -> bool:
    """Keep the held candidate as the best one if it is fast enough; return whether that is known yet."""
    time = state[RESULTS + HELD, 0]
    if time <= longest_allowed(state[NOW, SHORTEST], slack_percent):
        if time > longest_allowed(state[NOW, FLOOR], slack_percent):
            return False
        state[NOW, FOUND] = 1
        for column in range(ROW):
            state[RESULTS + BEST, column] = state[RESULTS + HELD, column]
            state[BEST, column] = state[HELD, column]
    return True


@njit_inside
def take(state: Integers, slack_percent: int, measured: Measured) -> None:
    """Take what the waiting candidate came to."""
    stage = state[NOW, STAGE]
    state[NOW, WAITS] = 0
    if stage == LAID_OUT:
        state[NOW, STAGE] = DONE
        return
    if stage != BY_BYTES:
        state[NOW, SHORTEST] = min(state[NOW, SHORTEST], measured.time)
        state[NOW, FLOOR] = min(state[NOW, FLOOR], state[NOW, SHORTEST])
    if stage != BY_TIME:  # else the time alone counts
        row = FIRST if stage == QUICK else HELD
        for column in range(ROW):
            state[row, column] = state[WAITING, column]
            state[RESULTS + row, column] = measured[column]
    if stage == QUICK:
        state[NOW, STAGE] = state[NOW, THEN]
    elif stage == BY_TIME or state[NOW, FOUND] == 0 or comes_first(state):
        state[NOW, STAGE] = BY_BYTES if decide(state, slack_percent) else BY_TIME


@njit_inside
def look_on(state: Integers, lists: Integers, slack_percent: int) -> None:
    """Take the next candidate of the stage's list to be measured, or come to the end of the stage."""
    now, stage = state[NOW], state[NOW, STAGE]
    which = 1 if stage == BY_TIME else 0
    at, keys = state[LISTED + which, 2], lists[which]
    left = at < state[LISTED + which, 1]
    if stage == QUICK:
        for column in range(3):
            state[LISTED, column] = 0  # the next stage lists anew
        if not left:
            now[STAGE] = now[THEN]
            return
    elif stage == BY_TIME:
        now[FLOOR] = max(now[FLOOR], min(now[SHORTEST], keys[at, 0]) if left else now[SHORTEST])
        if decide(state, slack_percent):
            now[STAGE] = BY_BYTES
            return
    elif not left or (now[FOUND] > 0 and not still_better(keys, at, state)):
        now[STAGE] = DONE
        if now[FOUND] > 0:
            now[STAGE], now[WAITS] = LAID_OUT, 1
            state[WAITING, 0], state[WAITING, 1] = state[BEST, 0], state[BEST, 1]
        return
    if stage != QUICK:
        state[LISTED + which, 2] += 1
    if stage != BY_BYTES or keys[at, 2] <= longest_allowed(now[SHORTEST], slack_percent):
        state[WAITING, 0], state[WAITING, 1] = keys[at, 4], keys[at, 5]
        now[WAITS] = 1


@njit_inside
def measured_first(state: Integers) -> bool:
    """Whether the waiting candidate is the one that was measured first."""
    again = state[FIRST, 0] == state[WAITING, 0] and state[FIRST, 1] == state[WAITING, 1]
    return again and (state[NOW, STAGE] == BY_BYTES or state[NOW, STAGE] == BY_TIME)


def _kernel(sources: int) -> Callable[..., Any]:
    @njit(cache=True, error_model="numpy")
    def contest(
        state: Integers, lists: Integers, cuts: Integers, more: Integers, mappings: Integers, read: Integers,
        tile_rows: Integers, facts: Integers, of_a_byte: float, orders: Integers, load_cycles: Integers,
        store_cycles: Integers,
    ) -> Integers:  # fmt: skip
        """Go on with a contest until it is done, or a candidate waits that needs what Python knows.

        Parameters
        ----------
        state : int64[ROWS, ROW]
            Of a contest that begins or waits.
        lists : int64[2, LONGEST_LIST + 2, KEY]
            The lists of candidates, empty at first.
        cuts, more, mappings, read, tile_rows
            See `Tables`.
        facts, of_a_byte : int64[numbers], float
            The numbers of `Extents`, `Memory` and `Rate` (see `facts_of`), but for the one that is a fraction.
        load_cycles, store_cycles : int64[kinds * 8 * LOADS], int64[kinds * 8 * STORES]
            What transfers of the waiting candidate take, where the channel must be asked; else empty.

        Returns
        -------
        int64[TILE_ROWS, tiles]
            The tiles of the best candidate, see `measure`, where the contest is done.
        """
        table, given = zero_rows(np.int64(TILE_ROWS), np.int64(0)), len(load_cycles) > 0
        if sources == 0:  # never; numba's cache follows what a function closes over
            return table
        f = facts
        extents = Extents(f[0], f[1], f[2], f[3], f[4], f[5], f[6], f[7], f[8] > 0)
        memory = Memory(
            StreamBytes(f[9], f[10], f[11], f[12]), MemoryBytes(f[13], f[14], f[15]), MemoryBytes(f[16], f[17], f[18]),
            MemoryWidths(f[19], f[20]), f[21], f[22],
        )  # fmt: skip
        rate = Rate(of_a_byte, f[23], f[24], f[25], f[26], f[27])
        tables = Tables(cuts, more, mappings, read, tile_rows)
        now, nothing = state[NOW], load_cycles[:0]
        while now[STAGE] != DONE:
            if now[WAITS] == 0:
                asked = asked_for(state, lists, memory.slack_percent)
                if asked.wanted > 0:
                    keys, most_first, stride = lists[1 if now[STAGE] == BY_TIME else 0], asked.most_first, 1
                    if now[STAGE] == QUICK:
                        stride = 3  # what some of them come to spares most of the others
                    while True:
                        count, least_time = list_candidates(
                            tables, extents, memory, rate, orders, (asked.first, asked.second, asked.third),
                            asked.most_time, most_first, keys, asked.wanted, stride,
                        )  # fmt: skip
                        if stride == 1:
                            break
                        stride = 1
                        if count > 0:
                            most_first = keys[0, 0]
                    note_list(state, asked.wanted, count, least_time)
                look_on(state, lists, memory.slack_percent)
                continue
            if measured_first(state):
                one = state[RESULTS + FIRST]
                take(state, memory.slack_percent, Measured(one[0], one[1], one[2], one[3], one[4], one[5]))
                continue
            candidate = candidate_at(state[WAITING, 0], state[WAITING, 1], tables)
            axes = axes_of(tables.mappings, candidate.mapping)
            known = space_at(tables.more, axes.more + candidate.space).ifmap_pass != UNKNOWN_WORDS
            if now[STAGE] == LAID_OUT:
                table = zero_rows(np.int64(TILE_ROWS), state[RESULTS + BEST, 3])
            elif not known or (rate.asked > 0 and not given):
                return table
            if not given:
                load_cycles = store_cycles = nothing
            longest = np.int64(NEVER)  # of a time that matters
            if now[STAGE] == BY_TIME:
                longest = now[SHORTEST]
            elif now[STAGE] == BY_BYTES:
                longest = longest_allowed(now[SHORTEST], memory.slack_percent)
            measured = measure(
                candidate, tables, extents, memory, rate, orders, load_cycles, store_cycles, table, longest
            )
            take(state, memory.slack_percent, measured)
            given = False
        return table

    return contest


contest = _kernel(sources_of(
    array_side, candidate_heap, cut_tables, kernel_arrays, table_reading, tile_clock, tile_kinds, tiling_search,
    tiling_time,
))  # fmt: skip
