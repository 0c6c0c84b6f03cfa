"""The search behind `dataflows.plans.tiling`: every cut and every order of loops, in integers."""

import numpy as np
from numba import njit

from dataflows.plans.plan import Integers


@njit(cache=True)
def search(
    space: Integers, groups: Integers, inner: Integers, outer: Integers, extents: Integers, reduces_space: bool,
    element_bytes: Integers, limits: Integers, orders: Integers,
) -> tuple[Integers, np.int64]:  # fmt: skip
    """Return the best candidate of each axis and the order, or -1 and the bytes that the smallest tile needs.

    Parameters
    ----------
    space : [candidates, 5]
        Tiles, image words of the largest tile and of all, positions of the largest tile, work.
    groups, inner, outer : [candidates, 2]
        Tile size and work; outer sizes must fall.
    extents : groups, inner, outer, kernel, positions
        Of the whole product.
    reduces_space : bool
        Whether the reduction runs over the spatial axis (wgrad).
    element_bytes : image, filter, result, partial sum
        What tiles move; 0 for what lies on the chip.
    limits : capacity, overhead of a tile in bytes, cycles of a step of work, DRAM cycles of a MiB, slack in percent
        A slack below zero sets no limit on time.
    orders : [candidates, 3]
        Axes (0 moving, 1 reduction, 2 columns) from the outermost loop to the innermost.
    """
    never = np.int64(1) << 62
    all_groups, all_inner, all_outer, kernel, positions = extents
    image_bytes, filter_bytes, result_bytes, sum_bytes = element_bytes
    capacity, overhead, step_cycles, mebibyte_cycles, slack = limits
    best = np.full(5, -1, np.int64)
    best_traffic = best_work = best_exposed = least_time = never
    group_tiles, inner_tiles, outer_tiles = (
        -(-all_groups // groups[:, 0]), -(-all_inner // inner[:, 0]), -(-all_outer // outer[:, 0])
    )  # fmt: skip
    least_group = groups[:, 1].min()
    least_outer = outer[:, 1].min() * least_group * step_cycles
    least_inner = inner[:, 1].min() * least_outer
    made_whole = positions * all_outer * all_groups
    window_whole = all_inner * all_outer * kernel * all_groups
    filter_whole = made_whole if reduces_space else window_whole
    result_whole = window_whole if reduces_space else made_whole
    # An operand is loaded again for each turn of a loop that it does not span, if one that it does span turns inside.
    # again[order, which axes are cut]: 1 the filter, 2 the result (partial sums), 4 the image; -1: as an order before.
    again = np.zeros((len(orders), 8), np.int64)
    within = np.zeros(len(orders), np.int64)  # the axes inside the reduction's loop
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
            for before in range(o):
                # where partial sums return, orders differ in how soon
                if again[o, cut] == again[before, cut] and not again[o, cut] & 2:
                    again[o, cut] = -1
                    break
    # Once for the least time, where it matters, then for the fewest bytes that take little longer.
    for turn in range(0 if slack >= 0 else 1, 2):
        limit = never
        if turn == 1 and slack >= 0 and least_time < never:
            limit = least_time + least_time * slack // 100
        for s in range(len(space)):
            space_tiles, image_most, image_all, positions_most, space_work = space[s]
            image_whole = image_all * all_inner * all_groups
            least = image_whole * image_bytes + filter_whole * filter_bytes + result_whole * result_bytes
            if turn == 0:
                if max(space_work * least_inner, (least >> 10) * mebibyte_cycles >> 10) >= least_time:
                    continue
            elif least > best_traffic or space_work * least_inner > limit:
                continue
            for a in range(len(inner)):
                inner_size, inner_work = inner[a]
                if space_work * inner_work * least_outer > (least_time if turn == 0 else limit):
                    continue
                moving = inner_tiles[a] if reduces_space else space_tiles
                reduction = space_tiles if reduces_space else inner_tiles[a]
                image = image_most * inner_size
                for b in range(len(outer)):
                    outer_size, outer_work = outer[b]
                    columns = outer_tiles[b]
                    made, window = positions_most * outer_size, inner_size * outer_size * kernel
                    filter_, result = (made, window) if reduces_space else (window, made)
                    needed = 2 * (image * image_bytes + filter_ * filter_bytes + result * sum_bytes)
                    if needed > capacity:
                        continue
                    group_work = never
                    for g in range(len(groups)):
                        if needed * groups[g, 0] <= capacity:
                            group_work = min(group_work, groups[g, 1])
                    work_time = space_work * inner_work * outer_work * group_work * step_cycles
                    if work_time > limit or (turn == 0 and work_time >= least_time):
                        continue
                    least = never
                    cut = (moving > 1) | (reduction > 1) << 1 | (columns > 1) << 2
                    for o in range(len(orders)):
                        repeated = again[o, cut]
                        if repeated < 0:
                            continue
                        image_times = columns if repeated & 4 else 1
                        filter_times = moving if repeated & 1 else 1
                        result_times = reduction if repeated & 2 else 1
                        returns_after = (moving if within[o] & 1 else 1) * (columns if within[o] & 4 else 1)
                        traffic = (
                            image_times * image_whole * image_bytes + filter_times * filter_whole * filter_bytes
                            + result_whole * (result_bytes + 2 * (result_times - 1) * sum_bytes)
                        )  # fmt: skip
                        least = min(least, traffic)
                        # a partial sum must not be asked for before it is stored
                        if traffic > best_traffic or (result_times > 1 and returns_after < 4):
                            continue
                        if turn == 0:
                            least_time = min(least_time, max(work_time, (traffic >> 10) * mebibyte_cycles >> 10))
                            continue
                        for g in range(len(groups)):
                            group_size, group_work = groups[g]
                            work = space_work * inner_work * outer_work * group_work
                            if needed * group_size > capacity or (limit < never and work * step_cycles > limit):
                                continue
                            exposed = (
                                group_size * (image * image_bytes + filter_ * filter_bytes + result * result_bytes)
                                + overhead * group_tiles[g] * moving * reduction * columns
                            )  # fmt: skip
                            if traffic < best_traffic or (
                                work < best_work or (work == best_work and exposed < best_exposed)
                            ):
                                best_traffic, best_work, best_exposed = traffic, work, exposed
                                best[0], best[1], best[2], best[3], best[4] = s, g, a, b, o
                    if least > best_traffic:
                        break  # smaller pieces of the outer axis never move less
    smallest = never
    if best[0] < 0:  # then the caller says what would have been needed
        for s in range(len(space)):
            for a in range(len(inner)):
                for b in range(len(outer)):
                    made, window = space[s, 3] * outer[b, 0], inner[a, 0] * outer[b, 0] * kernel
                    filter_, result = (made, window) if reduces_space else (window, made)
                    image = space[s, 1] * inner[a, 0]
                    needed = 2 * (image * image_bytes + filter_ * filter_bytes + result * sum_bytes)
                    smallest = min(smallest, needed)
    return best, smallest


@njit(cache=True)
def swept_rows(image_rows: Integers, sweep_rows: Integers, rows: int) -> Integers:
    """Return, for cuts of `rows` into tiles of 1, 2, ... rows, the image rows that all tiles and the largest tile read.

    Parameters
    ----------
    image_rows, sweep_rows : [meetings]
        Which image row meets which row of the sweep, sorted by image row and then by the sweep's.
    """
    found = np.zeros((rows, 2), np.int64)
    for size in range(1, rows + 1):
        counts = np.zeros(-(-rows // size), np.int64)
        for i in range(len(image_rows)):
            tile = sweep_rows[i] // size
            if i == 0 or image_rows[i] != image_rows[i - 1] or sweep_rows[i - 1] // size != tile:
                counts[tile] += 1
        found[size - 1, 0], found[size - 1, 1] = counts.sum(), counts.max()
    return found
