"""What the tables of cuts need to have counted: the smallest tile, and the rows that tiles read."""

import numpy as np
from numba import njit

from dataflows.plans.cut_tables import StreamBytes
from dataflows.plans.transfers import Integers


@njit(cache=True)
def smallest_tile(
    ifmap: Integers, positions: Integers, channels: Integers, filters: Integers, kernel: int, reduces_space: bool,
    stream: StreamBytes,
) -> int:  # fmt: skip
    """Return the bytes of buffer that the smallest tile needs.

    Parameters
    ----------
    ifmap, positions : int64[cuts of images and rows]
        Ifmap words of a channel, and output positions.
    channels, filters : int64[cuts]
        Sizes of tiles.
    """
    smallest = 1 << 62
    for s in range(len(positions)):
        for a in channels:
            for b in filters:
                made, weights = positions[s] * b, a * b * kernel
                filter_, result = (made, weights) if reduces_space else (weights, made)
                held = ifmap[s] * a * stream.ifmap + filter_ * stream.filter + result * stream.psum
                smallest = min(smallest, 2 * held)
    return smallest


@njit(cache=True)
def rows_read(ifmap_rows: Integers, output_rows: Integers, rows: int) -> Integers:
    """Return, for cuts of `rows` into tiles of 1, 2, ... rows, what they read.

    That is the ifmap rows that all, the largest and the first tile read, and how many tiles read any.

    Parameters
    ----------
    ifmap_rows, output_rows : [meetings]
        Which ifmap row meets which row of the output, sorted by ifmap row and then by the output's.
    """
    found, counts = np.zeros((rows, 4), np.int64), np.zeros(rows, np.int64)
    for size in range(1, rows + 1):
        row, tiles = found[size - 1], -(-rows // size)
        for tile in range(tiles):
            counts[tile] = 0
        for i in range(len(ifmap_rows)):
            tile = output_rows[i] // size
            if i == 0 or ifmap_rows[i] != ifmap_rows[i - 1] or output_rows[i - 1] // size != tile:
                counts[tile] += 1
        row[2] = counts[0]
        for tile in range(tiles):
            row[0] += counts[tile]
            row[1] = max(row[1], counts[tile])
            row[3] += counts[tile] > 0
    return found
