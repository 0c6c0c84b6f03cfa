"""The search behind `dataflows.plans.tiling`: every cut and every order of loops, in integers.

Of each candidate it knows the DRAM bytes, bounds from below for the time and the bytes through the buffer, and the
number of tiles. It lists candidates in the order of these; what takes a plan to know is `planning`'s.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from dataflows.plans.plan import Integers

NEVER = 1 << 62
# Columns of the tables of cuts (`dataflows.plans.tiling.Cuts`).
SIZE, TILES, WORK, PASSES, LAST, LAST_FOLD = 0, 1, 2, 4, 6, 7
IFMAP_MOST, IFMAP_FIRST, IFMAP_ALL, POSITIONS_MOST, READING = 8, 9, 10, 11, 12


@njit(cache=True)
def search(
    space: Integers, groups: Integers, inner: Integers, outer: Integers, extents: Integers, reduces_space: bool,
    streamed: int, folds: Integers, element_bytes: Integers, port_bytes: Integers, ports: Integers, capacity: int,
    channel: NDArray[np.float64], orders: Integers, criteria: Integers, most_time: int, after: Integers, wanted: int,
) -> tuple[Integers, Integers, np.int64]:  # fmt: skip
    """Return the first `wanted` candidates in an order, and their keys.

    Parameters
    ----------
    space, groups, inner, outer : int64[candidates, columns]
        Cuts of each axis, largest tile first.
    extents : groups, inner, outer, kernel, positions, ifmap words of one pass
        Of the whole product.
    reduces_space : bool
        Whether the reduction runs over the spatial axis (wgrad).
    streamed : int
        The axis that streams through a fold (0 vectors, 1 reduction, 2 columns).
    folds : folds of a block, least cycles of a fold, cycles beside the folds, whether partial sums are accumulated
    element_bytes : ifmap, filter, result, partial sum
        What tiles move; 0 for what lies on the chip.
    port_bytes : ifmap, filter, result from the buffer; ifmap, filter, result from the predictor SRAM
        Bytes of an element that pass between memory and array.
    ports : buffer, predictor SRAM
        Bytes a cycle.
    channel : cycles of a byte, cycles of a transfer
        Bounds from below.
    orders : int64[candidates, 3]
        Axes from the outermost loop to the innermost.
    criteria : int64[3]
        What candidates are ordered by: 0 time, 1 DRAM bytes, 2 buffer bytes, 3 time with a charge for each tile.
        Then by the number of tiles.
    most_time : int
        Candidates whose time is above it for certain are left out.
    after : int64[5]
        The key after which the list begins.

    Returns
    -------
    found : int64[candidates, 5]
        Rows of the tables (space, groups, inner, outer) and of the orders.
    keys : int64[candidates, 5]
        The three criteria, tiles, and the place among all candidates.
    least : int
        The least time of all that were looked at: of all candidates, where they are ordered by a time.
    """
    all_groups, all_inner, all_outer, kernel, positions, ifmap_pass = extents
    ifmap_bytes, filter_bytes, result_bytes, psum_bytes = element_bytes
    each, least_fold, beside, accumulated = folds
    again, within = repetitions(orders)
    made_whole = positions * all_outer * all_groups
    window_whole = all_inner * all_outer * kernel * all_groups
    filter_whole = made_whole if reduces_space else window_whole
    result_whole = window_whole if reduces_space else made_whole
    reduction_unit = 1 if reduces_space else kernel
    vectors_whole = all_inner * kernel if reduces_space else positions
    least_outer, least_inner = np.empty(2, np.int64), np.empty(2, np.int64)
    for j in range(2):
        least_outer[j] = outer[:, WORK + j].min() * groups[:, WORK].min() * each
        least_inner[j] = inner[:, WORK + j].min() * least_outer[j]
    upward, charge = criteria[0] == 0, criteria[0] == 3
    by_time, least_group = criteria[0] == 0 or criteria[0] == 3, groups[:, WORK].min()
    found, keys = np.zeros((wanted, 5), np.int64), np.full((wanted, 5), NEVER, np.int64)
    values, key = np.empty(4, np.int64), np.empty(5, np.int64)
    count, least_time = 0, np.int64(NEVER)
    narrowest, least_size = outer[len(outer) - 1, SIZE], groups[len(groups) - 1, SIZE]
    # By time from the smallest tiles up: first loads grow. Else from the largest down: bytes and tiles grow.
    for turn_s in range(len(space)):
        s = len(space) - 1 - turn_s if upward else turn_s
        ifmap_whole = space[s, IFMAP_ALL] * all_inner * all_groups
        least_bytes = ifmap_whole * ifmap_bytes + filter_whole * filter_bytes + result_whole * result_bytes
        longest = min(most_time, keys[wanted - 1, 0]) if by_time else most_time
        if not by_time and least_bytes > keys[wanted - 1, 0]:
            continue
        least = space[s, WORK] * least_inner[0] + space[s, WORK + 1] * least_inner[1] - least_fold
        if max(least, np.int64(least_bytes * channel[0])) > longest:
            continue
        for turn_a in range(len(inner)):
            a = len(inner) - 1 - turn_a if upward else turn_a
            work0, work1 = space[s, WORK] * inner[a, WORK], space[s, WORK + 1] * inner[a, WORK + 1]
            longest = min(longest, keys[wanted - 1, 0]) if by_time else longest
            ifmap, ifmap_first = space[s, IFMAP_MOST] * inner[a, SIZE], space[s, IFMAP_FIRST] * inner[a, SIZE]
            loading = np.int64(ifmap_first * ifmap_bytes * least_size * channel[0])
            least = max(0, work0 * least_outer[0] + work1 * least_outer[1] - least_fold + loading)
            if charge:
                least += (least >> 14) * space[s, TILES] * inner[a, TILES]
            if least > longest:
                continue
            made_each, window_each = space[s, POSITIONS_MOST], inner[a, SIZE] * kernel
            filter_each, result_each = (made_each, window_each) if reduces_space else (window_each, made_each)
            needed_each = filter_each * filter_bytes + result_each * psum_bytes
            if 2 * (ifmap * ifmap_bytes + narrowest * needed_each) > capacity:
                continue
            vectors, reduction = (inner[a], space[s]) if reduces_space else (space[s], inner[a])
            for turn_b in range(len(outer)):
                b = len(outer) - 1 - turn_b if upward else turn_b
                size = outer[b, SIZE]
                needed = 2 * (ifmap * ifmap_bytes + size * needed_each)
                if needed > capacity:
                    continue
                work = (work0 * outer[b, WORK] + work1 * outer[b, WORK + 1]) * each
                longest = min(longest, keys[wanted - 1, 0]) if by_time else longest
                filter_ = size * filter_each
                loading = np.int64((ifmap_first * ifmap_bytes + filter_ * filter_bytes) * least_size * channel[0])
                least = max(0, work * least_group - least_fold + beside + loading)
                if charge:
                    least += (least >> 14) * space[s, TILES] * inner[a, TILES] * outer[b, TILES]
                if least > longest:
                    continue
                columns = outer[b]
                padded = max(0, least_fold - vectors[LAST_FOLD] - reduction[LAST_FOLD] - columns[LAST_FOLD])
                last_result = columns[LAST] * (inner[a, LAST] * kernel if reduces_space else space[s, LAST])
                # what passes between buffer and array
                split = 0
                if streamed == 0:
                    split = vectors[PASSES] * reduction[PASSES] + vectors[PASSES + 1] * reduction[PASSES + 1]
                elif streamed == 2:
                    split = columns[PASSES] * reduction[PASSES] + columns[PASSES + 1] * reduction[PASSES + 1]
                ifmap_through, filter_through = ifmap_pass * columns[PASSES], filter_whole * vectors[PASSES]
                if streamed == 0:
                    filter_through = all_groups * all_outer * reduction_unit * split
                elif streamed == 2:
                    ifmap_through = all_groups * vectors_whole * reduction_unit * split
                blocks = reduction[TILES]
                if not accumulated and streamed != 1:
                    blocks = (reduction[WORK] + reduction[WORK + 1]) * each
                array_side = (
                    ifmap_through * port_bytes[0] + filter_through * port_bytes[1] + result_whole * port_bytes[2]
                    + 2 * result_whole * (blocks - 1) * psum_bytes
                )  # fmt: skip
                sram_side = (
                    ifmap_through * port_bytes[3] + filter_through * port_bytes[4] + result_whole * port_bytes[5]
                )
                no_fewer_bytes = criteria[0] == 1 and least_bytes == keys[wanted - 1, 0]
                if no_fewer_bytes and criteria[1] == 2 and least_bytes + array_side > keys[wanted - 1, 1]:
                    continue
                cut = (vectors[TILES] > 1) | (reduction[TILES] > 1) << 1 | (columns[TILES] > 1) << 2
                tiles_each = vectors[TILES] * reduction[TILES] * columns[TILES]
                least_traffic = NEVER
                for o in range(len(orders)):
                    repeated = again[o, cut]
                    if repeated < 0:
                        continue
                    ifmap_times = columns[TILES] if repeated & 4 else 1
                    filter_times = vectors[TILES] if repeated & 1 else 1
                    result_times = reduction[TILES] if repeated & 2 else 1
                    returns_after = (vectors[TILES] if within[o] & 1 else 1) * (columns[TILES] if within[o] & 4 else 1)
                    # a partial sum must not be asked for before it is stored
                    if result_times > 1 and returns_after < 4:
                        continue
                    loaded = (
                        ifmap_times * ifmap_whole * ifmap_bytes + filter_times * filter_whole * filter_bytes
                        + result_whole * (result_times - 1) * psum_bytes
                    )  # fmt: skip
                    traffic = loaded + result_whole * (result_bytes + (result_times - 1) * psum_bytes)
                    least_traffic = min(least_traffic, traffic)
                    if np.int64(traffic * channel[0]) > longest or (not by_time and traffic > keys[wanted - 1, 0]):
                        continue
                    # a tile that touches padding alone need not load anything
                    loads = space[s, READING] * inner[a, TILES] * columns[TILES]
                    if ifmap_bytes == 0 and filter_bytes == 0:
                        loads = result_times - 1  # partial sums that come back
                    elif filter_bytes == 0:
                        loads = space[s, READING] * inner[a, TILES] * ifmap_times
                    elif ifmap_bytes == 0:
                        loads = reduction[TILES] * columns[TILES] * filter_times
                    stores = vectors[TILES] * columns[TILES] * result_times if result_bytes > 0 else 0
                    busy = max(
                        -(-(traffic + array_side) // ports[0]), -(-sram_side // ports[1])
                    )  # fmt: skip
                    for g in range(len(groups)):
                        many, group_tiles = groups[g, SIZE], groups[g, TILES]
                        if needed * many > capacity:
                            continue
                        store = alone(last_result * groups[g, LAST] * result_bytes, channel)
                        first = many * (ifmap_first * ifmap_bytes + filter_ * filter_bytes)
                        on_array = max(work * groups[g, WORK] - padded + beside, busy)
                        loading = carried(loaded, group_tiles * loads, channel)
                        # Nothing is stored before the first result is made. Its tiles are the largest, so they take at
                        # least the mean of all results; the gap before a tile is not among them.
                        storing = np.int64(0)
                        if stores > 0:
                            results = vectors[TILES] * columns[TILES] * group_tiles
                            made_first = work * groups[g, WORK] // results if result_times == 1 else 0
                            storing = (
                                alone(first, channel)
                                + max(0, made_first - least_fold)
                                + carried(traffic - loaded, group_tiles * stores, channel)
                            )
                        time = max(
                            alone(first, channel) + on_array + store,
                            loading + store,
                            loading + carried(traffic - loaded, group_tiles * stores, channel),
                            storing,
                        )
                        if time > most_time:
                            continue
                        least_time = min(least_time, time)
                        values[0], values[1], values[2] = time, traffic, traffic + array_side
                        values[3] = time + (time >> 14) * group_tiles * tiles_each
                        for place in range(3):
                            key[place] = values[criteria[place]]
                        key[3] = group_tiles * tiles_each
                        key[4] = (((s * len(inner) + a) * len(outer) + b) * len(orders) + o) * len(groups) + g
                        if not before(key, keys[wanted - 1]) or not before(after, key):
                            continue
                        place = min(count, wanted - 1)
                        while place > 0 and before(key, keys[place - 1]):
                            keys[place], found[place] = keys[place - 1], found[place - 1]
                            place -= 1
                        keys[place] = key
                        found[place, 0], found[place, 1], found[place, 2], found[place, 3] = s, g, a, b
                        found[place, 4] = o
                        count = min(count + 1, wanted)
                if not by_time and least_traffic > keys[wanted - 1, 0]:
                    break  # smaller pieces of the columns never move less
    return found[:count], keys[:count], least_time


@njit(cache=True)
def repetitions(orders: Integers) -> tuple[Integers, Integers]:
    """Return which operands each order loads again, by the axes that are cut, and the axes inside the reduction's loop.

    An operand is loaded again for each turn of a loop that it does not span, if one that it does span turns inside. The
    bits: 1 the filter, 2 the result (partial sums), 4 the ifmap; -1: as an order before.
    """
    again, within = np.zeros((len(orders), 8), np.int64), np.zeros(len(orders), np.int64)
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
                # where partial sums return, orders differ in how soon
                if again[o, cut] == again[earlier, cut] and not again[o, cut] & 2:
                    again[o, cut] = -1
                    break
    return again, within


@njit(cache=True)
def before(one: Integers, other: Integers) -> bool:
    """Whether a key comes before another."""
    for place in range(len(one)):
        if one[place] != other[place]:
            return one[place] < other[place]
    return False


@njit(cache=True)
def carried(moved_bytes: int, transfers: int, channel: NDArray[np.float64]) -> np.int64:
    """Return the least cycles of the channel for so many transfers of so many bytes in all."""
    return np.int64(np.ceil(moved_bytes * channel[0])) + transfers * np.int64(channel[1])


@njit(cache=True)
def alone(moved_bytes: int, channel: NDArray[np.float64]) -> np.int64:
    """Return the least cycles of one transfer."""
    return carried(moved_bytes, 1, channel) if moved_bytes > 0 else np.int64(0)


@njit(cache=True)
def smallest_tile(
    space: Integers, inner: Integers, outer: Integers, kernel: int, reduces_space: bool, element_bytes: Integers
) -> int:
    """Return the bytes of buffer that the smallest tile needs."""
    smallest = NEVER
    for s in range(len(space)):
        for a in range(len(inner)):
            for b in range(len(outer)):
                made, window = space[s, POSITIONS_MOST] * outer[b, SIZE], inner[a, SIZE] * outer[b, SIZE] * kernel
                filter_, result = (made, window) if reduces_space else (window, made)
                ifmap = space[s, IFMAP_MOST] * inner[a, SIZE]
                needed = ifmap * element_bytes[0] + filter_ * element_bytes[1] + result * element_bytes[3]
                smallest = min(smallest, 2 * needed)
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
    found = np.zeros((rows, 4), np.int64)
    for size in range(1, rows + 1):
        counts = np.zeros(-(-rows // size), np.int64)
        for i in range(len(ifmap_rows)):
            tile = output_rows[i] // size
            if i == 0 or ifmap_rows[i] != ifmap_rows[i - 1] or output_rows[i - 1] // size != tile:
                counts[tile] += 1
        found[size - 1, 0], found[size - 1, 1], found[size - 1, 2] = counts.sum(), counts.max(), counts[0]
        found[size - 1, 3] = (counts > 0).sum()
    return found
