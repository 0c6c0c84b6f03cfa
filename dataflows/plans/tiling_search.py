"""The list of tilings: every cut and every order of loops under every mapping, in integers.

Of each candidate it knows the DRAM bytes, bounds from below for the time and the bytes through the buffer, and the
number of tiles. It lists candidates in the order of these; `dataflows.plans.tiling_time` knows the time itself.
"""

# numba infers the types inside the kernel; numpy's stubs do not follow its scalars.
# mypy: disable-error-code="call-overload,arg-type,return-value,operator"

from typing import NamedTuple

import numpy as np

from dataflows.integers import Integers
from dataflows.plans.array_side import array_side_words
from dataflows.plans.candidate_heap import comes_before, keep, sort_heap
from dataflows.plans.cut_tables import Candidate, Cut, Extents, Folds, Memory, Rate, StreamBytes, Tables
from dataflows.plans.kernel_arrays import zero_rows, zeros
from dataflows.plans.table_reading import axes_of, bounds_of, cut_at, folds_of, space_at
from workloads.foundation.kernels import njit_inside

NEVER = 1 << 62
ORDERS = 6  # of the three loops of a group
TIME, DRAM_BYTES, BUFFER_BYTES, TIME_WITH_CHARGE = 0, 1, 2, 3  # what candidates are ordered by
IFMAP, FILTER, RESULT = 4, 1, 2  # bits of `repetitions`


class Words(NamedTuple):
    """Words of the whole product, ifmap left out, since its halo depends on the cut."""

    filter: int
    result: int


class OrderTraffic(NamedTuple):
    """What an order of the loops moves: bytes loaded and moved in all, loads and stores of a group's tiles."""

    loaded: int
    moved: int
    loads: int
    stores: int
    spills: bool


class Tile(NamedTuple):
    """The largest tile of one group, in bytes: the first ifmap piece, the filter, and what fits twice in the buffer."""

    ifmap_first: int
    filter: int
    held: int


@njit_inside
def repetitions(orders: Integers) -> tuple[Integers, Integers]:
    """Return which operands each order loads again, by the axes that are cut, and the axes inside the reduction's loop.

    An operand is loaded again for each turn of a loop that it does not span, if one that it does span turns inside. The
    bits: 1 the filter, 2 the result (psums), 4 the ifmap; -1: as an order before.
    """
    again, within = zero_rows(len(orders), np.int64(8)), zeros(len(orders))
    for o in range(len(orders)):
        for cut in range(8):
            inside = 0
            for place in (2, 1, 0):
                axis = orders[o, place]
                if inside & cut and cut >> axis & 1:
                    again[o, cut] |= 1 << axis
                if axis == 1:
                    within[o] = inside
                inside |= 1 << axis
    for cut in range(8):
        for o in range(len(orders) - 1, 0, -1):
            for earlier in range(o):
                # where psums return, orders differ in how soon
                if again[o, cut] == again[earlier, cut] and not again[o, cut] & 2:
                    again[o, cut] = -1
                    break
    return again, within


@njit_inside
def carried(moved_bytes: int, transfers: int, rate: Rate) -> np.int64:
    """Return the least cycles of the channel for so many transfers of so many bytes in all."""
    return np.int64(np.ceil(moved_bytes * rate.of_a_byte)) + transfers * rate.of_a_transfer


@njit_inside
def alone(moved_bytes: int, rate: Rate) -> np.int64:
    """Return the least cycles of one transfer."""
    return carried(moved_bytes, 1, rate) if moved_bytes > 0 else np.int64(0)


@njit_inside
def order_traffic(
    repeated: int, within: int, words: Words, ifmap_words: int, reading: int, stream: StreamBytes,
    vectors: Cut, reduction: Cut, columns: Cut, channel_tiles: int,
) -> OrderTraffic:  # fmt: skip
    """Return what an order moves, of all groups; its transfers are those of one group's tiles.

    Parameters
    ----------
    repeated, within : int
        See `repetitions`.
    ifmap_words, reading : int
        What all tiles of images and rows read of the ifmap, once, and how many of them read any.
    """
    ifmap_times = columns.tiles if repeated & IFMAP else 1
    filter_times = vectors.tiles if repeated & FILTER else 1
    result_times = reduction.tiles if repeated & RESULT else 1
    returns_after = (vectors.tiles if within & 1 else 1) * (columns.tiles if within & 4 else 1)
    # a psum must not be asked for before it is stored
    early = result_times > 1 and returns_after < 4
    loaded = (
        ifmap_times * ifmap_words * stream.ifmap + filter_times * words.filter * stream.filter
        + words.result * (result_times - 1) * stream.psum
    )  # fmt: skip
    moved = loaded + words.result * (stream.result + (result_times - 1) * stream.psum)
    # a tile that touches padding alone need not load anything
    loads = reading * channel_tiles * columns.tiles
    if stream.ifmap == 0 and stream.filter == 0:
        loads = result_times - 1  # psums that come back
    elif stream.filter == 0:
        loads = reading * channel_tiles * ifmap_times
    elif stream.ifmap == 0:
        loads = reduction.tiles * columns.tiles * filter_times
    stores = vectors.tiles * columns.tiles * result_times if stream.result > 0 else 0
    return OrderTraffic(-1 if early else loaded, moved, loads, stores, result_times > 1)


@njit_inside
def time_bound(
    group: Cut, work: int, busy: int, last_result: int, results: int, tile: Tile, moves: OrderTraffic, folds: Folds,
    padded: int, stream: StreamBytes, rate: Rate,
) -> np.int64:  # fmt: skip
    """Return a bound from below for a tiling's time.

    That is the longest of: the first load, the array's work, the last store; all loads, then the last store or all
    stores; the first load, the first result, then all stores.

    Parameters
    ----------
    work, busy : int
        Cycles of the folds of one group's tiles, and cycles that all bytes need at the ports.
    last_result, results : int
        Words of the last tile's result in a group, and tiles of a group that finish one.
    """
    store = alone(last_result * group.last * stream.result, rate)
    first = alone(group.size * (tile.ifmap_first + tile.filter), rate)
    on_array = max(work * group.work_one - padded + folds.fill_cycles + folds.drain_cycles - folds.gap_cycles, busy)
    loading = carried(moves.loaded, group.tiles * moves.loads, rate)
    storing = carried(moves.moved - moves.loaded, group.tiles * moves.stores, rate)
    # Nothing is stored before the first result is made. Its tiles are the largest, so they take at least the mean of
    # all results; the gap before a tile is not among them.
    first_result = np.int64(0)
    if moves.stores > 0:
        made = 0 if moves.spills else work * group.work_one // (results * group.tiles)
        first_result = first + max(0, made - folds.least_cycles - folds.gap_cycles) + storing
    return max(first + on_array + store, loading + store, loading + storing, first_result)


@njit_inside
def place_of(candidate: Candidate, tables: Tables) -> int:
    """Return the place of a candidate among those of its mapping."""
    axes = axes_of(tables.mappings, candidate.mapping)
    place = candidate.space * axes.channelings + candidate.channels
    return ((place * axes.filterings + candidate.filters) * ORDERS + candidate.order) * axes.groupings + candidate.group


@njit_inside
def candidate_at(place: int, mapping: int, tables: Tables) -> Candidate:
    """Return the candidate at a place."""
    axes = axes_of(tables.mappings, mapping)
    rest, group = place // axes.groupings, place % axes.groupings
    rest, order = rest // ORDERS, rest % ORDERS
    rest, filters = rest // axes.filterings, rest % axes.filterings
    return Candidate(mapping, rest // axes.channelings, group, rest % axes.channelings, filters, order)


@njit_inside
def list_candidates(
    tables: Tables, extents: Extents, memory: Memory, rate: Rate, orders: Integers, criteria: tuple[int, int, int],
    most_time: int, most_first: int, keys: Integers, wanted: int, stride: int,
) -> tuple[int, int]:  # fmt: skip
    """List the first `wanted` candidates in an order, by their keys.

    Parameters
    ----------
    orders : int64[orders, 3]
        Axes from the outermost loop to the innermost.
    criteria : (int, int, int)
        What candidates are ordered by: 0 time, 1 DRAM bytes, 2 buffer bytes, 3 time with a charge for each tile.
        Then by the number of tiles, the place and the mapping.
    most_time, most_first : int
        Candidates whose time, and whose first number of the key, are above these for certain are left out.
    keys : int64[wanted + 2, KEY]
        Filled with the list. Its last row is the key after which the list begins.
    stride : int
        Of the cuts of images and rows, and of those of channels, every so many are looked at: 1 for all.

    Returns
    -------
    count, least_time : int
        How many there are; and, in an order of time, what no tiling's time is below.
    """
    again, within = repetitions(orders)
    positions = extents.images * extents.rows * extents.row_positions
    made = positions * extents.filters * extents.groups
    weights = extents.channels * extents.filters * extents.kernel * extents.groups
    words = Words(made, weights) if extents.reduces_space else Words(weights, made)
    stream, buffer, sram, widths = memory.stream, memory.buffer, memory.sram, memory.widths
    upward, charge = criteria[0] == TIME, criteria[0] == TIME_WITH_CHARGE
    by_time = upward or charge
    values, scratch, after = zeros(np.int64(4)), wanted, wanted + 1
    count, least_time = np.int64(0), np.int64(NEVER)  # as literals they would have functions of their own
    worst = np.int64(most_first)
    for m in range(len(tables.mappings)):
        axes, bounds, folds = axes_of(tables.mappings, m), bounds_of(tables.mappings, m), folds_of(tables.mappings, m)
        longest = min(most_time, worst) if by_time else most_time
        if bounds.least_time > longest:
            least_time = min(least_time, bounds.least_time)
            continue
        least_fold = folds.least_cycles
        beside = folds.fill_cycles + folds.drain_cycles - folds.gap_cycles
        least_size = cut_at(tables.cuts, axes.groups + axes.groupings - 1).size
        narrowest = cut_at(tables.cuts, axes.filters + axes.filterings - 1).size
        least_group = least_filters_one = least_filters_more = least_channels = least_channels_each = NEVER
        for i in range(axes.groupings):
            least_group = min(least_group, cut_at(tables.cuts, axes.groups + i).work_one)
        for i in range(axes.filterings):
            cut = cut_at(tables.cuts, axes.filters + i)
            least_filters_one = min(least_filters_one, cut.work_one)
            least_filters_more = min(least_filters_more, cut.work_more)
        for i in range(axes.channelings):
            cut = cut_at(tables.cuts, axes.channels + i)
            least_channels = min(least_channels, cut.work_one + cut.work_more)
            least_channels_each = min(least_channels_each, cut.work_one, cut.work_more)
        least_filters_one *= least_group * folds.each
        least_filters_more *= least_group * folds.each
        # By time from the smallest tiles up: first loads grow. Else from the largest down: bytes and tiles grow.
        for turn_s in range(0, axes.spaces, stride):
            s = axes.spaces - 1 - turn_s if upward else turn_s
            in_space, more = cut_at(tables.cuts, axes.space + s), space_at(tables.more, axes.more + s)
            ifmap_words = more.ifmap_all * extents.channels * extents.groups
            once = ifmap_words * stream.ifmap + words.filter * stream.filter + words.result * stream.result
            if by_time:
                longest = min(most_time, worst)
            elif once > worst:
                continue
            # The tiles of a reduction of one fold and the others are parts of all, of other axes all tiles are either.
            least = (
                max(
                    min(in_space.work_one, in_space.work_more) * least_channels,
                    (in_space.work_one + in_space.work_more) * least_channels_each,
                )
                * min(least_filters_one, least_filters_more)
                - least_fold
            )
            least = max(least, np.int64(once * rate.of_a_byte))
            if least > longest:
                least_time = min(least_time, least)
                continue
            for turn_a in range(0, axes.channelings, stride):
                a = axes.channelings - 1 - turn_a if upward else turn_a
                in_channels = cut_at(tables.cuts, axes.channels + a)
                work_one = in_space.work_one * in_channels.work_one
                work_more = in_space.work_more * in_channels.work_more
                if by_time:
                    longest = min(most_time, worst)
                vectors, reduction = (in_channels, in_space) if extents.reduces_space else (in_space, in_channels)
                # Of the operands that an axis is cut beside, all but one are moved again.
                filter_again = words.filter * stream.filter * (vectors.tiles - 1)
                psums_again = 2 * words.result * stream.psum * (reduction.tiles - 1)
                least_bytes = once + min(filter_again, psums_again)
                if least_bytes > worst and not by_time:
                    continue
                ifmap = more.ifmap_most * in_channels.size
                ifmap_first = more.ifmap_first * in_channels.size * stream.ifmap
                loading = np.int64(ifmap_first * least_size * rate.of_a_byte)
                least = max(0, work_one * least_filters_one + work_more * least_filters_more - least_fold + loading)
                least = max(least, np.int64(least_bytes * rate.of_a_byte))
                charges = in_space.tiles * in_channels.tiles if charge else 0
                if least + (least >> 14) * charges > longest:
                    least_time = min(least_time, least)
                    continue
                made_each, weights_each = more.positions_most, in_channels.size * extents.kernel
                filter_each, result_each = (
                    (made_each, weights_each) if extents.reduces_space else (weights_each, made_each)
                )
                needed_each = filter_each * stream.filter + result_each * stream.psum
                if 2 * (ifmap * stream.ifmap + narrowest * needed_each) > memory.capacity:
                    continue
                for turn_b in range(axes.filterings):
                    b = axes.filterings - 1 - turn_b if upward else turn_b
                    columns = cut_at(tables.cuts, axes.filters + b)
                    work = (work_one * columns.work_one + work_more * columns.work_more) * folds.each
                    if by_time:
                        longest = min(most_time, worst)
                    least = work * least_group - least_fold + beside
                    if least > longest:
                        least_time = min(least_time, least)
                        continue
                    held = 2 * (ifmap * stream.ifmap + columns.size * needed_each)
                    if held > memory.capacity:
                        continue
                    ifmap_again = ifmap_words * stream.ifmap * (columns.tiles - 1)
                    least_bytes = once + ifmap_again + filter_again + psums_again
                    least_bytes -= max(ifmap_again, filter_again, psums_again)
                    tiles_each = vectors.tiles * reduction.tiles * columns.tiles
                    charges = tiles_each if charge else 0
                    carrying = np.int64(least_bytes * rate.of_a_byte)
                    if carrying + (carrying >> 14) * charges > longest or (least_bytes > worst and not by_time):
                        least_time = min(least_time, carrying)
                        if upward:
                            continue
                        break  # smaller pieces of the columns never move less
                    ifmap_through, filter_through, psums = array_side_words(
                        extents, folds, bounds.ifmap_pass, vectors, reduction, columns
                    )
                    array_side = (
                        ifmap_through * buffer.ifmap + filter_through * buffer.filter + words.result * buffer.result
                        + psums * stream.psum
                    )  # fmt: skip
                    sram_side = ifmap_through * sram.ifmap + filter_through * sram.filter + words.result * sram.result
                    sram_busy = -(-sram_side // widths.predictor_sram)
                    tile = Tile(ifmap_first, columns.size * filter_each * stream.filter, held)
                    loading = np.int64((tile.ifmap_first + tile.filter) * least_size * rate.of_a_byte)
                    least = max(0, least, (least_bytes + array_side) // widths.buffer, sram_busy) + loading
                    if least + (least >> 14) * charges > longest:
                        least_time = min(least_time, least)
                        continue
                    full = criteria[0] == DRAM_BYTES and criteria[1] == BUFFER_BYTES and count == wanted
                    if full and least_bytes == keys[0, 0] and least_bytes + array_side > keys[0, 1]:
                        continue
                    cut_axes = (vectors.tiles > 1) | (reduction.tiles > 1) << 1 | (columns.tiles > 1) << 2
                    padded = max(0, least_fold - vectors.last_fold - reduction.last_fold - columns.last_fold)
                    last_result = columns.last * (
                        in_channels.last * extents.kernel if extents.reduces_space else in_space.last
                    )
                    for o in range(len(orders)):
                        if again[o, cut_axes] < 0:
                            continue
                        moves = order_traffic(
                            again[o, cut_axes], within[o], words, ifmap_words, more.reading, stream, vectors,
                            reduction, columns, in_channels.tiles,
                        )  # fmt: skip
                        if moves.loaded < 0:
                            continue
                        carrying = np.int64(moves.moved * rate.of_a_byte)
                        if carrying + (carrying >> 14) * charges > longest:
                            least_time = min(least_time, carrying)
                            continue
                        if not by_time and moves.moved > worst:
                            continue
                        busy = max(-(-(moves.moved + array_side) // widths.buffer), sram_busy)
                        for g in range(axes.groupings):
                            group = cut_at(tables.cuts, axes.groups + g)
                            if held * group.size > memory.capacity:
                                continue
                            time = time_bound(
                                group, work, busy, last_result, vectors.tiles * columns.tiles, tile, moves, folds,
                                padded, stream, rate,
                            )  # fmt: skip
                            least_time = min(least_time, time)
                            if time > most_time:
                                continue
                            values[0], values[1], values[2] = time, moves.moved, moves.moved + array_side
                            values[3] = time + (time >> 14) * group.tiles * tiles_each
                            for column in range(3):
                                keys[scratch, column] = values[criteria[column]]
                            keys[scratch, 3] = group.tiles * tiles_each
                            keys[scratch, 4] = place_of(Candidate(m, s, g, a, b, o), tables)
                            keys[scratch, 5] = m
                            if keys[scratch, 0] <= most_first and comes_before(keys, after, keys, scratch):
                                count = keep(keys, wanted, count, keys, scratch)
                                if count == wanted:
                                    worst = min(most_first, keys[0, 0])
    sort_heap(keys, count, scratch)
    return count, least_time
