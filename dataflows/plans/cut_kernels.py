"""What is counted beside a contest: the smallest tile, the rows that tiles read, and the kinds of a tiling's tiles."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from dataflows.integers import Integers
from dataflows.plans import cut_tables, kernel_arrays, table_reading, tile_kinds
from dataflows.plans.cut_tables import Extents, Sizes, StreamBytes, Tables
from dataflows.plans.table_reading import axes_of, cut_at, space_at
from dataflows.plans.tile_kinds import Kinds, kinds_of
from workloads.foundation.kernel_sources import sources_of


def _kernel(sources: int) -> Callable[..., Any]:
    @njit(cache=True)
    def smallest_tile(tables: Tables, extents: Extents, stream: StreamBytes) -> int:
        """Return the bytes of buffer that the smallest tile needs."""
        smallest = 1 << 62
        if sources == 0:  # never; numba's cache follows what a function closes over
            return smallest
        for m in range(len(tables.mappings)):
            axes = axes_of(tables.mappings, m)
            for s in range(axes.spaces):
                more = space_at(tables.more, axes.more + s)
                for i in range(axes.channelings):
                    a = cut_at(tables.cuts, axes.channels + i).size
                    for j in range(axes.filterings):
                        b = cut_at(tables.cuts, axes.filters + j).size
                        made, weights = more.positions_most * b, a * b * extents.kernel
                        filter_, result = (made, weights) if extents.reduces_space else (weights, made)
                        held = more.ifmap_most * a * stream.ifmap + filter_ * stream.filter + result * stream.psum
                        smallest = min(smallest, 2 * held)
        return smallest

    return smallest_tile


smallest_tile = _kernel(sources_of(cut_tables, table_reading))


def _kinds_kernel(sources: int) -> Callable[..., Any]:
    @njit(cache=True)
    def kinds_of_tiles(extents: Extents, sizes: Sizes, read: Integers, tile_rows: Integers) -> Kinds:
        """Return the kinds of a tiling's tiles, for a channel that must be asked what their transfers take."""
        if sources == 0:  # never; numba's cache follows what a function closes over
            sizes = Sizes(1, 1, 1, 1, 1)
        return kinds_of(extents, sizes, read, tile_rows)

    return kinds_of_tiles


kinds_of_tiles = _kinds_kernel(sources_of(cut_tables, kernel_arrays, tile_kinds))


@njit(cache=True)
def rows_read(ifmap_rows: Integers, output_rows: Integers, rows: int) -> tuple[Integers, Integers]:
    """Return what cuts of `rows` into tiles of 1, 2, ... rows read.

    Parameters
    ----------
    ifmap_rows, output_rows : [meetings]
        Which ifmap row meets which row of the output, sorted by ifmap row and then by the output's.

    Returns
    -------
    int64[rows, 5], int64[tiles of all cuts]
        Of each cut the ifmap rows that all, the largest and the first tile read, how many tiles read any, and where its
        tiles begin in the second table; and the ifmap rows that each tile reads.
    """
    found, tiles_of_all = np.zeros((rows, 5), np.int64), 0
    for size in range(1, rows + 1):
        found[size - 1, 4] = tiles_of_all
        tiles_of_all += -(-rows // size)
    counts = np.zeros(tiles_of_all, np.int64)
    for size in range(1, rows + 1):
        row, tiles = found[size - 1], -(-rows // size)
        begin = row[4]
        for i in range(len(ifmap_rows)):
            tile = output_rows[i] // size
            if i == 0 or ifmap_rows[i] != ifmap_rows[i - 1] or output_rows[i - 1] // size != tile:
                counts[begin + tile] += 1
        row[2] = counts[begin]
        for tile in range(begin, begin + tiles):
            row[0] += counts[tile]
            row[1] = max(row[1], counts[tile])
            row[3] += counts[tile] > 0
    return found, counts
