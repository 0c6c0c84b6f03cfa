"""The kinds of a tiling's tiles, and what a tile of each kind streams, loads and stores.

Few tiles of a tiling differ: along each axis all but the last are equal, and of images and rows those at the borders
read less.
"""

# numba infers the types inside the kernel; numpy's stubs do not follow its scalars.
# mypy: disable-error-code="call-overload,arg-type,return-value"

from typing import NamedTuple

import numpy as np

from dataflows.integers import Integers
from dataflows.plans.cut_tables import Extents, Folds, Rate, Sizes, StreamBytes
from dataflows.plans.kernel_arrays import zero_rows, zeros
from workloads.foundation.kernels import njit_inside

NEW_IFMAP, NEW_FILTER, PSUMS_COME = 1, 2, 4  # what a tile loads: bits
LOADS, STORES = 8, 3  # what a tile may load; what it stores: nothing, psums or a result
PSUMS_LEAVE, RESULT_LEAVES = 1, 2


class Kinds(NamedTuple):
    """Kinds of tiles: those of images and rows, times two (not the last one, the last one) of each other axis.

    Attributes
    ----------
    images, rows, rows_read : int64[kinds]
        Images, rows and ifmap rows of the tiles of images and rows.
    of_rows : int64[cuts of rows]
        Kind of each, in the first of its image tiles.
    channels, filters, groups : int64[2]
    """

    images: Integers
    rows: Integers
    rows_read: Integers
    of_rows: Integers
    channels: Integers
    filters: Integers
    groups: Integers


class KindTables(NamedTuple):
    """Of each kind of tile: cycles that it streams, and its last fold; bytes and cycles of what it loads and stores."""

    stream_cycles: Integers
    last_fold_cycles: Integers
    load_bytes: Integers
    store_bytes: Integers
    load_cycles: Integers
    store_cycles: Integers


@njit_inside
def both(total: int, size: int) -> Integers:
    """Return the sizes of the tiles of a cut that are not the last, and of the last."""
    found = zeros(np.int64(2))
    found[0], found[1] = size, total - (-(-total // size) - 1) * size
    return found


@njit_inside
def kinds_of(extents: Extents, sizes: Sizes, read: Integers, tile_rows: Integers) -> Kinds:
    """Return the kinds of tiles; `read` and `tile_rows` as from `dataflows.plans.cut_kernels.rows_read`."""
    count, begin = -(-extents.rows // sizes.rows), read[sizes.rows - 1, 4]
    of_rows = zeros(count)
    first, found = zeros(count), 0
    for j in range(count):
        kind = 0
        while kind < found and (
            tile_rows[begin + first[kind]] != tile_rows[begin + j] or (j == count - 1 and first[kind] < j)
        ):
            kind += 1
        if kind == found:
            first[found] = j
            found += 1
        of_rows[j] = kind
    table = zero_rows(np.int64(3), 2 * found)
    images, rows, rows_read = table[0], table[1], table[2]
    image_sizes, row_sizes = both(extents.images, sizes.images), both(extents.rows, sizes.rows)
    for kind in range(found):
        for last in range(2):
            at = last * found + kind
            images[at], rows_read[at] = image_sizes[last], tile_rows[begin + first[kind]]
            rows[at] = row_sizes[1 if first[kind] == count - 1 else 0]
    return Kinds(
        images, rows, rows_read, of_rows, both(extents.channels, sizes.channels), both(extents.filters, sizes.filters),
        both(extents.groups, sizes.groups),
    )  # fmt: skip


@njit_inside
def fold_cycles(steps: int, folds: Folds) -> int:
    """Return the cycles of a fold of so many steps."""
    return max(steps * folds.step_cycles, folds.least_cycles) + folds.overhead_cycles


@njit_inside
def streaming(
    extents: Extents, folds: Folds, images: int, rows: int, channels: int, filters: int, groups: int
) -> tuple[int, int]:  # fmt: skip
    """Return the cycles that a tile streams, and that its last fold does.

    All folds follow each other; what the last one hides of the next tile's is that one's gap.
    """
    if folds.side_images > 0:
        space = -(-images // folds.side_images) * -(-rows // folds.side_rows)
    else:
        space = -(-images * rows * extents.row_positions // folds.space_quantum)
    through_channels = -(-channels * extents.kernel // folds.channels)
    vectors, reduction = (through_channels, space) if extents.reduces_space else (space, through_channels)
    columns = -(-filters // folds.filters)
    count = folds.each * -(-groups // folds.groups)
    if folds.streamed == 0:
        steps, count = vectors, count * reduction * columns
    elif folds.streamed == 1:
        steps, count = reduction, count * vectors * columns
    else:
        steps, count = columns, count * vectors * reduction
    cycles, last = fold_cycles(steps, folds), steps
    if folds.most > 0 and reduction * folds.each > 1:
        rest = steps % folds.most
        last = rest if rest > 0 else folds.most
        cycles = steps // folds.most * fold_cycles(folds.most, folds)
        if rest > 0:
            cycles += fold_cycles(rest, folds)
    last *= folds.step_cycles
    return count * cycles - max(0, folds.least_cycles - last) - folds.gap_cycles, last


@njit_inside
def at_rate(moved_bytes: int, rate: Rate) -> int:
    """Return the cycles of a transfer."""
    return -(-moved_bytes * rate.numerator // rate.denominator) + (rate.latency if moved_bytes > 0 else 0)


@njit_inside
def tables_of(
    extents: Extents, folds: Folds, kinds: Kinds, stream: StreamBytes, rate: Rate, load_cycles: Integers,
    store_cycles: Integers,
) -> KindTables:  # fmt: skip
    """Return what a tile of each kind does; cycles of transfers at a rate where none are given."""
    count = 8 * len(kinds.images)
    streams, lasts = zeros(count), zeros(count)
    loads, stores = zeros(count * LOADS), zeros(count * STORES)
    for code in range(count):
        # an axis that is not cut has a last tile alone
        if code >> 2 & 1 == 0 and kinds.channels[0] == extents.channels:
            continue
        if code >> 1 & 1 == 0 and kinds.filters[0] == extents.filters:
            continue
        if code & 1 == 0 and kinds.groups[0] == extents.groups:
            continue
        space, channels = code >> 3, kinds.channels[code >> 2 & 1]
        filters, groups = kinds.filters[code >> 1 & 1], kinds.groups[code & 1]
        images, rows = kinds.images[space], kinds.rows[space]
        streams[code], lasts[code] = streaming(extents, folds, images, rows, channels, filters, groups)
        ifmap = images * kinds.rows_read[space] * extents.ifmap_row_words * channels * groups
        made = images * rows * extents.row_positions * filters * groups
        weights = channels * filters * extents.kernel * groups
        filter_, result = (made, weights) if extents.reduces_space else (weights, made)
        for what in range(LOADS):
            loads[code * LOADS + what] = (
                (ifmap * stream.ifmap if what & NEW_IFMAP else 0)
                + (filter_ * stream.filter if what & NEW_FILTER else 0)
                + (result * stream.psum if what & PSUMS_COME else 0)
            )  # fmt: skip
        stores[code * STORES + PSUMS_LEAVE] = result * stream.psum
        stores[code * STORES + RESULT_LEAVES] = result * stream.result
    if len(load_cycles) == 0:
        load_cycles, store_cycles = zeros(len(loads)), zeros(len(stores))
        for i in range(len(loads)):
            load_cycles[i] = at_rate(loads[i], rate)
        for i in range(len(stores)):
            store_cycles[i] = at_rate(stores[i], rate)
    return KindTables(streams, lasts, loads, stores, load_cycles, store_cycles)
