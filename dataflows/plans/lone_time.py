"""How long a plan takes when it has the DRAM channel to itself, and no refresh comes: what plans are compared by."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from dataflows.integers import Integers
from dataflows.plans import kernel_arrays, tile_clock
from dataflows.plans.kernel_arrays import zero_rows
from dataflows.plans.tile_clock import Tiles, end_cycle, new_clock, run_tiles
from workloads.foundation.kernel_sources import sources_of

PIECE = 2048  # tiles that are laid out at once


def _kernel(sources: int) -> Callable[..., Any]:
    @njit(cache=True)
    def lone_cycles(
        load_cycles: Integers, store_cycles: Integers, stores: Integers, stream_cycles: Integers, gap_cycles: Integers,
        repeats: Integers, fill_cycles: int, drain_cycles: int,
    ) -> np.int64:  # fmt: skip
        """Return the cycles from a plan's start to its end.

        Parameters
        ----------
        load_cycles, store_cycles, stores, stream_cycles, gap_cycles : int64[runs]
            See `Tiles`; of equal tiles in a row.
        repeats : int64[runs]
            How many there are of each.
        """
        if sources == 0:  # never; numba's cache follows what a function closes over
            return np.int64(0)
        clock = new_clock()
        rest: Any = np.int64(0)
        for i in range(len(repeats)):
            rest += repeats[i]
        room = min(PIECE, rest)
        piece = zero_rows(np.int64(5), room)
        tiles = Tiles(piece[0], piece[1], piece[2], piece[3], piece[4])
        run, done = 0, 0
        while rest > 0:
            count = min(room, rest)
            for i in range(count):
                while done == repeats[run]:
                    run, done = run + 1, 0
                tiles.load_cycles[i], tiles.store_cycles[i] = load_cycles[run], store_cycles[run]
                tiles.stores[i], tiles.stream_cycles[i] = stores[run], stream_cycles[run]
                tiles.gap_cycles[i] = gap_cycles[run]
                done += 1
            rest -= count
            run_tiles(clock, tiles, count, fill_cycles, drain_cycles, rest == 0)
        return end_cycle(clock, drain_cycles)

    return lone_cycles


lone_cycles = _kernel(sources_of(kernel_arrays, tile_clock))
