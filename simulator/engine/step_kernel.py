"""The step kernel: both arrays, their DMAs and the DRAM channel, tile by tile, in integers.

The rules (docs/machine.md tells them in full):

- The plans of an array run one after the other; the two arrays run side by side.
- A tile's load is asked for when its plan has started, the load before it is done and the tile two before it has
  streamed (its half of the double buffer is free).
- A tile streams a gap after the tile before it has streamed, a fill after its load's end, and when the result two
  before its own is stored (the other half of the result buffer). A plan's first tile streams a fill after the plan's
  start at the earliest.
- A finished result's store is asked for when it has drained and the store before it is done.
- The channel takes one transfer at a time: the one that was asked for first; among those asked for in the same
  cycle stores come before loads, and the first array before the second.
- A transfer of no length ends when it is asked for, without the channel.
- Refreshes that came due while the channel was idle are made then, as many as fit; the others when the transfer on the
  channel ends, or at the latest every eight refresh intervals of it.
- An array waits for the other one where the transfer that it waits for waited behind one of the other's.

`simulator.engine.step_processes` says the same with SimPy processes; a test holds the two equal.
"""

from typing import Any, NamedTuple, Self

import numpy as np
from numba import njit

from dataflows.integers import Integers
from simulator.dram.refresh import Refresh
from workloads.foundation.kernels import njit_inside

NEVER = 1 << 62
LARGEST = (1 << 63) - 1


def _fields(*names: str) -> np.dtype[np.void]:
    return np.dtype([(name, np.int64) for name in names])


class PlanTimes(NamedTuple):
    """What the kernel returns of a plan, in cycles from the step's start."""

    start: int
    end: int
    stall_load: int
    stall_store: int
    stall_other_array: int


class TileTimes(NamedTuple):
    """What the kernel returns of a tile, in cycles from the step's start; its load and store are on the channel.

    `load_behind` and `store_behind` are how long the two waited behind transfers of the other array.
    """

    load_start: int
    load_end: int
    stream_start: int
    stream_end: int
    store_start: int
    store_end: int
    load_behind: int
    store_behind: int


PLAN_TIMES, TILE_TIMES = _fields(*PlanTimes._fields), _fields(*TileTimes._fields)
# The channel between steps: cycles since the batch began, the cycle (from the step's start) from which it is free, and
# the refreshes of this batch so far.
CHANNEL = _fields("batch_cycles", "free", "refreshes")
# An array on its plan: the plan's first tile, how many tiles it has and how many of these store; when the plan started,
# how many tiles are loaded, streamed and stored; and since when it asks the channel for a load and for a store.
_ARRAY = _fields(
    "plan", "last_plan", "first_tile", "tiles", "storing_tiles", "started", "loaded", "streamed", "stored",
    "load_asked", "store_asked",
)  # fmt: skip
# What stores: of tile t, how many before it in its plan store; and, compact from a plan's first tile on, which do.
_STORING = _fields("before", "tile")
# One that the channel carried; `held` is its time without refreshes.
_TRANSFER = _fields("start", "end", "array", "held")


class RefreshRules(NamedTuple):
    """`Refresh` as the kernel takes it; a refresh of 0 cycles means none.

    `direct_cycles` is the last cycle whose product with the denominator fits in 64 bits.
    """

    interval_numerator: int
    interval_denominator: int
    cycles: int
    longest_cycles: int
    direct_cycles: int

    @classmethod
    def of(cls, refresh: Refresh | None) -> Self:
        """Return the rules of a memory; of one without refreshes if there is none."""
        if refresh is None:
            return cls(1, 1, 0, 0, 0)
        return cls(
            refresh.interval_numerator, refresh.interval_denominator, refresh.cycles, refresh.longest_cycles,
            LARGEST // refresh.interval_denominator,
        )  # fmt: skip


# Refreshes


@njit_inside
def refreshes_due(cycle: int, refresh: RefreshRules) -> int:
    """Return how many refreshes came due up to a cycle of the batch, exactly.

    Beyond `direct_cycles` it divides bit by bit. The rest stays below the numerator, which is at most 10^18.
    """
    if cycle <= refresh.direct_cycles:
        return cycle * refresh.interval_denominator // refresh.interval_numerator
    due, rest = 0, 0
    for bit in range(62, -1, -1):
        rest = 2 * rest + (cycle >> bit & 1) * refresh.interval_denominator
        due = 2 * due + rest // refresh.interval_numerator
        rest %= refresh.interval_numerator
    return due


@njit_inside
def _refresh_while_idle(channel: Any, refresh: RefreshRules, until: int) -> None:
    """Make the refreshes that came due while the channel was idle, as many as fit."""
    owed = refreshes_due(channel.batch_cycles + until, refresh) - channel.refreshes
    channel.refreshes += min(owed, (until - channel.free) // refresh.cycles)


@njit_inside
def _refresh_owed(channel: Any, refresh: RefreshRules, cycle: int) -> int:
    """Make all refreshes that are owed at a cycle; return when they are done."""
    owed = refreshes_due(channel.batch_cycles + cycle, refresh) - channel.refreshes
    channel.refreshes += owed
    return cycle + owed * refresh.cycles


# The channel


@njit_inside
def _carry(channel: Any, refresh: RefreshRules, asked: int, cycles: int) -> tuple[int, int]:
    """Carry a transfer that was asked for at a cycle; return its start and its end."""
    start = max(asked, channel.free)
    if refresh.cycles == 0:
        channel.free = start + cycles
        return start, start + cycles
    _refresh_while_idle(channel, refresh, start)
    end = start
    while cycles > refresh.longest_cycles:
        end = _refresh_owed(channel, refresh, end + refresh.longest_cycles)
        cycles -= refresh.longest_cycles
    end += cycles
    channel.free = _refresh_owed(channel, refresh, end)
    return start, end


@njit_inside
def _waited_behind(transfers: Any, carried: int, asked: int, array: int) -> int:
    """Return for how long a transfer that was asked for at a cycle waited behind those of the other array."""
    cycles = 0
    for i in range(carried - 1, -1, -1):
        if transfers[i].end <= asked:
            break
        if transfers[i].array != array:
            cycles += transfers[i].end - max(transfers[i].start, asked)
    return cycles


# An array. These functions take single records: numba would count references to whole arrays, which is slow.


@njit_inside
def _load(array: Any, tile: Any, own: Any, before: Any, two_before: Any) -> bool:
    """Ask for a tile's load, or note that it has no bytes; return whether it is loaded."""
    asked = array.started
    if array.loaded > 0:
        asked = before.load_end
    if array.loaded > 1:
        asked = max(asked, two_before.stream_end)
    if tile.load_cycles > 0:
        array.load_asked = asked
        return False
    own.load_start = own.load_end = asked
    array.loaded += 1
    return True


@njit_inside
def _stream(array: Any, plan: Any, tile: Any, own: Any, before: Any, awaited: Any, waits: bool, stalls: Any) -> None:
    """Stream a tile that is loaded; if it `waits` for a store, that of `awaited` is done."""
    array_ready = array.started + plan.fill_cycles
    if array.streamed > 0:
        array_ready = before.stream_end + tile.gap_cycles
    loaded = max(array_ready, own.load_end + plan.fill_cycles)
    behind = min(own.load_behind, loaded - array_ready)
    stalls.stall_load += loaded - array_ready - behind
    stalls.stall_other_array += behind
    start = loaded
    if waits:
        start = max(loaded, awaited.store_end)
        behind = min(awaited.store_behind, start - loaded)
        stalls.stall_store += start - loaded - behind
        stalls.stall_other_array += behind
    own.stream_start, own.stream_end = start, start + tile.stream_cycles
    array.streamed += 1


@njit_inside
def _store(array: Any, plan: Any, tile: Any, own: Any, stored_before: Any) -> bool:
    """Ask for the store of a tile that has streamed, or note that it takes no time; return whether it is stored."""
    asked = own.stream_end + plan.drain_cycles
    if array.stored > 0:
        asked = max(asked, stored_before.store_end)
    if tile.store_cycles > 0:
        array.store_asked = asked
        return False
    own.store_start = own.store_end = asked
    array.stored += 1
    return True


@njit_inside
def _end_plan(array: Any, plan: Any, last: Any, last_stored: Any, ended: Any) -> None:
    """End a plan: its last tile has drained, and its last store is done."""
    drained = end = array.started
    if array.tiles > 0:
        drained = end = last.stream_end + plan.drain_cycles
    if array.stored > 0:
        end = max(drained, last_stored.store_end)
        behind = min(last_stored.store_behind, end - drained)
        ended.stall_store += end - drained - behind
        ended.stall_other_array += behind
    ended.start, ended.end = array.started, end
    array.plan += 1
    array.started = end


@njit_inside
def _begin_plan(array: Any, tile_begin: Integers, tiles: Any, storing: Any) -> None:
    """Let an array begin the plan that it is on."""
    array.loaded = array.streamed = array.stored = array.storing_tiles = 0
    array.load_asked = array.store_asked = NEVER
    if array.plan == array.last_plan:
        return
    first, end = tile_begin[array.plan], tile_begin[array.plan + 1]
    array.first_tile, array.tiles = first, end - first
    for t in range(first, end):
        storing[t].before = array.storing_tiles
        if tiles[t].stores:
            storing[first + array.storing_tiles].tile = t
            array.storing_tiles += 1


# The step


def run_step_kernel(
    plan_begin: Integers, tile_begin: Integers, plans: Any, tiles: Any, refresh: RefreshRules, channel: Any
) -> tuple[Any, Any, Any]:
    """Advance one step from cycle 0.

    Parameters
    ----------
    plan_begin, tile_begin, plans, tiles
        The fields of `simulator.engine.work.FlatWork`.
    refresh : RefreshRules
    channel : record of CHANNEL
        Changed.

    Returns
    -------
    plan_times : [plans] of PLAN_TIMES
    tile_times : [tiles] of TILE_TIMES
    transfers : [transfers] of _TRANSFER
        Those that took time, in their order on the channel.
    """
    # Arrays of records are made here: inside a kernel, each kind of record takes a tenth of a second of compilation.
    plan_times, times = np.zeros(len(plans), PLAN_TIMES), np.zeros(len(tiles), TILE_TIMES)
    storing = np.zeros(len(tiles) + 1, _STORING)  # a plan without tiles reads the one after the last
    transfers, arrays = np.zeros(2 * len(tiles), _TRANSFER), np.zeros(2, _ARRAY)
    carried = _advance(
        plan_begin, tile_begin, plans, tiles, refresh, channel, plan_times, times, storing, transfers, arrays
    )
    return plan_times, times, transfers[:carried]


@njit(cache=True)
def _advance(
    plan_begin: Integers, tile_begin: Integers, plans: Any, tiles: Any, refresh: RefreshRules, channel: Any,
    plan_times: Any, times: Any, storing: Any, transfers: Any, arrays: Any,
) -> np.int64:  # fmt: skip
    """Advance one step, from arrays of zeros; return how many transfers the channel carried."""
    carried = np.int64(0)
    for a in range(2):
        arrays[a].plan, arrays[a].last_plan = plan_begin[a], plan_begin[a + 1]
        _begin_plan(arrays[a], tile_begin, tiles, storing)
    while True:
        for a in range(2):  # each does all that it can without the channel, and then asks it for its next transfers
            array, moved = arrays[a], True
            while moved and array.plan < array.last_plan:
                moved = False
                plan, first = plans[array.plan], array.first_tile
                array.load_asked = array.store_asked = NEVER
                if array.loaded < array.tiles and array.loaded <= array.streamed + 1:
                    t = first + array.loaded
                    before, two_before = times[max(first, t - 1)], times[max(first, t - 2)]
                    moved = _load(array, tiles[t], times[t], before, two_before)
                t = first + array.streamed
                if array.streamed < array.loaded and array.stored >= storing[t].before - 1:
                    waits = storing[t].before > 1
                    awaited = storing[first + storing[t].before - 2].tile if waits else t
                    stalls = plan_times[array.plan]
                    _stream(array, plan, tiles[t], times[t], times[max(first, t - 1)], times[awaited], waits, stalls)
                    moved = True
                place = first + array.stored
                if array.stored < array.storing_tiles and storing[place].tile < first + array.streamed:
                    t, before = storing[place].tile, storing[max(first, place - 1)].tile
                    moved = _store(array, plan, tiles[t], times[t], times[before]) or moved
                if array.loaded == array.streamed == array.tiles and array.stored == array.storing_tiles:
                    place = first + array.stored
                    last, last_stored = max(first, first + array.tiles - 1), storing[max(first, place - 1)].tile
                    _end_plan(array, plan, times[last], times[last_stored], plan_times[array.plan])
                    _begin_plan(array, tile_begin, tiles, storing)
                    moved = True
        # The channel serves whoever asked first; whatever is not known yet is asked for later than these.
        # Not literals, for which Numba compiles functions once more.
        asked, a, is_store = np.int64(NEVER), np.int64(-1), False  # type: ignore[assignment]
        for each in range(2):
            if arrays[each].store_asked < asked:
                asked, a, is_store = arrays[each].store_asked, each, True
        for each in range(2):
            if arrays[each].load_asked < asked:
                asked, a, is_store = arrays[each].load_asked, each, False
        if a < 0:
            return carried
        array = arrays[a]
        behind = _waited_behind(transfers, carried, asked, a)
        if is_store:
            t = storing[array.first_tile + array.stored].tile
            held = tiles[t].store_cycles
            start, end = _carry(channel, refresh, asked, held)
            times[t].store_start, times[t].store_end, times[t].store_behind = start, end, behind
            array.stored += 1
        else:
            t = array.first_tile + array.loaded
            held = tiles[t].load_cycles
            start, end = _carry(channel, refresh, asked, held)
            times[t].load_start, times[t].load_end, times[t].load_behind = start, end, behind
            array.loaded += 1
        transfers[carried].start, transfers[carried].end = start, end
        transfers[carried].array, transfers[carried].held = a, held
        carried += 1
