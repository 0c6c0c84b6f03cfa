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
- An array waits for the other one where the transfer that it waits for stood behind a transfer of the other's.

`simulator.engine.step_processes` says the same with SimPy processes; a test holds the two equal.
"""

# numba infers the types inside the kernel; numpy's stubs do not follow its scalars.
# mypy: disable-error-code="call-overload"

import numpy as np
from numba import njit

from dataflows.plans.plan import Integers


@njit(cache=True)
def run_step_kernel(
    plan_begin: Integers, tile_begin: Integers, load_cycles: Integers, store_cycles: Integers, stores: Integers,
    stream_cycles: Integers, gap_cycles: Integers, fill_cycles: Integers, drain_cycles: Integers,
    refresh: Integers, channel: Integers,
) -> tuple[Integers, Integers]:  # fmt: skip
    """Advance one step from cycle 0; the first arguments are the fields of `simulator.engine.work.FlatWork`.

    Parameters
    ----------
    refresh : int64[3]
        The refresh interval as a fraction of cycles (numerator, denominator) and the cycles of a refresh; zeros for
        a memory that needs none.
    channel : int64[3]
        Changed: cycles since the batch began, the cycle (from the step's start) from which the channel is free, and
        the refreshes of this batch so far.

    Returns
    -------
    plan_times : int64[plans, 5]
        Start, end, cycles stalled for loads, for stores, and for transfers of the other array.
    tile_times : int64[tiles, 6]
        Start and end of load (on the channel), stream and store.
    """
    plans = len(fill_cycles)
    tiles = len(load_cycles)
    plan_times = np.zeros((plans, 5), np.int64)
    behind = np.zeros((tiles, 2), np.int64)  # how long a load and a store stood behind the other array's transfers
    log = np.zeros((2 * tiles, 3), np.int64)  # every transfer: start, end, array
    transfers = 0
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
    channel_free = channel[1]
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
                        start, by_others = with_load, np.int64(0)
                        if earlier > 1:
                            before = store_tiles[begin + earlier - 2]
                            start = max(start, tile_times[before, 5])
                            by_others = min(behind[before, 1], start - with_load)
                        plan_times[p, 3] += start - with_load - by_others
                        plan_times[p, 4] += by_others
                        by_others = min(behind[t, 0], with_load - unhindered)
                        plan_times[p, 2] += with_load - unhindered - by_others
                        plan_times[p, 4] += by_others
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
                    by_others = np.int64(0)
                    if stored[a] > 0:
                        before = store_tiles[begin + stored[a] - 1]
                        end = max(end, np.int64(tile_times[before, 5]))
                        by_others = min(behind[before, 1], end - drained)
                    plan_times[p, 0] = started[a]
                    plan_times[p, 1] = end
                    plan_times[p, 3] += end - drained - by_others
                    plan_times[p, 4] += by_others
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
            channel[1] = channel_free
            return plan_times, tile_times
        start = max(best, channel_free)
        if refresh[2] > 0:
            owed = (channel[0] + start) * refresh[1] // refresh[0] - channel[2]
            channel[2] += min(owed, (start - channel_free) // refresh[2])
        p = current[array]
        begin = tile_begin[p]
        t = begin + loaded[array] if kind == 0 else store_tiles[begin + stored[array]]
        rest = load_cycles[t] if kind == 0 else store_cycles[t]
        end = start
        while refresh[2] > 0 and rest > 8 * refresh[0] // refresh[1]:
            end += 8 * refresh[0] // refresh[1]
            rest -= 8 * refresh[0] // refresh[1]
            owed = (channel[0] + end) * refresh[1] // refresh[0] - channel[2]
            end += owed * refresh[2]
            channel[2] += owed
        end += rest
        channel_free = end
        if refresh[2] > 0:
            owed = (channel[0] + end) * refresh[1] // refresh[0] - channel[2]
            channel_free += owed * refresh[2]
            channel[2] += owed
        i = transfers - 1
        while i >= 0 and log[i, 1] > best:
            if log[i, 2] != array:
                behind[t, kind] += log[i, 1] - max(log[i, 0], best)
            i -= 1
        log[transfers, 0], log[transfers, 1], log[transfers, 2] = start, end, array
        transfers += 1
        if kind == 0:
            tile_times[t, 0] = start
            tile_times[t, 1] = end
            loaded[array] += 1
        else:
            tile_times[t, 4] = start
            tile_times[t, 5] = end
            stored[array] += 1
