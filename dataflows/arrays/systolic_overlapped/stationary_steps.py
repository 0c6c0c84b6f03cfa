"""Systolic array whose folds overlap, stationary: every register in every cycle (docs/microarchitecture.md).

A controller follows hardware rules for the first PE; no cycle is computed in advance. What it does in a cycle moves
through the array in the cycles after, from diagonal to diagonal.
"""

from typing import Any

import numpy as np
from numba import njit

from dataflows.integers import Integers

_CHUNK = 256  # cycles of a burst whose words fit in the host's nearest cache


@njit(cache=True)
def run_overlapped_stationary(
    moving: Any, stationary: Any, rows: int, columns: int, stationary_port: int, moving_port: int, output_port: int,
    dump: Any, row_vectors: int, most_vectors: int, least_cycles: int, in_flight: int, result_cycles: int,
) -> tuple[Any, Integers]:  # fmt: skip
    """Step a job; parameters and returns as in `run_broadcast_stationary`.

    A controller that issues instructions has the last four of `Instructions`, else zeros; `row_vectors` lie in a row.

    The dump holds, one after the other: shadow, pass, weight, in, psum.
    """
    groups, V, D = moving.shape
    N = stationary.shape[2]
    blocks_d, blocks_n = -(-D // rows), -(-N // columns)
    folds = groups * blocks_n * blocks_d
    dtype = moving.dtype
    lanes = -(-columns // 16) * 16  # whole vectors of the host's
    shadow, passing, weight, entered, psum = (
        np.zeros((rows, lanes), dtype), np.zeros((rows, lanes), dtype), np.zeros((rows, lanes), dtype),
        np.zeros((rows, lanes), dtype), np.zeros((rows, lanes), dtype),
    )  # fmt: skip
    result = np.zeros((groups, V, N), dtype)
    numbers = np.zeros(13, np.int64)

    # What the first PE did in each of the last cycles; the PEs of diagonal d do now what it did d cycles ago.
    diagonals = rows + columns - 1
    row_fold, row_sent = np.full(diagonals, -1, np.int64), np.zeros(diagonals, np.int64)
    swap_fold = np.full(diagonals, -1, np.int64)
    vector_fold, vector_number = np.full(diagonals, -1, np.int64), np.zeros(diagonals, np.int64)

    loading, loaded, words = 0, 0, 0  # the fold that enters `shadow`, its rows that did, and the words of the next row
    active, vector = -1, V  # the fold that streams, and its next vector
    words_in = words_out = 0
    issues = most_vectors > 0
    runs, to_come, taken, begun = (
        False,
        0,
        0,
        0,
    )  # an instruction's, and how many have begun
    ended = np.zeros(max(1, in_flight), np.int64)  # the cycles in which the instructions in flight ended
    steady = 0  # cycles in which nothing but a vector of this fold came
    cycle, left, last_write = 0, 0, -1
    full_speed = moving_port >= rows and output_port >= columns and len(dump) == 0 and not issues
    while left < folds * V * columns:
        waits = loading == folds or loaded == rows
        if full_speed and waits and steady >= diagonals and vector < V - 1:
            # Nothing but the datapath changes. A test compares this with every cycle by itself, as for a dump.
            burst = V - 1 - vector
            group, first_d, real_d, first_n, real_n = _fold(active, blocks_d, blocks_n, D, N, rows, columns)
            _stream(
                moving[group, :, first_d : first_d + real_d], result[group, :, first_n : first_n + real_n],
                vector, burst, columns, first_d > 0, weight, entered, psum,
            )  # fmt: skip
            numbers[1] += burst * real_d * real_n
            numbers[2] += burst * real_d
            numbers[4] += burst * real_n
            numbers[5] += burst * real_n * (first_d > 0)
            numbers[6] += burst * real_d * columns
            numbers[7] += burst * rows * real_n
            numbers[11] += burst * rows * columns
            numbers[12] += burst * rows * columns
            vector, cycle, left = vector + burst, cycle + burst, left + burst * columns
            for d in range(diagonals):
                at = (cycle - 1 - d) % diagonals
                row_fold[at], swap_fold[at] = -1, -1
                vector_fold[at], vector_number[at] = active, vector - 1 - d
        now = cycle % diagonals
        row_fold[now] = swap_fold[now] = vector_fold[now] = -1
        # enter: a vector enters when all its words have come and the sums' port is free for its sums
        if vector < V and (to_come > 0 or not issues):
            words_in += moving_port
            words_out += output_port
            if words_in >= rows and words_out >= columns:
                vector_fold[now], vector_number[now] = active, vector
                vector += 1
                to_come -= 1
                words_in = words_out = 0
        taken += 1
        # an instruction ends with its last vector, and with the last row of the next fold's words if it brings them
        if runs and to_come == 0 and taken >= least_cycles and (vector < V or loading == folds or loaded == rows):
            runs, ended[(begun - 1) % in_flight] = False, cycle
        may_begin = not issues or (
            not runs and (begun < in_flight or cycle >= ended[begun % in_flight] + result_cycles)
        )  # fmt: skip
        begins = issues and may_begin and vector < V
        # a fold begins when its rows are in `shadow` and the fold before has entered
        if loading < folds and loaded == rows and vector == V and may_begin:
            swap_fold[now] = loading
            active, vector, words_in, words_out = loading, 0, 0, 0
            loading, loaded = loading + 1, 0
            begins = issues
        if begins:
            to_come = min(most_vectors, row_vectors - vector % row_vectors, V - vector)
            runs, taken, begun, words_in, words_out = True, 0, begun + 1, 0, 0
        # load: a row of the next fold enters when all its words have come; an instruction brings them that is the last
        if loading < folds and loaded < rows and (active < 0 or not issues or vector + to_come == V):
            words += stationary_port
            if words >= columns:
                row_fold[now], row_sent[now] = loading, loaded
                loaded, words = loaded + 1, 0
        steady = steady + 1 if vector_fold[now] >= 0 and row_fold[now] < 0 and swap_fold[now] < 0 else 0
        # Later diagonals first, so that each PE reads what those before it held.
        for d in range(diagonals - 1, -1, -1):
            at = (cycle - d) % diagonals
            first, end = max(0, d - columns + 1), min(d + 1, rows)
            if vector_fold[at] >= 0:
                v = vector_number[at]
                group, first_d, real_d, first_n, real_n = _fold(
                    vector_fold[at], blocks_d, blocks_n, D, N, rows, columns
                )
                for r in range(first, end):
                    c = d - r
                    if c > 0:
                        x = entered[r, c - 1]
                    else:
                        x = moving[group, v, first_d + r] if r < real_d else 0
                        numbers[2] += r < real_d
                    value = x * weight[r, c]
                    if r > 0:
                        value += psum[r - 1, c]
                    entered[r, c] = x
                    psum[r, c] = value
                    numbers[1] += r < real_d and c < real_n
                    numbers[6] += r < real_d
                    numbers[7] += c < real_n
                    numbers[11] += 1
                    numbers[12] += 1
                    if r == rows - 1:
                        left += 1
                        last_write = cycle
                        if c < real_n and first_d > 0:
                            result[group, v, first_n + c] += psum[r, c]
                            numbers[5] += 1
                        elif c < real_n:
                            result[group, v, first_n + c] = psum[r, c]
                        numbers[4] += c < real_n
            if swap_fold[at] >= 0:
                for r in range(first, end):
                    weight[r, d - r] = shadow[r, d - r]
                    numbers[10] += 1
            if row_fold[at] >= 0:
                group, first_d, real_d, first_n, real_n = _fold(row_fold[at], blocks_d, blocks_n, D, N, rows, columns)
                for r in range(first, end):
                    c = d - r
                    numbers[6] += rows - 1 - row_sent[at] + r < real_d and c < real_n  # a row of the fold moves on
                    numbers[8] += 1
                    numbers[9] += 1
                    passing[r, c] = shadow[r, c]
                    if r > 0:
                        shadow[r, c] = passing[r - 1, c]
                    else:
                        row = rows - 1 - row_sent[at]
                        real = row < real_d and c < real_n
                        shadow[r, c] = stationary[group, first_d + row, first_n + c] if real else 0
                        numbers[3] += real
        if cycle < len(dump):
            place = 0
            for plane in (shadow, passing, weight, entered, psum):
                for r in range(rows):
                    dump[cycle, place : place + columns] = plane[r, :columns]
                    place += columns
        cycle += 1
    numbers[0] = last_write + 1
    return result, numbers


@njit(cache=True, inline="always")
def _fold(
    fold: int, blocks_d: int, blocks_n: int, D: int, N: int, rows: int, columns: int
) -> tuple[int, int, int, int, int]:
    """Return a fold's group, its first row of D and how many are real, its first column of N and how many are real."""
    first_d, rest = fold % blocks_d * rows, fold // blocks_d
    first_n = rest % blocks_n * columns
    return rest // blocks_n, first_d, min(rows, D - first_d), first_n, min(columns, N - first_n)


@njit(cache=True)
def _stream(
    vectors: Any, results: Any, vector: int, count: int, columns: int, adds: bool, weight: Any, entered: Any, psum: Any
) -> None:
    """Step as many cycles as vectors enter, with every PE working for the same fold.

    `in` lies in a window that moves on by a word a cycle, so that each word is then seen one PE further; the words of
    the first column are written anew.
    """
    rows, lanes = weight.shape
    size, real_d, real_n = rows * lanes, vectors.shape[1], results.shape[1]
    words = np.zeros(_CHUNK + size, weight.dtype)
    weights = weight.ravel()
    # with a row of zeros above the first
    before, after = np.zeros(size + lanes, weight.dtype), np.zeros(size + lanes, weight.dtype)
    before[lanes:] = psum.ravel()
    done = 0
    while done < count:
        cycles = min(_CHUNK, count - done)
        words[_CHUNK:] = entered.ravel()
        for i in range(cycles):
            at, v = _CHUNK - 1 - i, vector + done + i
            for r in range(real_d):
                words[at + r * lanes] = vectors[v - r, r]
            for r in range(real_d, rows):
                words[at + r * lanes] = 0
            x, above, below = words[at : at + size], before[:size], after[lanes:]
            for k in range(size):
                below[k] = above[k] + x[k] * weights[k]
            bottom, v = after[size:], v - (rows - 1)
            if adds:
                for c in range(real_n):
                    results[v - c, c] += bottom[c]
            else:
                for c in range(real_n):
                    results[v - c, c] = bottom[c]
            before, after = after, before
        for r in range(rows):
            at = _CHUNK - cycles + r * lanes
            entered[r] = words[at : at + lanes]
        done += cycles
    for r in range(rows):
        psum[r] = before[(r + 1) * lanes : (r + 2) * lanes]
