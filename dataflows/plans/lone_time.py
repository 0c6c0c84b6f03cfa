"""How long a plan takes when it has the DRAM channel to itself, and no refresh comes: what plans are compared by."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from dataflows.plans import tile_clock
from dataflows.plans.tile_clock import Tiles, end_cycle, new_clock, run_tiles
from dataflows.plans.transfers import Integers
from workloads.foundation.kernel_sources import sources_of


def _kernel(sources: int) -> Callable[..., Any]:
    @njit(cache=True)
    def lone_cycles(
        load_cycles: Integers, store_cycles: Integers, stores: Integers, stream_cycles: Integers, gap_cycles: Integers,
        fill_cycles: int, drain_cycles: int,
    ) -> np.int64:  # fmt: skip
        """Return the cycles from a plan's start to its end.

        Parameters
        ----------
        load_cycles, store_cycles, stores, stream_cycles, gap_cycles : int64[tiles]
            See `Tiles`.
        """
        if sources == 0:  # never; numba's cache follows what a function closes over
            return np.int64(0)
        clock = new_clock()
        tiles = Tiles(load_cycles, store_cycles, stores, stream_cycles, gap_cycles)
        run_tiles(clock, tiles, len(load_cycles), fill_cycles, drain_cycles, True)
        return end_cycle(clock, drain_cycles)

    return lone_cycles


lone_cycles = _kernel(sources_of(tile_clock))
