"""The rule by which tilings compete (docs/machine.md, "Tiles"): by the time that they take, and by the bytes they move.

Candidates are listed in the order of bounds from below, so that few of them have to be measured: once the next bound is
no better than the best so far, none behind it is. The kernel returns early where only Python knows what it needs to
measure a candidate, and goes on when it is called again.
"""

# numba infers the types inside the kernel; numpy's stubs do not follow its scalars.
# mypy: disable-error-code="call-overload,arg-type,return-value"

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from dataflows.plans import (
    array_side,
    candidate_heap,
    cut_tables,
    table_reading,
    tile_clock,
    tiling_search,
    tiling_time,
)
from dataflows.plans.candidate_heap import KEY
from dataflows.plans.cut_tables import UNKNOWN_WORDS, Extents, Memory, Rate, Tables
from dataflows.plans.table_reading import axes_of, space_at
from dataflows.plans.tiling_search import candidate_at, list_candidates
from dataflows.plans.tiling_time import Measured, measure
from dataflows.plans.transfers import Integers
from workloads.foundation.kernel_sources import sources_of

NEVER = 1 << 62
LONGEST_LIST = 512
QUICK, BY_BYTES, BY_TIME, DONE = 0, 1, 2, 3  # stages of a contest
RESULTS = 6  # numbers of `Measured`


class Progress(NamedTuple):
    """How far a contest is.

    Attributes
    ----------
    now : int64[6]
        The stage; 1 where a candidate waits to be measured; 1 where there is a best one; of the fastest plan's time
        the least known, and what none is below; and the stage after the quick one.
    waiting, held, best : int64[2]
        Place and mapping: of the candidate to be measured, of one about which the fastest time must decide, and of the
        best so far.
    results : int64[3, RESULTS]
        What the held one, the best one, and the quick one came to.
    quick : int64[2]
        Place and mapping of the candidate that was measured first.
    lists : int64[2, LONGEST_LIST + 2, KEY]
        Candidates by their bytes, and by their time.
    listed : int64[2, 3]
        Of each list: how many were asked for, how many it has, and how many were taken.
    """

    now: Integers
    waiting: Integers
    held: Integers
    best: Integers
    quick: Integers
    results: Integers
    lists: Integers
    listed: Integers


def new_progress(stage: int, shortest: int, floor: int, then: int) -> Progress:
    """Return the progress of a contest that begins at a stage, with what is known of the fastest plan's time."""
    table = np.full((4, 2), -1, np.int64)
    return Progress(
        np.array([stage, 0, 0, shortest, floor, then]), table[0], table[1], table[2], table[3],
        np.zeros((3, RESULTS), np.int64), np.empty((2, LONGEST_LIST + 2, KEY), np.int64), np.zeros((2, 3), np.int64),
    )  # fmt: skip


STAGE, WAITS, FOUND, SHORTEST, FLOOR, THEN = 0, 1, 2, 3, 4, 5  # of `now`
HELD, BEST, FIRST = 0, 1, 2  # rows of `results`


@njit
def longest_allowed(time: int, slack_percent: int) -> int:
    """Return the longest time that is fast enough where the fastest plan takes `time`."""
    if slack_percent < 0 or time == NEVER:
        return NEVER
    return time + time // 100 * slack_percent + time % 100 * slack_percent // 100


@njit
def comes_first(one: Integers, at: int, other: Integers, place: int) -> bool:
    """Whether one row of results is before another: by DRAM bytes, buffer bytes, time, tiles."""
    if one[at, 1] != other[place, 1]:
        return one[at, 1] < other[place, 1]
    if one[at, 2] != other[place, 2]:
        return one[at, 2] < other[place, 2]
    if one[at, 0] != other[place, 0]:
        return one[at, 0] < other[place, 0]
    return one[at, 3] < other[place, 3]


@njit
def next_listed(
    progress: Progress, tables: Tables, extents: Extents, memory: Memory, rate: Rate, orders: Integers
) -> int:
    """Return the row of the next candidate of the stage's list, which grows as it is asked for; -1 after the last."""
    now, stage = progress.now, progress.now[STAGE]
    which = 1 if stage == BY_TIME else 0
    listed, keys = progress.listed, progress.lists[which]
    wanted, count, taken = listed[which]
    if taken < count:
        listed[which, 2] = taken + 1
        return taken
    if wanted > 0 and count < wanted:
        return -1
    more = min(LONGEST_LIST, 8 * wanted)
    if wanted == 0:
        more = 1 if stage == QUICK else 4
    for column in range(KEY):  # the list goes on after its last key
        keys[more + 1, column] = keys[count - 1, column] if wanted > 0 else -1
    criteria, most_time, most_first = (1, 2, 0), longest_allowed(now[SHORTEST], memory.slack_percent), NEVER
    if stage == QUICK:
        criteria, most_time = (3, 1, 2), NEVER
    elif stage == BY_TIME:
        criteria, most_time = (0, 1, 2), now[SHORTEST] - 1
    elif now[FOUND] > 0:
        most_first = progress.results[BEST, 1]
    elif progress.quick[0] >= 0 and progress.results[FIRST, 0] <= longest_allowed(now[FLOOR], memory.slack_percent):
        most_first = progress.results[FIRST, 1]  # the first one is fast enough, so the winner has no more bytes
    count, least = list_candidates(
        tables, extents, memory, rate, orders, criteria, most_time, most_first, keys, more
    )  # fmt: skip
    listed[which, 0], listed[which, 1], listed[which, 2] = more, count, min(count, 1)
    if stage == QUICK:
        now[FLOOR] = min(now[FLOOR], least)
    return 0 if count > 0 else -1


@njit
def still_better(keys: Integers, at: int, results: Integers) -> bool:
    """Whether a bound in the order of `comes_first` is before the best one."""
    if keys[at, 0] != results[BEST, 1]:
        return keys[at, 0] < results[BEST, 1]
    if keys[at, 1] != results[BEST, 2]:
        return keys[at, 1] < results[BEST, 2]
    if keys[at, 2] != results[BEST, 0]:
        return keys[at, 2] < results[BEST, 0]
    return keys[at, 3] < results[BEST, 3]


@njit
def decide(progress: Progress, memory: Memory) -> bool:
    """Keep the held candidate as the best one if it is fast enough; return whether that is known yet."""
    now, results, slack = progress.now, progress.results, memory.slack_percent
    time = results[HELD, 0]
    if time <= longest_allowed(now[SHORTEST], slack):
        if time > longest_allowed(now[FLOOR], slack):
            return False
        now[FOUND] = 1
        for column in range(RESULTS):
            results[BEST, column] = results[HELD, column]
        progress.best[0], progress.best[1] = progress.held
    return True


@njit
def take(progress: Progress, memory: Memory, measured: Measured) -> None:
    """Take what the waiting candidate came to."""
    now, results = progress.now, progress.results
    now[WAITS] = 0
    row = HELD
    if now[STAGE] == QUICK:
        row = FIRST
        progress.quick[0], progress.quick[1] = progress.waiting
    if now[STAGE] == BY_TIME:  # of which the time alone counts
        now[SHORTEST] = min(now[SHORTEST], measured.time)
        now[FLOOR] = min(now[FLOOR], now[SHORTEST])
        if decide(progress, memory):
            now[STAGE] = BY_BYTES
        return
    for column in range(RESULTS):
        results[row, column] = measured[column]
    if now[STAGE] == QUICK:
        now[SHORTEST] = min(now[SHORTEST], measured.time)
        now[FLOOR] = min(now[FLOOR], now[SHORTEST])
        now[STAGE] = now[THEN]
        return
    progress.held[0], progress.held[1] = progress.waiting
    if (now[FOUND] == 0 or comes_first(results, HELD, results, BEST)) and not decide(progress, memory):
        now[STAGE] = BY_TIME


@njit
def look_on(progress: Progress, tables: Tables, extents: Extents, memory: Memory, rate: Rate, orders: Integers) -> None:
    """Find the next candidate to be measured, or come to the end of the stage."""
    now, stage = progress.now, progress.now[STAGE]
    at = next_listed(progress, tables, extents, memory, rate, orders)
    keys = progress.lists[1 if stage == BY_TIME else 0]
    if stage == QUICK:
        progress.listed[0, 0] = progress.listed[0, 1] = progress.listed[0, 2] = 0  # the next stage lists anew
        if at < 0:
            now[STAGE] = now[THEN]
            return
    elif stage == BY_TIME:
        now[FLOOR] = now[SHORTEST]
        if at >= 0:
            now[FLOOR] = min(now[SHORTEST], keys[at, 0])
        if decide(progress, memory):
            now[STAGE] = BY_BYTES
            if at >= 0:
                progress.listed[1, 2] -= 1  # it is not measured yet
            return
    else:
        if at < 0 or (now[FOUND] > 0 and not still_better(keys, at, progress.results)):
            now[STAGE] = DONE
            return
        if keys[at, 2] > longest_allowed(now[SHORTEST], memory.slack_percent):
            return
    progress.waiting[0], progress.waiting[1] = keys[at, 4], keys[at, 5]
    now[WAITS] = 1


def _kernel(sources: int) -> Callable[..., Any]:
    @njit(cache=True)
    def contest(
        progress: Progress, tables: Tables, extents: Extents, memory: Memory, rate: Rate, orders: Integers,
        load_cycles: Integers, store_cycles: Integers, table: Integers,
    ) -> None:  # fmt: skip
        """Go on with a contest until it is done, or a candidate waits that needs what Python knows.

        Parameters
        ----------
        progress : Progress
            Of a contest that begins or waits.
        load_cycles, store_cycles : int64[kinds * 8 * LOADS], int64[kinds * 8 * STORES]
            What transfers of the waiting candidate take, where the channel must be asked; else empty.
        table : int64[8, tiles]
            Where it has room for tiles, the waiting candidate's are laid out there, and the contest is done.
        """
        if sources == 0:  # never; numba's cache follows what a function closes over
            return
        now, given = progress.now, len(load_cycles) > 0
        nothing = load_cycles[:0]
        while now[STAGE] != DONE:
            if now[WAITS] == 0:
                look_on(progress, tables, extents, memory, rate, orders)
                continue
            first = progress.quick[0] == progress.waiting[0] and progress.quick[1] == progress.waiting[1]
            if first and now[STAGE] != QUICK and table.shape[1] == 0:  # it is measured already
                one = progress.results[FIRST]
                take(progress, memory, Measured(one[0], one[1], one[2], one[3], one[4], one[5]))
                continue
            candidate = candidate_at(progress.waiting[0], progress.waiting[1], tables)
            axes = axes_of(tables.mappings, candidate.mapping)
            known = space_at(tables.more, axes.more + candidate.space).ifmap_pass != UNKNOWN_WORDS
            if not known or (rate.asked > 0 and not given):
                return
            if not given:
                load_cycles = store_cycles = nothing
            measured = measure(candidate, tables, extents, memory, rate, orders, load_cycles, store_cycles, table)
            given = False
            if table.shape[1] > 0:
                now[STAGE] = DONE
            else:
                take(progress, memory, measured)

    return contest


contest = _kernel(sources_of(
    array_side, candidate_heap, cut_tables, table_reading, tile_clock, tiling_search, tiling_time
))  # fmt: skip
