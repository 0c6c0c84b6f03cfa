"""What one tiling takes, exactly, without a table of its tiles.

Few tiles of a tiling differ: along each axis all but the last are equal, and of images and rows those at the borders
read less. So what a tile streams and moves is looked up by its kind, and only the order in which tiles come is gone
through. A test holds this equal to the plan of the tiling.
"""

# numba infers the types inside the kernel; numpy's stubs do not follow its scalars.
# mypy: disable-error-code="call-overload,arg-type,return-value"

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from dataflows.plans import cut_tables, tile_clock
from dataflows.plans.cut_tables import Extents, Folds, MemoryWidths, Sizes, StreamBytes
from dataflows.plans.tile_clock import Tiles, end_cycle, new_clock, run_tiles
from dataflows.plans.transfers import Integers
from workloads.foundation.kernel_sources import sources_of

PIECE = 2048  # tiles that are laid out at once
NO_LIMIT = 1 << 62
NEW_IFMAP, NEW_FILTER, PSUMS_COME = 1, 2, 4  # what a tile loads: bits
LOADS, STORES = 8, 3  # what a tile may load; what it stores: nothing, psums or a result
PSUMS_LEAVE, RESULT_LEAVES = 1, 2
NO_TABLE = np.zeros(0, np.int64)


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


class Rate(NamedTuple):
    """A channel whose transfers take ceil(bytes numerator / denominator) + latency cycles."""

    numerator: int
    denominator: int
    latency: int


class Walk(NamedTuple):
    """A way through the tiles: how many there are along vectors, reduction, columns and groups, and where it is.

    `at` and `before` are indices along these four; `done` counts tiles, `last_fold` is of the tile before.
    """

    tiles: Integers
    order: Integers
    at: Integers
    before: Integers
    done: Integers
    last_fold: Integers


@njit
def both(total: int, size: int) -> Integers:
    """Return the sizes of the tiles of a cut that are not the last, and of the last."""
    return np.array([size, total - (-(-total // size) - 1) * size])


@njit
def kinds_of(extents: Extents, sizes: Sizes, ifmap_rows: Integers, output_rows: Integers) -> Kinds:
    """Return the kinds of tiles; `ifmap_rows` and `output_rows` as in `LoopNest.meetings`."""
    count = -(-extents.rows // sizes.rows)
    read, of_rows = np.zeros(count, np.int64), np.zeros(count, np.int64)
    for i in range(len(ifmap_rows)):
        tile = output_rows[i] // sizes.rows
        if i == 0 or ifmap_rows[i] != ifmap_rows[i - 1] or output_rows[i - 1] // sizes.rows != tile:
            read[tile] += 1
    first, found = np.zeros(count, np.int64), 0
    for j in range(count):
        kind = 0
        while kind < found and (read[first[kind]] != read[j] or (j == count - 1 and first[kind] < j)):
            kind += 1
        if kind == found:
            first[found] = j
            found += 1
        of_rows[j] = kind
    table = np.zeros((3, 2 * found), np.int64)
    images, rows, rows_read = table[0], table[1], table[2]
    image_sizes, row_sizes = both(extents.images, sizes.images), both(extents.rows, sizes.rows)
    for kind in range(found):
        for last in range(2):
            at = last * found + kind
            images[at], rows_read[at] = image_sizes[last], read[first[kind]]
            rows[at] = row_sizes[1 if first[kind] == count - 1 else 0]
    return Kinds(
        images, rows, rows_read, of_rows, both(extents.channels, sizes.channels), both(extents.filters, sizes.filters),
        both(extents.groups, sizes.groups),
    )  # fmt: skip


@njit
def fold_cycles(steps: int, folds: Folds) -> int:
    """Return the cycles of a fold of so many steps."""
    return max(steps * folds.step_cycles, folds.least_cycles) + folds.overhead_cycles


@njit
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


@njit
def at_rate(moved_bytes: int, rate: Rate) -> int:
    """Return the cycles of a transfer."""
    return -(-moved_bytes * rate.numerator // rate.denominator) + (rate.latency if moved_bytes > 0 else 0)


@njit
def tables_of(
    extents: Extents, folds: Folds, kinds: Kinds, stream: StreamBytes, rate: Rate, load_cycles: Integers,
    store_cycles: Integers,
) -> KindTables:  # fmt: skip
    """Return what a tile of each kind does; cycles of transfers at a rate where none are given."""
    count = 8 * len(kinds.images)
    streams, lasts = np.zeros(count, np.int64), np.zeros(count, np.int64)
    loads, stores = np.zeros(count * LOADS, np.int64), np.zeros(count * STORES, np.int64)
    for code in range(count):
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
        load_cycles = np.array([at_rate(moved, rate) for moved in loads])
        store_cycles = np.array([at_rate(moved, rate) for moved in stores])
    return KindTables(streams, lasts, loads, stores, load_cycles, store_cycles)


@njit
def new_walk(extents: Extents, sizes: Sizes, order: Integers) -> Walk:
    """Return a walk through the tiles, groups outermost, that begins."""
    space = -(-extents.images // sizes.images) * -(-extents.rows // sizes.rows)
    channels = -(-extents.channels // sizes.channels)
    tiles = np.array([space, channels, -(-extents.filters // sizes.filters), -(-extents.groups // sizes.groups)])
    if extents.reduces_space:
        tiles[0], tiles[1] = channels, space
    return Walk(
        tiles, order, np.zeros(4, np.int64), np.full(4, -1, np.int64), np.zeros(1, np.int64), np.zeros(1, np.int64)
    )


@njit
def lay_out(
    walk: Walk, extents: Extents, folds: Folds, kinds: Kinds, tables: KindTables, tiles: Tiles, loads: Integers,
    stores: Integers,
) -> int:  # fmt: skip
    """Lay out the next tiles: their streams and gaps, and where to look up what they load and store.

    Returns
    -------
    int
        How many there are; at most `PIECE`.
    """
    row_tiles, row_kinds = len(kinds.of_rows), len(kinds.images) // 2
    image_tiles = -(-extents.images // kinds.images[0])
    at, before = walk.at, walk.before
    total = walk.tiles[0] * walk.tiles[1] * walk.tiles[2] * walk.tiles[3]
    space_axis, channel_axis = (1, 0) if extents.reduces_space else (0, 1)
    count = min(PIECE, total - walk.done[0])
    for i in range(count):
        first = walk.done[0] == 0
        v, r, c, g = at
        space = at[space_axis]
        kind = kinds.of_rows[space % row_tiles]
        if space // row_tiles == image_tiles - 1:
            kind += row_kinds
        code = kind << 3
        if at[channel_axis] == walk.tiles[channel_axis] - 1:
            code |= 4
        if c == walk.tiles[2] - 1:
            code |= 2
        if g == walk.tiles[3] - 1:
            code |= 1
        moved_v, moved_r = v != before[0], r != before[1]
        moved_c, moved_g = c != before[2], g != before[3]
        what = 0
        if moved_g or moved_v or moved_r:
            what |= NEW_IFMAP
        if moved_g or moved_r or moved_c:
            what |= NEW_FILTER
        if r > 0 and (moved_g or moved_v or moved_c):
            what |= PSUMS_COME
        loads[i] = code * LOADS + what
        for axis in range(4):
            before[axis] = at[axis]
        turn = 3
        while turn >= 0:
            axis = walk.order[turn - 1] if turn > 0 else 3
            at[axis] += 1
            if at[axis] < walk.tiles[axis] or turn == 0:
                break
            at[axis] = 0
            turn -= 1
        left = 0
        if r == walk.tiles[1] - 1:
            left = RESULT_LEAVES
        elif at[0] != v or at[2] != c or at[3] != g:
            left = PSUMS_LEAVE
        stores[i] = code * STORES + left
        last_fold = tables.last_fold_cycles[code]
        tiles.stream_cycles[i] = tables.stream_cycles[code]
        gap = 0
        if not first:
            shortest = min(walk.last_fold[0], last_fold) if folds.waits_when_short else walk.last_fold[0]
            gap = max(0, folds.least_cycles - shortest) + folds.gap_cycles
        tiles.gap_cycles[i] = gap
        walk.last_fold[0] = last_fold
        walk.done[0] += 1
    return count


@njit
def in_proportion(total: int, weight: int, whole: int) -> int:
    """Return ceil(total * weight / whole) exactly, though the product may be beyond 64 bits."""
    rest = total % whole
    share = np.int64(np.float64(rest) * np.float64(weight) / np.float64(whole))
    over = rest * weight - share * whole  # small, so that what is beyond 64 bits cancels out
    while over < 0:
        share, over = share - 1, over + whole
    while over >= whole:
        share, over = share + 1, over - whole
    return total // whole * weight + share + (1 if over > 0 else 0)


@njit
def wait_cycles(
    window: int, whole: int, moved: int, array_side: int, sram_side: int, widths: MemoryWidths
) -> int:  # fmt: skip
    """Return how much longer than its window a tile needs the ports (docs/machine.md, "Ports of the banks")."""
    needed = window
    if window == 0:
        return 0
    if widths.buffer < NO_LIMIT:
        needed = max(needed, -(-(in_proportion(array_side, window, whole) + moved) // widths.buffer))
    if widths.predictor_sram < NO_LIMIT:
        needed = max(needed, -(-in_proportion(sram_side, window, whole) // widths.predictor_sram))
    return needed - window


def _kernel(sources: int) -> Callable[..., Any]:
    @njit(cache=True)
    def tiling_time(
        extents: Extents, folds: Folds, sizes: Sizes, order: Integers, ifmap_rows: Integers, output_rows: Integers,
        stream: StreamBytes, rate: Rate, load_cycles: Integers, store_cycles: Integers, array_side: int,
        sram_side: int, widths: MemoryWidths,
    ) -> tuple[int, int, int]:  # fmt: skip
        """Return the cycles of a tiling that has the channel to itself, those of its tiles alone, and its DRAM bytes.

        Parameters
        ----------
        sizes, order : Sizes, int64[3]
            The tiling: extents of a tile, axes from the outermost loop to the innermost.
        ifmap_rows, output_rows : int64[meetings]
            See `LoopNest.meetings`.
        rate, load_cycles, store_cycles : Rate, int64[kinds * 8 * LOADS], int64[kinds * 8 * STORES]
            What transfers take: at a rate, if the tables are empty.
        array_side, sram_side : int
            Bytes that pass between the buffer and the array, and between the predictor SRAM and the array.
        """
        if sources == 0:  # never; numba's cache follows what a function closes over
            return 0, 0, 0
        kinds = kinds_of(extents, sizes, ifmap_rows, output_rows)
        tables = tables_of(extents, folds, kinds, stream, rate, load_cycles, store_cycles)
        loads, stores = np.zeros(PIECE, np.int64), np.zeros(PIECE, np.int64)
        piece = np.zeros((5, PIECE), np.int64)
        tiles = Tiles(piece[0], piece[1], piece[2], piece[3], piece[4])
        clock, whole, dram_bytes = new_clock(), folds.fill_cycles, np.int64(0)
        for turn in range(2):  # once for the cycles of all tiles' windows, and once for their time
            walk, count = new_walk(extents, sizes, order), PIECE
            while count == PIECE:
                first = walk.done[0] == 0
                count = lay_out(walk, extents, folds, kinds, tables, tiles, loads, stores)
                for i in range(count):
                    window = tiles.stream_cycles[i] + tiles.gap_cycles[i]
                    if turn == 0:
                        whole += window
                        continue
                    moved = tables.load_bytes[loads[i]] + tables.store_bytes[stores[i]]
                    dram_bytes += moved
                    tiles.load_cycles[i] = tables.load_cycles[loads[i]]
                    tiles.store_cycles[i] = tables.store_cycles[stores[i]]
                    tiles.stores[i] = tables.store_bytes[stores[i]] > 0
                    if first and i == 0:
                        window += folds.fill_cycles
                    tiles.stream_cycles[i] += wait_cycles(window, whole, moved, array_side, sram_side, widths)
                if turn == 1:
                    run_tiles(clock, tiles, count, folds.fill_cycles, folds.drain_cycles, count < PIECE)
        return end_cycle(clock, folds.drain_cycles), whole + folds.drain_cycles, dram_bytes

    return tiling_time


tiling_time = _kernel(sources_of(cut_tables, tile_clock))


@njit(cache=True)
def tile_kinds(extents: Extents, sizes: Sizes, ifmap_rows: Integers, output_rows: Integers) -> Kinds:
    """Return the kinds of a tiling's tiles, for a channel that must be asked what their transfers take."""
    return kinds_of(extents, sizes, ifmap_rows, output_rows)
