"""How long a plan takes when it has the DRAM channel to itself, and no refresh comes: what plans are compared by.

The rules are those of docs/machine.md, "Time of a step", for one array and one plan; a test holds this equal to the step
kernel of the engine.
"""

# numba infers the types inside the kernel; numpy's stubs do not follow its scalars.
# mypy: disable-error-code="call-overload"

import numpy as np
from numba import njit

from dataflows.plans.plan import Integers


@njit(cache=True)
def lone_cycles(
    load_cycles: Integers, store_cycles: Integers, stores: Integers, stream_cycles: Integers, gap_cycles: Integers,
    fill_cycles: int, drain_cycles: int,
) -> int:  # fmt: skip
    """Return the cycles from a plan's start to its end.

    Parameters
    ----------
    load_cycles, store_cycles, stores, stream_cycles, gap_cycles : int64[tiles]
        As in `simulator.engine.work.FlatWork`; `stores` says which tiles store a result.
    """
    never = np.int64(1) << 62
    tiles = len(load_cycles)
    if tiles == 0:
        return np.int64(0)
    loaded, streamed = np.zeros(tiles, np.int64), np.zeros(tiles, np.int64)  # when
    storing = np.flatnonzero(stores)
    stored = np.zeros(len(storing), np.int64)
    results = np.cumsum(stores) - stores  # that tiles before each one store
    loads = streams = saves = np.int64(0)
    channel_free = np.int64(0)
    while True:
        progress = True
        load_asked = store_asked = never
        while progress:
            progress = False
            load_asked = store_asked = never
            if loads < tiles and streams >= loads - 1:
                ready = np.int64(0)
                if loads > 0:
                    ready = loaded[loads - 1]
                if loads > 1:
                    ready = max(ready, streamed[loads - 2])
                if load_cycles[loads] == 0:
                    loaded[loads] = ready
                    loads += 1
                    progress = True
                else:
                    load_asked = ready
            if streams < loads and saves >= results[streams] - 1:
                start = loaded[streams] + fill_cycles
                if streams > 0:
                    start = max(start, streamed[streams - 1] + gap_cycles[streams])
                if results[streams] > 1:
                    start = max(start, stored[results[streams] - 2])
                streamed[streams] = start + stream_cycles[streams]
                streams += 1
                progress = True
            if saves < len(storing) and storing[saves] < streams:
                ready = streamed[storing[saves]] + drain_cycles
                if saves > 0:
                    ready = max(ready, stored[saves - 1])
                if store_cycles[storing[saves]] == 0:
                    stored[saves] = ready
                    saves += 1
                    progress = True
                else:
                    store_asked = ready
        if store_asked < never and store_asked <= load_asked:
            channel_free = max(channel_free, store_asked) + store_cycles[storing[saves]]
            stored[saves] = channel_free
            saves += 1
        elif load_asked < never:
            channel_free = max(channel_free, load_asked) + load_cycles[loads]
            loaded[loads] = channel_free
            loads += 1
        else:
            break
    end = streamed[tiles - 1] + drain_cycles
    return max(end, stored[len(stored) - 1]) if len(stored) > 0 else end
