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

`simulator.engine.step_processes` says the same with SimPy processes; a test holds the two equal.
"""

# numba infers the types inside the kernel; numpy's stubs do not follow its scalars.
# mypy: disable-error-code="call-overload"

import numpy as np
from numba import njit

from dataflows.plan import Integers


@njit(cache=True)
def run_step_kernel(
    plan_begin: Integers, tile_begin: Integers, load_cycles: Integers, store_cycles: Integers, stores: Integers,
    stream_cycles: Integers, gap_cycles: Integers, fill_cycles: Integers, drain_cycles: Integers,
) -> tuple[Integers, Integers]:  # fmt: skip
    """Advance one step from cycle 0; arguments are the fields of `simulator.engine.work.FlatWork`.

    Returns
    -------
    plan_times : int64[plans, 4]
        Start, end, cycles stalled for loads, cycles stalled for stores.
    tile_times : int64[tiles, 6]
        Start and end of load (on the channel), stream and store.
    """
    plans = len(fill_cycles)
    tiles = len(load_cycles)
    plan_times = np.zeros((plans, 4), np.int64)
    tile_times = np.zeros((tiles, 6), np.int64)
    store_tiles = np.empty(tiles, np.int64)  # tiles that finish a result, compact from each plan's first tile
    stores_before = np.zeros(tiles, np.int64)
    store_count = np.zeros(plans, np.int64)
    for p in range(plans):
        count = 0
        for t in range(tile_begin[p], tile_begin[p + 1]):
            stores_before[t] = count
            if stores[t]:
                store_tiles[tile_begin[p] + count] = t
                count += 1
        store_count[p] = count

    current = plan_begin[:2].copy()  # the plan each array is on
    started = np.zeros(2, np.int64)  # when it started
    loaded = np.zeros(2, np.int64)  # how many of its tiles are loaded, streamed, stored
    streamed = np.zeros(2, np.int64)
    stored = np.zeros(2, np.int64)
    channel_free = 0
    never = np.int64(1) << 62

    while True:
        # Do all that needs no channel; then collect what each array asks of it: [array, load or store].
        asked = np.full((2, 2), never)
        for a in range(2):
            progress = True
            while progress and current[a] < plan_begin[a + 1]:
                progress = False
                p = current[a]
                begin = tile_begin[p]
                count = tile_begin[p + 1] - begin
                asked[a, 0] = never
                asked[a, 1] = never
                if loaded[a] < count and streamed[a] >= loaded[a] - 1:
                    t = begin + loaded[a]
                    ready = started[a]
                    if loaded[a] > 0:
                        ready = max(ready, tile_times[t - 1, 1])
                    if loaded[a] > 1:
                        ready = max(ready, tile_times[t - 2, 3])
                    if load_cycles[t] == 0:
                        tile_times[t, 0] = ready
                        tile_times[t, 1] = ready
                        loaded[a] += 1
                        progress = True
                    else:
                        asked[a, 0] = ready
                if streamed[a] < loaded[a]:
                    t = begin + streamed[a]
                    earlier = stores_before[t]
                    if stored[a] >= earlier - 1:
                        unhindered = started[a] + fill_cycles[p]
                        if streamed[a] > 0:
                            unhindered = tile_times[t - 1, 3] + gap_cycles[t]
                        with_load = max(unhindered, tile_times[t, 1] + fill_cycles[p])
                        start = with_load
                        if earlier > 1:
                            start = max(start, tile_times[store_tiles[begin + earlier - 2], 5])
                        plan_times[p, 2] += with_load - unhindered
                        plan_times[p, 3] += start - with_load
                        tile_times[t, 2] = start
                        tile_times[t, 3] = start + stream_cycles[t]
                        streamed[a] += 1
                        progress = True
                if stored[a] < store_count[p] and store_tiles[begin + stored[a]] < begin + streamed[a]:
                    t = store_tiles[begin + stored[a]]
                    ready = tile_times[t, 3] + drain_cycles[p]
                    if stored[a] > 0:
                        ready = max(ready, tile_times[store_tiles[begin + stored[a] - 1], 5])
                    if store_cycles[t] == 0:
                        tile_times[t, 4] = ready
                        tile_times[t, 5] = ready
                        stored[a] += 1
                        progress = True
                    else:
                        asked[a, 1] = ready
                if loaded[a] == count and streamed[a] == count and stored[a] == store_count[p]:
                    drained = np.int64(started[a])
                    if count > 0:
                        drained = tile_times[begin + count - 1, 3] + drain_cycles[p]
                    end = drained
                    if stored[a] > 0:
                        end = max(end, np.int64(tile_times[store_tiles[begin + stored[a] - 1], 5]))
                    plan_times[p, 0] = started[a]
                    plan_times[p, 1] = end
                    plan_times[p, 3] += end - drained
                    current[a] += 1
                    started[a] = end
                    loaded[a] = 0
                    streamed[a] = 0
                    stored[a] = 0
                    asked[a, 0] = never
                    asked[a, 1] = never
                    progress = True

        # The channel serves whoever asked first; whatever is not known yet is asked for later than these.
        best = never
        array = -1
        kind = 0
        for k in (1, 0):
            for a in range(2):
                if asked[a, k] < best:
                    best = asked[a, k]
                    array = a
                    kind = k
        if array < 0:
            return plan_times, tile_times
        start = max(best, channel_free)
        p = current[array]
        begin = tile_begin[p]
        if kind == 0:
            t = begin + loaded[array]
            channel_free = start + load_cycles[t]
            tile_times[t, 0] = start
            tile_times[t, 1] = channel_free
            loaded[array] += 1
        else:
            t = store_tiles[begin + stored[array]]
            channel_free = start + store_cycles[t]
            tile_times[t, 4] = start
            tile_times[t, 5] = channel_free
            stored[array] += 1
