"""The clock of one array whose plan has the DRAM channel to itself: docs/machine.md, "Time of a step".

Tiles come in pieces of any length, so that a plan of many tiles needs no table of all of them. A test holds the clock
equal to the step kernel of the engine.
"""

# numba infers the types inside the kernel; numpy's stubs do not follow its scalars.
# mypy: disable-error-code="call-overload"

from typing import NamedTuple

import numpy as np

from dataflows.integers import Integers
from dataflows.plans.kernel_arrays import zero_rows
from workloads.foundation.kernels import njit_inside


class Tiles(NamedTuple):
    """Consecutive tiles of a plan, as in `simulator.engine.work.FlatWork`; `stores` says which store a result."""

    load_cycles: Integers
    store_cycles: Integers
    stores: Integers
    stream_cycles: Integers
    gap_cycles: Integers


class Clock(NamedTuple):
    """What a plan has done so far. Of tiles and results the last four are kept, at their number modulo four.

    Attributes
    ----------
    counts : int64[5]
        Tiles loaded and streamed, results made and stored, and the cycle from which the channel is free.
    loaded, streamed : int64[4]
        When a tile was loaded, and when it had streamed.
    made, stored : int64[4]
        When a result had left the array, and when it was in DRAM.
    store_cycles, tile_store_cycles, tile_stores, stream_cycles, gap_cycles : int64[4]
        Of results that are made, and of tiles that are loaded.
    """

    counts: Integers
    loaded: Integers
    streamed: Integers
    made: Integers
    stored: Integers
    store_cycles: Integers
    tile_store_cycles: Integers
    tile_stores: Integers
    stream_cycles: Integers
    gap_cycles: Integers


@njit_inside
def new_clock() -> Clock:
    """Return the clock of a plan that begins."""
    table = zero_rows(np.int64(10), np.int64(5))
    return Clock(
        table[0], table[1], table[2], table[3], table[4], table[5], table[6], table[7], table[8], table[9]
    )  # fmt: skip


@njit_inside
def run_tiles(clock: Clock, tiles: Tiles, count: int, fill_cycles: int, drain_cycles: int, last: bool) -> None:
    """Let a plan go on with its next `count` tiles; `last` says that no others come.

    A plan that goes on later stops where the load of the tile after these would ask for the channel.
    """
    never = np.int64(1) << 62
    loads, streams, made, saves, free = clock.counts
    begin, end = loads, loads + count
    while True:
        progress = True
        load_asked = store_asked = never
        while progress:
            progress = False
            load_asked = store_asked = never
            if loads < end and streams >= loads - 1:
                ready = np.int64(0)
                if loads > 0:
                    ready = clock.loaded[(loads - 1) & 3]
                if loads > 1:
                    ready = max(ready, clock.streamed[(loads - 2) & 3])
                if tiles.load_cycles[loads - begin] == 0:
                    _load(clock, tiles, loads, loads - begin, ready)
                    loads += 1
                    progress = True
                else:
                    load_asked = ready
            if streams < loads and saves >= made - 1:
                at = streams & 3
                start = clock.loaded[at] + fill_cycles
                if streams > 0:
                    start = max(start, clock.streamed[(streams - 1) & 3] + clock.gap_cycles[at])
                if made > 1:
                    start = max(start, clock.stored[(made - 2) & 3])
                clock.streamed[at] = start + clock.stream_cycles[at]
                if clock.tile_stores[at]:
                    clock.made[made & 3] = clock.streamed[at] + drain_cycles
                    clock.store_cycles[made & 3] = clock.tile_store_cycles[at]
                    made += 1
                streams += 1
                progress = True
            if saves < made:
                ready = clock.made[saves & 3]
                if saves > 0:
                    ready = max(ready, clock.stored[(saves - 1) & 3])
                if clock.store_cycles[saves & 3] == 0:
                    clock.stored[saves & 3] = ready
                    saves += 1
                    progress = True
                else:
                    store_asked = ready
        if loads == end and not last:
            break
        if store_asked < never and store_asked <= load_asked:
            free = max(free, store_asked) + clock.store_cycles[saves & 3]
            clock.stored[saves & 3] = free
            saves += 1
        elif load_asked < never:
            free = max(free, load_asked) + tiles.load_cycles[loads - begin]
            _load(clock, tiles, loads, loads - begin, free)
            loads += 1
        else:
            break
    counts = clock.counts
    counts[0], counts[1], counts[2], counts[3], counts[4] = loads, streams, made, saves, free


@njit_inside
def _load(clock: Clock, tiles: Tiles, number: int, at: int, when: int) -> None:
    """Note that a tile is loaded, and what it will do."""
    clock.loaded[number & 3] = when
    clock.tile_store_cycles[number & 3] = tiles.store_cycles[at]
    clock.tile_stores[number & 3] = tiles.stores[at]
    clock.stream_cycles[number & 3] = tiles.stream_cycles[at]
    clock.gap_cycles[number & 3] = tiles.gap_cycles[at]


@njit_inside
def end_cycle(clock: Clock, drain_cycles: int) -> np.int64:
    """Return when a plan ends whose last tile has come."""
    _, streams, _, saves, _ = clock.counts
    if streams == 0:
        return np.int64(0)
    end = clock.streamed[(streams - 1) & 3] + drain_cycles
    return max(end, clock.stored[(saves - 1) & 3]) if saves > 0 else end
