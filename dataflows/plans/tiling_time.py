"""What one tiling takes, exactly, without a table of its tiles.

Few tiles of a tiling differ: along each axis all but the last are equal, and of images and rows those at the borders
read less. So what a tile streams and moves is looked up by its kind, and only the order in which tiles come is gone
through. A test holds this equal to the plan of the tiling.
"""

# numba infers the types inside the kernel; numpy's stubs do not follow its scalars.
# mypy: disable-error-code="call-overload,arg-type,return-value"

from typing import NamedTuple

import numpy as np

from dataflows.integers import Integers
from dataflows.plans.array_side import array_side_words
from dataflows.plans.cut_tables import Candidate, Extents, Folds, Memory, MemoryWidths, Rate, Sizes, Tables
from dataflows.plans.kernel_arrays import zero_rows, zeros
from dataflows.plans.table_reading import axes_of, cut_at, folds_of, space_at
from dataflows.plans.tile_clock import Tiles, end_cycle, new_clock, run_tiles
from dataflows.plans.tile_kinds import (
    LOADS,
    NEW_FILTER,
    NEW_IFMAP,
    PSUMS_COME,
    PSUMS_LEAVE,
    RESULT_LEAVES,
    STORES,
    Kinds,
    KindTables,
    kinds_of,
    tables_of,
)
from workloads.foundation.kernels import njit_inside

PIECE = 2048  # tiles that are laid out at once
NO_LIMIT = 1 << 62
TILE_ROWS = 10  # of the table of tiles that `measure` fills


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


@njit_inside
def new_walk(extents: Extents, sizes: Sizes, order: Integers) -> Walk:
    """Return a walk through the tiles, groups outermost, that begins."""
    space = -(-extents.images // sizes.images) * -(-extents.rows // sizes.rows)
    channels = -(-extents.channels // sizes.channels)
    axes, one = np.int64(4), np.int64(1)
    tiles, before = zeros(axes), zeros(axes)
    tiles[0], tiles[1] = (channels, space) if extents.reduces_space else (space, channels)
    tiles[2], tiles[3] = -(-extents.filters // sizes.filters), -(-extents.groups // sizes.groups)
    for axis in range(4):
        before[axis] = -1
    return Walk(tiles, order, zeros(axes), before, zeros(one), zeros(one))


@njit_inside
def lay_out(
    walk: Walk, extents: Extents, folds: Folds, kinds: Kinds, tables: KindTables, tiles: Tiles, loads: Integers,
    stores: Integers,
) -> int:  # fmt: skip
    """Lay out the next tiles: their streams and gaps, and where to look up what they load and store.

    Returns
    -------
    int
        How many there are; at most as many as fit.
    """
    row_tiles, row_kinds = len(kinds.of_rows), len(kinds.images) // 2
    image_tiles = -(-extents.images // kinds.images[0])
    at, before = walk.at, walk.before
    total = walk.tiles[0] * walk.tiles[1] * walk.tiles[2] * walk.tiles[3]
    space_axis, channel_axis = (1, 0) if extents.reduces_space else (0, 1)
    count = min(len(loads), total - walk.done[0])
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
            shortest = min(walk.last_fold[0], last_fold) if folds.waits_when_short > 0 else walk.last_fold[0]
            gap = max(0, folds.least_cycles - shortest) + folds.gap_cycles
        tiles.gap_cycles[i] = gap
        walk.last_fold[0] = last_fold
        walk.done[0] += 1
    return count


@njit_inside
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


@njit_inside
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


class Measured(NamedTuple):
    """What a plan is compared by, and what else is known of it.

    Attributes
    ----------
    time : int
        Cycles of the plan when it has the channel to itself.
    dram_bytes, buffer_bytes : int
        Bytes loaded and stored, and bytes read and written on both sides of the buffer.
    tiles : int
        How many there are.
    compute_cycles, loaded_bytes : int
        Cycles of the tiles alone; bytes loaded.
    """

    time: int
    dram_bytes: int
    buffer_bytes: int
    tiles: int
    compute_cycles: int
    loaded_bytes: int


@njit_inside
def sizes_of(candidate: Candidate, tables: Tables) -> Sizes:
    """Return the extents of a candidate's tiles."""
    axes = axes_of(tables.mappings, candidate.mapping)
    more = space_at(tables.more, axes.more + candidate.space)
    return Sizes(
        cut_at(tables.cuts, axes.groups + candidate.group).size, more.images, more.rows,
        cut_at(tables.cuts, axes.channels + candidate.channels).size,
        cut_at(tables.cuts, axes.filters + candidate.filters).size,
    )  # fmt: skip


@njit_inside
def measure(
    candidate: Candidate, tables: Tables, extents: Extents, memory: Memory, rate: Rate, orders: Integers,
    load_cycles: Integers, store_cycles: Integers, table: Integers, longest: int,
) -> Measured:  # fmt: skip
    """Return what a tiling takes.

    Parameters
    ----------
    load_cycles, store_cycles : int64[kinds * 8 * LOADS], int64[kinds * 8 * STORES]
        What transfers take: at the rate, if the tables are empty.
    table : int64[TILE_ROWS, tiles]
        Filled with the tiles, if it has room for any: cycles of load and store, 1 where a result is stored, cycles
        of stream (without waits) and gap, bytes of load and store, cycles that the tile waits for ports, and where
        `KindTables` has its load and its store.
    longest : int
        A time above this need not be exact: it is at least one more.
    """
    axes, folds = axes_of(tables.mappings, candidate.mapping), folds_of(tables.mappings, candidate.mapping)
    more = space_at(tables.more, axes.more + candidate.space)
    vectors = cut_at(tables.cuts, axes.space + candidate.space)
    reduction = cut_at(tables.cuts, axes.channels + candidate.channels)
    if extents.reduces_space:
        vectors, reduction = reduction, vectors
    columns = cut_at(tables.cuts, axes.filters + candidate.filters)
    ifmap, filter_, psums = array_side_words(extents, folds, more.ifmap_pass, vectors, reduction, columns)
    results = extents.images * extents.rows * extents.row_positions * extents.filters * extents.groups
    if extents.reduces_space:
        results = extents.channels * extents.filters * extents.kernel * extents.groups
    array_side = (
        ifmap * memory.buffer.ifmap + filter_ * memory.buffer.filter + results * memory.buffer.result
        + psums * memory.stream.psum
    )  # fmt: skip
    sram_side = ifmap * memory.sram.ifmap + filter_ * memory.sram.filter + results * memory.sram.result

    sizes = sizes_of(candidate, tables)
    kinds = kinds_of(extents, sizes, tables.read, tables.tile_rows)
    of_kinds = tables_of(extents, folds, kinds, memory.stream, rate, load_cycles, store_cycles)
    all_tiles = vectors.tiles * reduction.tiles * columns.tiles
    all_tiles *= cut_at(tables.cuts, axes.groups + candidate.group).tiles
    room = min(PIECE, all_tiles)
    loads, stores = zeros(room), zeros(room)
    piece = zero_rows(np.int64(5), room)
    tiles = Tiles(piece[0], piece[1], piece[2], piece[3], piece[4])
    clock, whole, loaded, stored, carried = new_clock(), folds.fill_cycles, np.int64(0), np.int64(0), np.int64(0)
    last_window, last_moved, waits = np.int64(-1), np.int64(-1), np.int64(0)
    for turn in range(2):  # once for the cycles of all tiles' windows, and once for their time
        walk, done = new_walk(extents, sizes, orders[candidate.order]), 0
        while done < all_tiles:
            count = room
            if turn == 0 or room < all_tiles:
                count = lay_out(walk, extents, folds, kinds, of_kinds, tiles, loads, stores)
            for i in range(count):
                window = tiles.stream_cycles[i] + tiles.gap_cycles[i]
                if turn == 0:
                    whole += window
                    carried += of_kinds.load_cycles[loads[i]] + of_kinds.store_cycles[stores[i]]
                    continue
                load, store = of_kinds.load_bytes[loads[i]], of_kinds.store_bytes[stores[i]]
                loaded, stored = loaded + load, stored + store
                tiles.load_cycles[i] = of_kinds.load_cycles[loads[i]]
                tiles.store_cycles[i] = of_kinds.store_cycles[stores[i]]
                tiles.stores[i] = store > 0
                if done + i == 0:
                    window += folds.fill_cycles
                if window != last_window or load + store != last_moved:  # most tiles are as the one before
                    last_window, last_moved = window, load + store
                    waits = wait_cycles(window, whole, last_moved, array_side, sram_side, memory.widths)
                if table.shape[1] > 0:
                    for row in range(5):
                        table[row, done + i] = piece[row, i]
                    table[5, done + i], table[6, done + i], table[7, done + i] = load, store, waits
                    table[8, done + i], table[9, done + i] = loads[i], stores[i]
                tiles.stream_cycles[i] += waits
            done += count
            if turn == 1:
                run_tiles(clock, tiles, count, folds.fill_cycles, folds.drain_cycles, done == all_tiles)
            if max(whole, carried, clock.counts[4]) > longest:
                return Measured(longest + 1, 0, 0, all_tiles, 0, 0)
    moved = loaded + stored
    return Measured(
        end_cycle(clock, folds.drain_cycles), moved, moved + array_side, all_tiles, whole + folds.drain_cycles, loaded
    )
