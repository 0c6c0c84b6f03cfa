"""The search behind `dataflows.plans.tiling`: every cut and every order of loops, in integers.

Of each candidate it knows the DRAM bytes, bounds from below for the time and the bytes through the buffer, and the
number of tiles. It lists candidates in the order of these; `dataflows.plans.tiling_time` knows the time itself.
"""

# numba infers the types inside the kernel; numpy's stubs do not follow its scalars.
# mypy: disable-error-code="call-overload,arg-type"

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from dataflows.plans import array_side, candidate_heap, cut_tables
from dataflows.plans.array_side import array_side_words, cut_at
from dataflows.plans.candidate_heap import before, keep
from dataflows.plans.cut_tables import (
    AxisCuts,
    Cut,
    Extents,
    Folds,
    MemoryBytes,
    MemoryWidths,
    SpaceCuts,
    StreamBytes,
)
from dataflows.plans.transfers import Integers
from workloads.foundation.kernel_sources import sources_of

NEVER = 1 << 62
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


@njit
def repetitions(orders: Integers) -> tuple[Integers, Integers]:
    """Return which operands each order loads again, by the axes that are cut, and the axes inside the reduction's loop.

    An operand is loaded again for each turn of a loop that it does not span, if one that it does span turns inside. The
    bits: 1 the filter, 2 the result (psums), 4 the ifmap; -1: as an order before.
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
                # where psums return, orders differ in how soon
                if again[o, cut] == again[earlier, cut] and not again[o, cut] & 2:
                    again[o, cut] = -1
                    break
    return again, within


@njit
def carried(moved_bytes: int, transfers: int, channel: NDArray[np.float64]) -> np.int64:
    """Return the least cycles of the channel for so many transfers of so many bytes in all."""
    return np.int64(np.ceil(moved_bytes * channel[0])) + transfers * np.int64(channel[1])


@njit
def alone(moved_bytes: int, channel: NDArray[np.float64]) -> np.int64:
    """Return the least cycles of one transfer."""
    return carried(moved_bytes, 1, channel) if moved_bytes > 0 else np.int64(0)


@njit
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


@njit
def time_bound(
    group: Cut, work: int, busy: int, last_result: int, results: int, tile: Tile, moves: OrderTraffic, folds: Folds,
    padded: int, stream: StreamBytes, channel: NDArray[np.float64],
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
    store = alone(last_result * group.last * stream.result, channel)
    first = alone(group.size * (tile.ifmap_first + tile.filter), channel)
    on_array = max(work * group.work_one - padded + folds.beside, busy)
    loading = carried(moves.loaded, group.tiles * moves.loads, channel)
    storing = carried(moves.moved - moves.loaded, group.tiles * moves.stores, channel)
    # Nothing is stored before the first result is made. Its tiles are the largest, so they take at least the mean of
    # all results; the gap before a tile is not among them.
    first_result = np.int64(0)
    if moves.stores > 0:
        made = 0 if moves.spills else work * group.work_one // (results * group.tiles)
        first_result = first + max(0, made - folds.least_cycles - folds.gap_cycles) + storing
    return max(first + on_array + store, loading + store, loading + storing, first_result)


def _kernel(sources: int) -> Callable[..., Any]:
    @njit(cache=True)
    def search(
        space: AxisCuts, space_more: SpaceCuts, groups: AxisCuts, channels: AxisCuts, filters: AxisCuts,
        extents: Extents, folds: Folds, ifmap_pass: int, stream: StreamBytes, buffer: MemoryBytes, sram: MemoryBytes,
        widths: MemoryWidths, capacity: int, channel: NDArray[np.float64], orders: Integers,
        criteria: tuple[int, int, int], most_time: int, after: Integers, wanted: int,
    ) -> tuple[Integers, Integers, np.int64]:  # fmt: skip
        """Return the first `wanted` candidates in an order, and their keys.

        Parameters
        ----------
        space, space_more, groups, channels, filters : AxisCuts, SpaceCuts
            Cuts of each axis, largest tile first.
        ifmap_pass : int
            Words that one pass over the ifmap brings to the array.
        capacity : int
            Bytes of buffer for tiles.
        channel : cycles of a byte, cycles of a transfer
            Bounds from below.
        orders : int64[candidates, 3]
            Axes from the outermost loop to the innermost.
        criteria : (int, int, int)
            What candidates are ordered by: 0 time, 1 DRAM bytes, 2 buffer bytes, 3 time with a charge for each tile.
            Then by the number of tiles.
        most_time : int
            Candidates whose time is above it for certain are left out.
        after : int64[5]
            The key after which the list begins.

        Returns
        -------
        found : int64[candidates, 5]
            Rows of the tables (space, groups, channels, filters) and of the orders.
        keys : int64[candidates, 5]
            The three criteria, tiles, and the place among all candidates.
        least : int
            The least time of all that were looked at: of all candidates, where they are ordered by a time.
        """
        found, keys = np.zeros((wanted, 5), np.int64), np.full((wanted, 5), NEVER, np.int64)
        if sources == 0:  # never; numba's cache follows what a function closes over
            return found, keys, np.int64(0)
        again, within = repetitions(orders)
        positions = extents.images * extents.rows * extents.row_positions
        made = positions * extents.filters * extents.groups
        weights = extents.channels * extents.filters * extents.kernel * extents.groups
        words = Words(made, weights) if extents.reduces_space else Words(weights, made)
        least_fold, beside = folds.least_cycles, folds.beside
        least_group, least_size = groups.work_one.min(), groups.size[len(groups.size) - 1]
        narrowest = filters.size[len(filters.size) - 1]
        least_filters_one = filters.work_one.min() * least_group * folds.each
        least_filters_more = filters.work_more.min() * least_group * folds.each
        least_channels_one = channels.work_one.min() * least_filters_one
        least_channels_more = channels.work_more.min() * least_filters_more
        upward, charge = criteria[0] == TIME, criteria[0] == TIME_WITH_CHARGE
        by_time = upward or charge
        values, key = np.empty(4, np.int64), np.empty(5, np.int64)
        count, least_time = np.int64(0), np.int64(NEVER)  # as literals they would have functions of their own
        # By time from the smallest tiles up: first loads grow. Else from the largest down: bytes and tiles grow.
        for turn_s in range(len(space.size)):
            s = len(space.size) - 1 - turn_s if upward else turn_s
            in_space = cut_at(space, s)
            ifmap_words = space_more.ifmap_all[s] * extents.channels * extents.groups
            least_bytes = ifmap_words * stream.ifmap + words.filter * stream.filter + words.result * stream.result
            worst = keys[0, 0] if count == wanted else NEVER
            longest = min(most_time, worst) if by_time else most_time
            if not by_time and least_bytes > worst:
                continue
            least = in_space.work_one * least_channels_one + in_space.work_more * least_channels_more - least_fold
            if max(least, np.int64(least_bytes * channel[0])) > longest:
                continue
            for turn_a in range(len(channels.size)):
                a = len(channels.size) - 1 - turn_a if upward else turn_a
                in_channels = cut_at(channels, a)
                work_one = in_space.work_one * in_channels.work_one
                work_more = in_space.work_more * in_channels.work_more
                if by_time and count == wanted:
                    longest = min(longest, keys[0, 0])
                ifmap = space_more.ifmap_most[s] * in_channels.size
                ifmap_first = space_more.ifmap_first[s] * in_channels.size * stream.ifmap
                loading = np.int64(ifmap_first * least_size * channel[0])
                least = max(0, work_one * least_filters_one + work_more * least_filters_more - least_fold + loading)
                if charge:
                    least += (least >> 14) * in_space.tiles * in_channels.tiles
                if least > longest:
                    continue
                made_each, weights_each = space_more.positions_most[s], in_channels.size * extents.kernel
                filter_each, result_each = (
                    (made_each, weights_each) if extents.reduces_space else (weights_each, made_each)
                )
                needed_each = filter_each * stream.filter + result_each * stream.psum
                if 2 * (ifmap * stream.ifmap + narrowest * needed_each) > capacity:
                    continue
                vectors, reduction = (in_channels, in_space) if extents.reduces_space else (in_space, in_channels)
                for turn_b in range(len(filters.size)):
                    b = len(filters.size) - 1 - turn_b if upward else turn_b
                    columns = cut_at(filters, b)
                    held = 2 * (ifmap * stream.ifmap + columns.size * needed_each)
                    if held > capacity:
                        continue
                    work = (work_one * columns.work_one + work_more * columns.work_more) * folds.each
                    if by_time and count == wanted:
                        longest = min(longest, keys[0, 0])
                    tile = Tile(ifmap_first, columns.size * filter_each * stream.filter, held)
                    loading = np.int64((tile.ifmap_first + tile.filter) * least_size * channel[0])
                    least = max(0, work * least_group - least_fold + beside + loading)
                    if charge:
                        least += (least >> 14) * in_space.tiles * in_channels.tiles * columns.tiles
                    if least > longest:
                        continue
                    padded = max(0, least_fold - vectors.last_fold - reduction.last_fold - columns.last_fold)
                    last_result = columns.last * (
                        in_channels.last * extents.kernel if extents.reduces_space else in_space.last
                    )
                    ifmap_through, filter_through, psums = array_side_words(
                        extents, folds, ifmap_pass, vectors, reduction, columns
                    )
                    array_side = (
                        ifmap_through * buffer.ifmap + filter_through * buffer.filter + words.result * buffer.result
                        + psums * stream.psum
                    )  # fmt: skip
                    sram_side = ifmap_through * sram.ifmap + filter_through * sram.filter + words.result * sram.result
                    worst = keys[0, 0] if count == wanted else NEVER
                    second = keys[0, 1] if count == wanted else NEVER
                    no_fewer_bytes = criteria[0] == DRAM_BYTES and least_bytes == worst
                    if no_fewer_bytes and criteria[1] == BUFFER_BYTES and least_bytes + array_side > second:
                        continue
                    cut = (vectors.tiles > 1) | (reduction.tiles > 1) << 1 | (columns.tiles > 1) << 2
                    tiles_each = vectors.tiles * reduction.tiles * columns.tiles
                    least_traffic = NEVER
                    for o in range(len(orders)):
                        if again[o, cut] < 0:
                            continue
                        moves = order_traffic(
                            again[o, cut], within[o], words, ifmap_words, space_more.reading[s], stream, vectors,
                            reduction, columns, in_channels.tiles,
                        )  # fmt: skip
                        if moves.loaded < 0:
                            continue
                        worst = keys[0, 0] if count == wanted else NEVER
                        least_traffic = min(least_traffic, moves.moved)
                        if np.int64(moves.moved * channel[0]) > longest or (not by_time and moves.moved > worst):
                            continue
                        busy = max(-(-(moves.moved + array_side) // widths.buffer),
                                   -(-sram_side // widths.predictor_sram))  # fmt: skip
                        for g in range(len(groups.size)):
                            group = cut_at(groups, g)
                            if held * group.size > capacity:
                                continue
                            time = time_bound(
                                group, work, busy, last_result, vectors.tiles * columns.tiles, tile, moves, folds,
                                padded, stream, channel,
                            )  # fmt: skip
                            if time > most_time:
                                continue
                            least_time = min(least_time, time)
                            values[0], values[1], values[2] = time, moves.moved, moves.moved + array_side
                            values[3] = time + (time >> 14) * group.tiles * tiles_each
                            for place in range(3):
                                key[place] = values[criteria[place]]
                            key[3] = group.tiles * tiles_each
                            key[4] = s * len(channels.size) + a
                            key[4] = (key[4] * len(filters.size) + b) * len(orders) + o
                            key[4] = key[4] * len(groups.size) + g
                            if count == wanted and not before(key, keys[0]):
                                continue
                            if before(after, key):
                                count = keep(keys, found, count, key, (s, g, a, b, o))
                    if not by_time and least_traffic > (keys[0, 0] if count == wanted else NEVER):
                        break  # smaller pieces of the columns never move less
        return found[:count], keys[:count], least_time

    return search


search = _kernel(sources_of(cut_tables, array_side, candidate_heap))


def _array_side_kernel(sources: int) -> Callable[..., Any]:
    @njit(cache=True)
    def array_side_of(
        extents: Extents, folds: Folds, ifmap_pass: int, space: AxisCuts, channels: AxisCuts, filters: AxisCuts,
        row: Integers,
    ) -> tuple[int, int, int]:  # fmt: skip
        """Return what `array_side_words` does of a row that `search` has found."""
        if sources == 0:  # never; numba's cache follows what a function closes over
            return 0, 0, 0
        vectors, reduction = cut_at(space, row[0]), cut_at(channels, row[2])
        if extents.reduces_space:
            vectors, reduction = reduction, vectors
        return array_side_words(extents, folds, ifmap_pass, vectors, reduction, cut_at(filters, row[3]))

    return array_side_of


array_side_of = _array_side_kernel(sources_of(cut_tables, array_side))
