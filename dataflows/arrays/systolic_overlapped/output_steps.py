"""Systolic array whose folds overlap, output stationary: every register in every cycle (docs/microarchitecture.md).

As in `stationary_steps`, a controller follows hardware rules for the first PE, and the diagonals follow it.
"""

from typing import Any

import numpy as np
from numba import njit

from dataflows.integers import Integers

_CHUNK = 256  # cycles of a burst whose words fit in the host's nearest cache


@njit(cache=True)
def run_overlapped_output(
    moving: Any, stationary: Any, rows: int, columns: int, stationary_port: int, moving_port: int, output_port: int,
    dump: Any,
) -> tuple[Any, Integers]:  # fmt: skip
    """Step a job; parameters and returns as in `run_broadcast_stationary`.

    The dump holds, one after the other: in, filter, product, acc, out, pass.
    """
    groups, V, D = moving.shape
    N = stationary.shape[2]
    blocks_v, blocks_n = -(-V // rows), -(-N // columns)
    folds = groups * blocks_n * blocks_v
    dtype = moving.dtype
    lanes = -(-columns // 16) * 16  # whole vectors of the host's
    entered, filters, product, acc, out, passing = (
        np.zeros((rows, lanes), dtype), np.zeros((rows, lanes), dtype), np.zeros((rows, lanes), dtype),
        np.zeros((rows, lanes), dtype), np.zeros((rows, lanes), dtype), np.zeros((rows, lanes), dtype),
    )  # fmt: skip
    result = np.zeros((groups, V, N), dtype)
    numbers = np.zeros(14, np.int64)

    # What the first PE did in each of the last cycles: the step that entered, and the column that its shift takes out.
    # It accumulates a step a cycle after that entered, and copies two cycles after the last one.
    diagonals = rows + columns - 1
    kept = diagonals + 2
    step_fold, step_number = np.full(kept, -1, np.int64), np.zeros(kept, np.int64)
    shift_fold, shift_column = np.full(kept, -1, np.int64), np.zeros(kept, np.int64)

    fold, step = 0, 0  # what enters next
    words_in = words_filter = 0
    since_start = 0  # cycles of the output port since the fold's first step could enter
    drain_cycles = columns * -(-rows // output_port)
    draining, drain_column, words_out = -1, 0, 0  # the fold in `out`, its column that leaves next, and its words
    steady = 0  # cycles in which nothing but a step of this fold came
    cycle, left, last_write = 0, 0, -1
    full_speed = moving_port >= rows and stationary_port >= columns and len(dump) == 0
    while left < folds * rows * columns:
        if full_speed and draining < 0 and steady >= kept and step < D - 1:
            # Nothing but the datapath changes. A test compares this with every cycle by itself, as for a dump.
            burst = D - 1 - step
            group, first_v, real_v, first_n, real_n = _fold(fold, blocks_v, blocks_n, V, N, rows, columns)
            _stream(
                moving[group, first_v : first_v + real_v], stationary[group, :, first_n : first_n + real_n],
                step, burst, entered, filters, product, acc,
            )  # fmt: skip
            numbers[1] += burst * real_v * real_n
            numbers[2] += burst * real_v
            numbers[3] += burst * real_n
            numbers[6] += burst * (real_v * columns + real_n * rows)
            for register in range(8, 12):
                numbers[register] += burst * rows * columns
            step, cycle, since_start = step + burst, cycle + burst, since_start + burst
            for back in range(kept):
                at = (cycle - 1 - back) % kept
                step_fold[at], step_number[at], shift_fold[at] = fold, step - 1 - back, -1
        now = cycle % kept
        step_fold[now] = shift_fold[now] = -1
        # shift: a column leaves when the port has taken it
        if draining >= 0:
            words_out += output_port
            if words_out >= rows:
                shift_fold[now], shift_column[now] = draining, drain_column
                drain_column, words_out = drain_column - 1, 0
                if drain_column < 0:
                    draining = -1
        # copy: the columns leave from the next cycle on
        last = (cycle - 2) % kept
        copies = step_fold[last] >= 0 and step_number[last] == D - 1
        if copies:
            draining, drain_column, words_out = step_fold[last], columns - 1, 0
        # enter
        if fold < folds:
            if step < D:
                words_in += moving_port
                words_filter += stationary_port
                if words_in >= rows and words_filter >= columns:
                    step_fold[now], step_number[now] = fold, step
                    step += 1
                    words_in = words_filter = 0
            since_start += 1
            # the next fold may start so late that its sums find `out` empty
            if step == D and since_start >= drain_cycles:
                fold, step, since_start = fold + 1, 0, 0
        quiet = step_fold[now] == fold and shift_fold[now] < 0 and not copies
        steady = steady + 1 if quiet else 0
        # Later diagonals first, so that each PE reads what those before it held.
        for d in range(diagonals - 1, -1, -1):
            first, end = max(0, d - columns + 1), min(d + 1, rows)
            at = (cycle - d) % kept
            if shift_fold[at] >= 0:
                group, first_v, real_v, first_n, real_n = _fold(shift_fold[at], blocks_v, blocks_n, V, N, rows, columns)
                for r in range(first, end):
                    c = d - r
                    if c == columns - 1:
                        left += 1
                        last_write = cycle
                        if r < real_v and shift_column[at] < real_n:
                            result[group, first_v + r, first_n + shift_column[at]] = out[r, c]
                            numbers[4] += 1
                    # the column that the shifts have brought here
                    numbers[7] += r < real_v and 0 <= c - (columns - 1 - shift_column[at]) < real_n
                    numbers[13] += 1
                    passing[r, c] = out[r, c]
                    if c > 0:
                        numbers[12] += 1
                        out[r, c] = passing[r, c - 1]
            two_before = (cycle - d - 2) % kept
            if step_fold[two_before] >= 0 and step_number[two_before] == D - 1:
                for r in range(first, end):
                    out[r, d - r] = acc[r, d - r]
                    numbers[12] += 1
            before = (cycle - d - 1) % kept
            if step_fold[before] >= 0:
                for r in range(first, end):
                    c = d - r
                    acc[r, c] = product[r, c] if step_number[before] == 0 else acc[r, c] + product[r, c]
                    numbers[11] += 1
            if step_fold[at] >= 0:
                group, first_v, real_v, first_n, real_n = _fold(step_fold[at], blocks_v, blocks_n, V, N, rows, columns)
                for r in range(first, end):
                    c = d - r
                    if c > 0:
                        x = entered[r, c - 1]
                    else:
                        x = moving[group, first_v + r, step_number[at]] if r < real_v else 0
                        numbers[2] += r < real_v
                    if r > 0:
                        w = filters[r - 1, c]
                    else:
                        w = stationary[group, step_number[at], first_n + c] if c < real_n else 0
                        numbers[3] += c < real_n
                    entered[r, c] = x
                    filters[r, c] = w
                    product[r, c] = x * w
                    numbers[1] += r < real_v and c < real_n
                    numbers[6] += (r < real_v) + (c < real_n)
                    for register in range(8, 11):
                        numbers[register] += 1
        if cycle < len(dump):
            place = 0
            for plane in (entered, filters, product, acc, out, passing):
                for r in range(rows):
                    dump[cycle, place : place + columns] = plane[r, :columns]
                    place += columns
        cycle += 1
    numbers[0] = last_write + 1
    return result, numbers


@njit(cache=True, inline="always")
def _fold(
    fold: int, blocks_v: int, blocks_n: int, V: int, N: int, rows: int, columns: int
) -> tuple[int, int, int, int, int]:
    """Return a fold's group, its first row of V and how many are real, its first column of N and how many are real."""
    first_v, rest = fold % blocks_v * rows, fold // blocks_v
    first_n = rest % blocks_n * columns
    return rest // blocks_n, first_v, min(rows, V - first_v), first_n, min(columns, N - first_n)


@njit(cache=True)
def _stream(
    vectors: Any, columns: Any, step: int, count: int, entered: Any, filters: Any, product: Any, acc: Any
) -> None:
    """Step as many cycles as steps enter, with every PE working for the same fold.

    `in` and `filter` lie in windows that move on, by a word and by a row a cycle, so that each word is then seen one PE
    further; those of the first column and the first row are written anew.
    """
    rows, lanes = acc.shape
    size, real_v, real_n = rows * lanes, vectors.shape[0], columns.shape[1]
    words, filter_words = np.zeros(_CHUNK + size, acc.dtype), np.zeros(_CHUNK * lanes + size, acc.dtype)
    products, sums = product.ravel(), acc.ravel()
    done = 0
    while done < count:
        cycles = min(_CHUNK, count - done)
        words[_CHUNK:] = entered.ravel()
        filter_words[_CHUNK * lanes :] = filters.ravel()
        for i in range(cycles):
            at, top, d = _CHUNK - 1 - i, (_CHUNK - 1 - i) * lanes, step + done + i
            for r in range(real_v):
                words[at + r * lanes] = vectors[r, d - r]
            for r in range(real_v, rows):
                words[at + r * lanes] = 0
            for c in range(real_n):
                filter_words[top + c] = columns[d - c, c]
            for c in range(real_n, lanes):
                filter_words[top + c] = 0
            x, w = words[at : at + size], filter_words[top : top + size]
            for k in range(size):
                sums[k] += products[k]
                products[k] = x[k] * w[k]
        for r in range(rows):
            at = _CHUNK - cycles + r * lanes
            entered[r] = words[at : at + lanes]
            at = (_CHUNK - cycles + r) * lanes
            filters[r] = filter_words[at : at + lanes]
        done += cycles
