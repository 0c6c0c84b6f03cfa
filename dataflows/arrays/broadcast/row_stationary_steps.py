"""Row-stationary array: every register in every cycle (docs/microarchitecture.md)."""

from typing import Any

import numpy as np
from numba import njit

from dataflows.plans.plan import Integers

# What the controller says in a cycle; the PE at place l follows it l cycles later.
_LOAD_FOLD, _LOAD_CYCLE = 0, 1
_ENTER, _STEP, _ADD = 2, 7, 8  # an entering position and an added one: fold, image, strip, column, column before
_NOTHING = -1


@njit(cache=True)
def run_row_stationary(
    image: Any, filters: Any, out_rows: int, out_columns: int, sliding: Integers, array: Integers, pads: Integers,
    mapping: Integers, dump: Any,
) -> tuple[Any, Integers]:  # fmt: skip
    """Step a job.

    Parameters
    ----------
    image : [groups, images, channels, height, width]
    filters : [groups, filters, channels, filter_rows, filter_columns]
    out_rows, out_columns : int
        Extent of the result.
    sliding : sy, sx, dy, dx
    array : rows, columns, words a cycle of the filter, image and output port
    pads : words of the filter, input and partial-sum scratchpad
    mapping : h, w, q, p, r, e, t, d
    dump : [cycles, registers]
        Gets the registers after each of the first cycles: filter, input, psum, product, chain, sum.

    Returns
    -------
    result : [groups, images, filters, out_rows, out_columns]
    numbers : cycles, MACs, image words, filter words, sums, partial sums read, scratchpad reads and writes
    """
    groups, images, channels = image.shape[:3]
    count_m, filter_rows, filter_columns = filters.shape[1], filters.shape[3], filters.shape[4]
    sy, sx, dy, dx = sliding
    rows, columns, filter_port, image_port, output_port = array
    h, w, q, p, r, e, t, d = mapping
    places, window = h * r, q * w
    steps, chains = window * p, e * t * d
    words_a_place = d * t * p * window
    divisor, rest = dx, sx
    while rest:
        divisor, rest = rest, divisor % rest
    classes, moved = dx // divisor, sx // divisor
    runs, strips = min(classes, out_columns), -(-out_rows // e)
    blocks_j, blocks_i = -(-filter_columns // w), -(-filter_rows // h)
    blocks_b, blocks_m, blocks_g = -(-channels // (r * q)), -(-count_m // (t * p)), -(-groups // d)
    fold_count = blocks_g * blocks_m * blocks_b * blocks_i * blocks_j
    seen = np.zeros(image.shape[3] + h * dy + e * sy + 1, np.bool_)
    for y in range(e):
        for i in range(h):
            seen[y * sy + i * dy] = True
    words_a_grid_point = seen.sum() * r * q * d  # a column of all windows that enter together

    dtype = image.dtype
    weight = np.zeros((rows, columns, pads[0]), dtype)
    inputs = np.zeros((rows, columns, pads[1]), dtype)
    psum = np.zeros((rows, columns, pads[2]), dtype)
    product, chain, sums = (
        np.zeros((rows, columns), dtype), np.zeros((rows, columns), dtype), np.zeros((rows, columns), dtype)
    )  # fmt: skip
    result = np.zeros((groups, images, count_m, out_rows, out_columns), dtype)
    numbers = np.zeros(8, np.int64)

    said = np.full((places + 1, 14), _NOTHING, np.int64)
    fold = image_index = strip = run = 0
    column, column_before = 0, _NOTHING  # the next position to enter
    arrived, since_enter = 0, 1 << 40
    loading_fold, loading_cycle, loaded = 0, 0, _NOTHING
    step, in_fold = _NOTHING, np.full(5, _NOTHING, np.int64)  # the position in the PEs
    multiplied = in_fold.copy()  # the position of a cycle ago
    finished, last_write, cycle = False, _NOTHING, 0
    while not finished:
        now = said[cycle % (places + 1)]
        # what is added was multiplied in the cycle before
        before = said[(cycle - 1) % (places + 1)]
        now[_ADD] = before[_STEP] if cycle > 0 else _NOTHING
        now[_ADD + 1 : _ADD + 6] = multiplied
        multiplied[:] = in_fold
        # multiply
        now[_STEP] = step
        last_step = step == steps - 1
        if step >= 0:
            step = step + 1 if not last_step else _NOTHING
        # load
        now[_LOAD_FOLD] = _NOTHING
        if loading_fold >= 0:
            now[_LOAD_FOLD], now[_LOAD_CYCLE] = loading_fold, loading_cycle
            loading_cycle += 1
            if loading_cycle * filter_port >= places * words_a_place:
                loaded, loading_fold = loading_fold, _NOTHING
        if last_step and in_fold[0] >= 0 and in_fold[0] < fold and fold < fold_count:
            loading_fold, loading_cycle = fold, 0  # from the next cycle on
        # enter
        now[_ENTER] = _NOTHING
        arrived += image_port
        since_enter += 1
        if fold < fold_count and step == _NOTHING and loaded == fold:
            window_columns = w if column_before == _NOTHING else min(w, moved)
            if arrived >= words_a_grid_point * window_columns and since_enter * output_port >= chains * p:
                now[_ENTER], now[_ENTER + 1], now[_ENTER + 2] = fold, image_index, strip
                now[_ENTER + 3], now[_ENTER + 4] = column, column_before
                in_fold[:] = now[_ENTER : _ENTER + 5]
                step, arrived, since_enter = 0, 0, 0
                column_before, column = column, column + classes
                if column >= out_columns:
                    run += 1
                    column, column_before = run, _NOTHING
                    if run == runs:
                        run, column, strip = 0, 0, strip + 1
                        if strip == strips:
                            strip, image_index = 0, image_index + 1
                            if image_index == images:
                                image_index, fold = 0, fold + 1

        # accumulate: what the last place added a cycle ago
        told = said[(cycle - places) % (places + 1)]
        if cycle >= places and told[_ADD] >= 0 and told[_ADD] // p == window - 1:
            of = told[_ADD + 1]
            block_j, of = of % blocks_j, of // blocks_j
            block_i, of = of % blocks_i, of // blocks_i
            block_b, of = of % blocks_b, of // blocks_b
            first = block_j == 0 and block_i == 0 and block_b == 0
            f = told[_ADD] % p
            for z in range(chains):
                group = of // blocks_m * d + z // (e * t)
                m = of % blocks_m * t * p + z // e % t * p + f
                y, x = told[_ADD + 3] * e + z % e, told[_ADD + 4]
                above = (z // columns * places) + places - 1
                value = chain[above, z % columns]
                if group < groups and m < count_m and y < out_rows:
                    if not first:
                        value += result[group, told[_ADD + 2], m, y, x]
                        numbers[5] += 1
                    result[group, told[_ADD + 2], m, y, x] = value
                    numbers[4] += 1
                sums[z // columns, z % columns] = value
            last_write = cycle
            finished = (
                told[_ADD] == steps - 1 and told[_ADD + 1] == fold_count - 1 and told[_ADD + 2] == images - 1
                and told[_ADD + 3] == strips - 1 and told[_ADD + 4] + classes >= out_columns
                and told[_ADD + 4] % classes == runs - 1
            )  # fmt: skip
        for place in range(places - 1, -1, -1):
            if cycle < place:
                continue
            told = said[(cycle - place) % (places + 1)]
            i_in_set, part = place % h, place // h
            # add
            if told[_ADD] >= 0:
                k, f = told[_ADD] // p, told[_ADD] % p
                of = told[_ADD + 1]
                j = of % blocks_j * w + k % w
                i = of // blocks_j % blocks_i * h + i_in_set
                rest = of // blocks_j // blocks_i
                b = rest % blocks_b * r * q + part * q
                real_rest = i < filter_rows and b < channels
                real_word = real_rest and j < filter_columns and b + k // w < channels
                for z in range(chains):
                    row, c = z // columns * places + place, z % columns
                    value = product[row, c]
                    if k > 0:
                        value += psum[row, c, f]
                    if k < window - 1:
                        psum[row, c, f] = value
                    else:
                        if place > 0:
                            value += chain[row - 1, c]
                        chain[row, c] = value
                    if (
                        real_word
                        and rest // blocks_b // blocks_m * d + z // (e * t) < groups
                        and rest // blocks_b % blocks_m * t * p + z // e % t * p + f < count_m
                        and told[_ADD + 3] * e + z % e < out_rows
                    ):
                        numbers[1] += 1
                        numbers[6] += 2 + (k > 0)  # filter, input, and the partial sum but for the first term
                        numbers[7] += k > 0  # every term but one leaves a partial sum behind
            # multiply
            if told[_STEP] >= 0:
                k, f = told[_STEP] // p, told[_STEP] % p
                for z in range(chains):
                    row, c = z // columns * places + place, z % columns
                    product[row, c] = inputs[row, c, k] * weight[row, c, f * window + k]
            # enter
            if told[_ENTER] >= 0:
                of, a = told[_ENTER], told[_ENTER + 1]
                block_j, of = of % blocks_j, of // blocks_j
                block_i, of = of % blocks_i, of // blocks_i
                block_b, of = of % blocks_b, of // blocks_b
                i = block_i * h + i_in_set
                x, x_before = told[_ENTER + 3], told[_ENTER + 4]
                for z in range(chains):
                    row, c = z // columns * places + place, z % columns
                    group = of // blocks_m * d + z // (e * t)
                    y = told[_ENTER + 2] * e + z % e
                    real_set = of % blocks_m * t * p + z // e % t * p < count_m
                    for k in range(window):
                        b, j = block_b * r * q + part * q + k // w, block_j * w + k % w
                        inputs[row, c, k] = 0
                        if group < groups and b < channels and j < filter_columns and i < filter_rows and y < out_rows:
                            inputs[row, c, k] = image[group, a, b, y * sy + i * dy, x * sx + j * dx]
                            numbers[7] += real_set and _is_new(x, x_before, j, block_j * w, sx, dx, min(
                                w, filter_columns - block_j * w))  # fmt: skip
                if place == 0:
                    seen[:] = False
                    for y in range(told[_ENTER + 2] * e, min(told[_ENTER + 2] * e + e, out_rows)):
                        for i in range(block_i * h, min(block_i * h + h, filter_rows)):
                            seen[y * sy + i * dy] = True
                    new, width = 0, min(w, filter_columns - block_j * w)
                    for j in range(block_j * w, block_j * w + width):
                        new += _is_new(x, x_before, j, block_j * w, sx, dx, width)
                    real_channels = min(r * q, channels - block_b * r * q)
                    numbers[2] += seen.sum() * new * real_channels * min(d, groups - of // blocks_m * d)
            # load
            if told[_LOAD_FOLD] >= 0:
                of = told[_LOAD_FOLD]
                block_j, of = of % blocks_j, of // blocks_j
                block_i, of = of % blocks_i, of // blocks_i
                block_b, of = of % blocks_b, of // blocks_b
                start = max(told[_LOAD_CYCLE] * filter_port, place * words_a_place)
                end = min((told[_LOAD_CYCLE] + 1) * filter_port, (place + 1) * words_a_place)
                for word in range(start, end):
                    k = word % window
                    f = word // window % p
                    one_set = word // window // p % t
                    one_group = word // window // p // t % d
                    group, m = of // blocks_m * d + one_group, of % blocks_m * t * p + one_set * p + f
                    b, i = block_b * r * q + part * q + k // w, block_i * h + i_in_set
                    j = block_j * w + k % w
                    real = group < groups and m < count_m and b < channels and i < filter_rows and j < filter_columns
                    numbers[3] += real
                    for y in range(e):
                        z = (one_group * t + one_set) * e + y
                        row, c = z // columns * places + place, z % columns
                        weight[row, c, f * window + k] = filters[group, m, b, i, j] if real else 0
                        numbers[7] += real and y < out_rows
        if cycle < len(dump):
            at = 0
            for pad in (weight, inputs, psum):
                dump[cycle, at : at + pad.size] = pad.ravel()
                at += pad.size
            for plane in (product, chain, sums):
                dump[cycle, at : at + plane.size] = plane.ravel()
                at += plane.size
        cycle += 1
    numbers[0] = last_write + 1
    return result, numbers


@njit(cache=True)
def _is_new(x: int, x_before: int, j: int, first: int, sx: int, dx: int, width: int) -> bool:
    """Whether the window's word in filter column j was not in the window before (docs: new ones come over the port)."""
    if x_before < 0:
        return True
    for one in range(first, first + width):  # noqa: SIM110 - numba knows no generators
        if x * sx + j * dx == x_before * sx + one * dx:
            return False
    return True
