"""Row-stationary array: every register in every cycle (docs/microarchitecture.md)."""

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from dataflows.integers import Integers

# What the controller says in a cycle; the PE at place l follows it l cycles later.
_LOAD_FOLD, _LOAD_CYCLE = 0, 1
_ENTER, _STEP, _ADD = 2, 7, 8  # an entering position and an added one: fold, image, strip, column, column before
_NOTHING = -1
# Places in `numbers`.
_CYCLES, _MACS, _IMAGE_WORDS, _FILTER_WORDS, _SUMS, _SUMS_READ, _FIRST_TERMS = range(7)
_FILTER, _INPUT, _PSUM, _PRODUCT, _CHAIN, _SUM = range(7, 13)  # writes


class _Job(NamedTuple):
    """A job on a mapped array; letters as on the page, and of each loop its extent and its blocks."""

    groups: int
    channels: int
    filters: int
    filter_rows: int
    filter_columns: int
    out_rows: int
    sy: int
    sx: int
    dy: int
    dx: int
    columns: int
    filter_port: int
    h: int
    w: int
    q: int
    p: int
    r: int
    e: int
    t: int
    d: int
    filter_blocks: int
    channel_blocks: int
    row_blocks: int
    column_blocks: int


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
    numbers : int64[13]
        Cycles, MACs, image words, filter words, sums, psums read, MACs that read no psum, real words and psums written
        to `filter`, `input` and `psum`, and what is written to `product`, `chain` and `sum`.
    """
    groups, images, channels = image.shape[:3]
    count_m, filter_rows, filter_columns = filters.shape[1], filters.shape[3], filters.shape[4]
    sy, sx, dy, dx = sliding
    rows, columns, filter_port, image_port, output_port = array
    h, w, q, p, r, e, t, d = mapping
    places, window = h * r, q * w
    steps, chains = window * p, e * t * d
    divisor, rest = dx, sx
    while rest:
        divisor, rest = rest, divisor % rest
    classes, moved = dx // divisor, sx // divisor
    runs, strips = min(classes, out_columns), -(-out_rows // e)
    job = _Job(
        groups, channels, count_m, filter_rows, filter_columns, out_rows, sy, sx, dy, dx, columns, filter_port,
        h, w, q, p, r, e, t, d,
        -(-count_m // (t * p)), -(-channels // (r * q)), -(-filter_rows // h), -(-filter_columns // w),
    )  # fmt: skip
    fold_count = -(-groups // d) * job.filter_blocks * job.channel_blocks * job.row_blocks * job.column_blocks
    seen = np.zeros(image.shape[3] + h * dy + e * sy + 1, np.bool_)
    words_a_grid_point = _rows_seen(job, seen, 0, e, 0, h) * r * q * d  # a column of all windows that enter together

    dtype = image.dtype
    weight = np.zeros((rows, columns, pads[0]), dtype)
    inputs = np.zeros((rows, columns, pads[1]), dtype)
    psum = np.zeros((rows, columns, pads[2]), dtype)
    product, chain, sums = (
        np.zeros((rows, columns), dtype), np.zeros((rows, columns), dtype), np.zeros((rows, columns), dtype)
    )  # fmt: skip
    result = np.zeros((groups, images, count_m, out_rows, out_columns), dtype)
    numbers = np.zeros(13, np.int64)

    controls = np.full((places + 1, 14), _NOTHING, np.int64)
    fold = image_index = strip = run = 0
    column, column_before = 0, _NOTHING  # the next position to enter
    arrived, since_enter = 0, 1 << 40
    loading_fold, loading_cycle, loaded = 0, 0, _NOTHING
    step, in_fold = _NOTHING, np.full(5, _NOTHING, np.int64)  # the position in the PEs
    multiplied = in_fold.copy()  # the position of a cycle ago
    finished, last_write, cycle = False, _NOTHING, 0
    while not finished:
        now = controls[cycle % (places + 1)]
        # what is added was multiplied in the cycle before
        before = controls[(cycle - 1) % (places + 1)]
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
            if loading_cycle * filter_port >= places * d * t * p * window:
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

        # The last place first, so that each PE reads what the one before it held.
        control = controls[(cycle - places) % (places + 1)]
        if cycle >= places and control[_ADD] >= 0 and control[_ADD] // p == window - 1:
            _accumulate(job, control, chain, sums, result, numbers)
            last_write = cycle
            finished = (
                control[_ADD] == steps - 1 and control[_ADD + 1] == fold_count - 1 and control[_ADD + 2] == images - 1
                and control[_ADD + 3] == strips - 1 and control[_ADD + 4] + classes >= out_columns
                and control[_ADD + 4] % classes == runs - 1
            )  # fmt: skip
        for place in range(min(places - 1, cycle), -1, -1):
            control = controls[(cycle - place) % (places + 1)]
            if control[_ADD] >= 0:
                _add(job, control, place, product, psum, chain, numbers)
            if control[_STEP] >= 0:
                _multiply(job, control[_STEP], place, inputs, weight, product, numbers)
            if control[_ENTER] >= 0:
                _enter(job, control, place, image, inputs, numbers)
                if place == 0:
                    numbers[_IMAGE_WORDS] += _words_over_the_port(job, control, seen)
            if control[_LOAD_FOLD] >= 0:
                _load(job, control, place, filters, weight, numbers)
        if cycle < len(dump):
            _dump_registers(dump[cycle], weight, inputs, psum, product, chain, sums)
        cycle += 1
    numbers[_CYCLES] = last_write + 1
    return result, numbers


@njit(cache=True, inline="always")
def _begin(job: Any, fold: int) -> tuple[int, int, int, int, int]:
    """Return the first group, filter, channel, filter row and filter column of a fold."""
    j, rest = fold % job.column_blocks * job.w, fold // job.column_blocks
    i, rest = rest % job.row_blocks * job.h, rest // job.row_blocks
    b, rest = rest % job.channel_blocks * job.r * job.q, rest // job.channel_blocks
    return rest // job.filter_blocks * job.d, rest % job.filter_blocks * job.t * job.p, b, i, j


@njit(cache=True, inline="always")
def _load(job: Any, control: Integers, place: int, filters: Any, weight: Any, numbers: Integers) -> None:
    """Write to `filter` of a place the words that come over the port in a cycle of a fold's load."""
    h, w, p, e, t = job.h, job.w, job.p, job.e, job.t
    places, window = job.h * job.r, job.q * job.w
    words_a_place = job.d * t * p * window
    group_0, m_0, b_0, i_0, j_0 = _begin(job, control[_LOAD_FOLD])
    start = max(control[_LOAD_CYCLE] * job.filter_port, place * words_a_place)
    end = min((control[_LOAD_CYCLE] + 1) * job.filter_port, (place + 1) * words_a_place)
    for word in range(start, end):
        k = word % window
        f = word // window % p
        one_set = word // window // p % t
        one_group = word // window // p // t % job.d
        group, m = group_0 + one_group, m_0 + one_set * p + f
        b, i, j = b_0 + place // h * job.q + k // w, i_0 + place % h, j_0 + k % w
        real = (
            group < job.groups and m < job.filters and b < job.channels and i < job.filter_rows
            and j < job.filter_columns
        )  # fmt: skip
        numbers[_FILTER_WORDS] += real
        for y in range(e):
            z = (one_group * t + one_set) * e + y
            row, c = z // job.columns * places + place, z % job.columns
            weight[row, c, f * window + k] = filters[group, m, b, i, j] if real else 0
            numbers[_FILTER] += real and y < job.out_rows


@njit(cache=True, inline="always")
def _enter(job: Any, control: Integers, place: int, image: Any, inputs: Any, numbers: Integers) -> None:
    """Write to `input` of a place the windows of a position that enters."""
    places = job.h * job.r
    group_0, m_0, b_0, i_0, j_0 = _begin(job, control[_ENTER])
    a, strip, x, x_before = control[_ENTER + 1], control[_ENTER + 2], control[_ENTER + 3], control[_ENTER + 4]
    i, width = i_0 + place % job.h, min(job.w, job.filter_columns - j_0)
    for z in range(job.e * job.t * job.d):
        row, c = z // job.columns * places + place, z % job.columns
        group, y = group_0 + z // (job.e * job.t), strip * job.e + z % job.e
        real_set = m_0 + z // job.e % job.t * job.p < job.filters
        for k in range(job.q * job.w):
            b, j = b_0 + place // job.h * job.q + k // job.w, j_0 + k % job.w
            inputs[row, c, k] = 0
            if (
                group < job.groups and b < job.channels and j < job.filter_columns and i < job.filter_rows
                and y < job.out_rows
            ):  # fmt: skip
                inputs[row, c, k] = image[group, a, b, y * job.sy + i * job.dy, x * job.sx + j * job.dx]
                numbers[_INPUT] += real_set and _is_new(x, x_before, j, j_0, job.sx, job.dx, width)


@njit(cache=True, inline="always")
def _multiply(job: Any, step: int, place: int, inputs: Any, weight: Any, product: Any, numbers: Integers) -> None:
    """Write `product` of a place in a step of a position."""
    places, k, f = job.h * job.r, step // job.p, step % job.p
    for z in range(job.e * job.t * job.d):
        row, c = z // job.columns * places + place, z % job.columns
        product[row, c] = inputs[row, c, k] * weight[row, c, f * job.q * job.w + k]
        numbers[_PRODUCT] += 1


@njit(cache=True, inline="always")
def _add(job: Any, control: Integers, place: int, product: Any, psum: Any, chain: Any, numbers: Integers) -> None:
    """Write `psum` of a place, or with a window's last word `chain`."""
    places, window = job.h * job.r, job.q * job.w
    k, f = control[_ADD] // job.p, control[_ADD] % job.p
    group_0, m_0, b_0, i_0, j_0 = _begin(job, control[_ADD + 1])
    i, j, b = i_0 + place % job.h, j_0 + k % job.w, b_0 + place // job.h * job.q
    real_word = i < job.filter_rows and j < job.filter_columns and b + k // job.w < job.channels
    for z in range(job.e * job.t * job.d):
        row, c = z // job.columns * places + place, z % job.columns
        value = product[row, c]
        if k > 0:
            value += psum[row, c, f]
        if k < window - 1:
            psum[row, c, f] = value
        else:
            if place > 0:
                value += chain[row - 1, c]
            chain[row, c] = value
            numbers[_CHAIN] += 1
        if (
            real_word
            and group_0 + z // (job.e * job.t) < job.groups
            and m_0 + z // job.e % job.t * job.p + f < job.filters
            and control[_ADD + 3] * job.e + z % job.e < job.out_rows
        ):
            numbers[_MACS] += 1
            numbers[_FIRST_TERMS] += k == 0  # it reads no psum
            numbers[_PSUM] += k > 0  # every term but one leaves a psum behind


@njit(cache=True, inline="always")
def _accumulate(job: Any, control: Integers, chain: Any, sums: Any, result: Any, numbers: Integers) -> None:
    """Write `sum`: what the last place of each chain added a cycle ago joins its psum; real sums go to the buffer."""
    places = job.h * job.r
    group_0, m_0, b_0, i_0, j_0 = _begin(job, control[_ADD + 1])
    first = b_0 == 0 and i_0 == 0 and j_0 == 0
    f, x = control[_ADD] % job.p, control[_ADD + 4]
    for z in range(job.e * job.t * job.d):
        group, m = group_0 + z // (job.e * job.t), m_0 + z // job.e % job.t * job.p + f
        y = control[_ADD + 3] * job.e + z % job.e
        value = chain[z // job.columns * places + places - 1, z % job.columns]
        if group < job.groups and m < job.filters and y < job.out_rows:
            if not first:
                value += result[group, control[_ADD + 2], m, y, x]
                numbers[_SUMS_READ] += 1
            result[group, control[_ADD + 2], m, y, x] = value
            numbers[_SUMS] += 1
        sums[z // job.columns, z % job.columns] = value
        numbers[_SUM] += 1


@njit(cache=True)
def _words_over_the_port(job: Any, control: Integers, seen: Any) -> int:
    """Count the real image words that come over the port for a position that enters."""
    group_0, _, b_0, i_0, j_0 = _begin(job, control[_ENTER])
    y_0, x, x_before = control[_ENTER + 2] * job.e, control[_ENTER + 3], control[_ENTER + 4]
    rows = _rows_seen(job, seen, y_0, min(y_0 + job.e, job.out_rows), i_0, min(i_0 + job.h, job.filter_rows))
    new, width = 0, min(job.w, job.filter_columns - j_0)
    for j in range(j_0, j_0 + width):
        new += _is_new(x, x_before, j, j_0, job.sx, job.dx, width)
    return rows * new * min(job.r * job.q, job.channels - b_0) * min(job.d, job.groups - group_0)


@njit(cache=True)
def _rows_seen(job: Any, seen: Any, first_y: int, end_y: int, first_i: int, end_i: int) -> int:
    """Count the different image rows that output rows and filter rows meet; `seen` is scratch."""
    seen[:] = False
    for y in range(first_y, end_y):
        for i in range(first_i, end_i):
            seen[y * job.sy + i * job.dy] = True
    return int(seen.sum())


@njit(cache=True)
def _is_new(x: int, x_before: int, j: int, first: int, sx: int, dx: int, width: int) -> bool:
    """Whether the window's word in filter column j was not in the window before (docs: new ones come over the port)."""
    if x_before < 0:
        return True
    for one in range(first, first + width):  # noqa: SIM110 - numba knows no generators
        if x * sx + j * dx == x_before * sx + one * dx:
            return False
    return True


@njit(cache=True)
def _dump_registers(row: Any, weight: Any, inputs: Any, psum: Any, product: Any, chain: Any, sums: Any) -> None:
    at = 0
    for pad in (weight, inputs, psum):
        row[at : at + pad.size] = pad.ravel()
        at += pad.size
    for plane in (product, chain, sums):
        row[at : at + plane.size] = plane.ravel()
        at += plane.size
