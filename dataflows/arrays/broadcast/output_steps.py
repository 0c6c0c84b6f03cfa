"""Broadcast array, output stationary: every register in every cycle (docs/microarchitecture.md)."""

from typing import Any

import numpy as np
from numba import njit

from dataflows.integers import Integers


@njit(cache=True)
def run_broadcast_output(
    moving: Any, stationary: Any, rows: int, columns: int, stationary_port: int, moving_port: int, output_port: int,
    a_pitches: int, b_pitches: int, drain_pitches: int, dump: Any,
) -> tuple[Any, Integers]:  # fmt: skip
    """Step a job; parameters and returns as in `run_broadcast_stationary`, and the lengths of the buses in pitches.

    The dump holds, one after the other: a, b, product, acc, out.
    """
    groups, V, D = moving.shape
    N = stationary.shape[2]
    blocks_v, blocks_n = -(-V // rows), -(-N // columns)
    fold_count = groups * blocks_v * blocks_n
    dtype = moving.dtype
    a, b = np.zeros(rows, dtype), np.zeros(columns, dtype)
    product, acc, out = (
        np.zeros((rows, columns), dtype), np.zeros((rows, columns), dtype), np.zeros((rows, columns), dtype)
    )  # fmt: skip
    result = np.zeros((groups, V, N), dtype)
    numbers = np.zeros(13, np.int64)

    fold, step = 0, 0  # what enters next
    words_a = words_b = 0
    latched_fold = latched_step = multiplied_fold = multiplied_step = -1
    complete = -1  # the fold whose sums are in acc
    draining, drained = -1, 0  # the fold in out, and its words that have left
    since_start = 0  # cycles since the fold's first step could enter
    cycle, last_write = 0, -1
    while last_write < 0 or draining >= 0 or complete >= 0 or multiplied_fold >= 0 or latched_fold >= 0 or (
        fold < fold_count
    ):  # fmt: skip
        # drain
        if draining >= 0:
            block_v, rest = draining % blocks_v, draining // blocks_v
            block_n, group = rest % blocks_n, rest // blocks_n
            for word in range(drained, min(drained + output_port, rows * columns)):
                v, n = block_v * rows + word // columns, block_n * columns + word % columns
                if v < V and n < N:
                    result[group, v, n] = out[word // columns, word % columns]
                    numbers[4] += 1
                    numbers[7] += drain_pitches
            drained += output_port
            last_write = cycle
            if drained >= rows * columns:
                draining = -1
        # copy
        if complete >= 0:
            out[:, :] = acc
            numbers[12] += rows * columns
            draining, drained, complete = complete, 0, -1
        # accumulate
        if multiplied_fold >= 0:
            if multiplied_step == 0:
                acc[:, :] = product
            else:
                for r in range(rows):
                    for c in range(columns):
                        acc[r, c] += product[r, c]
            numbers[11] += rows * columns
            if multiplied_step == D - 1:
                complete = multiplied_fold
        # multiply
        multiplied_fold, multiplied_step = latched_fold, latched_step
        if latched_fold >= 0:
            for r in range(rows):
                x = a[r]
                for c in range(columns):
                    product[r, c] = x * b[c]
            block_v, block_n = latched_fold % blocks_v, (latched_fold // blocks_v) % blocks_n
            numbers[1] += min(rows, V - block_v * rows) * min(columns, N - block_n * columns)
            numbers[10] += rows * columns
            latched_fold = -1
        # enter
        if fold < fold_count:
            if step < D:
                words_a += moving_port
                words_b += stationary_port
                if words_a >= rows and words_b >= columns:
                    block_v, rest = fold % blocks_v, fold // blocks_v
                    block_n, group = rest % blocks_n, rest // blocks_n
                    for r in range(rows):
                        v = block_v * rows + r
                        a[r] = moving[group, v, step] if v < V else 0
                        numbers[2] += v < V
                        numbers[6] += (v < V) * a_pitches
                    numbers[8] += rows
                    for c in range(columns):
                        n = block_n * columns + c
                        b[c] = stationary[group, step, n] if n < N else 0
                        numbers[3] += n < N
                        numbers[6] += (n < N) * b_pitches
                    numbers[9] += columns
                    latched_fold, latched_step = fold, step
                    step += 1
                    words_a = words_b = 0
            since_start += 1
            # the next fold may start so late that its sums find `out` empty
            if step == D and since_start * output_port >= rows * columns:
                fold, step, since_start = fold + 1, 0, 0
        if cycle < len(dump):
            position = 0
            for registers in (a, b):
                dump[cycle, position : position + registers.size] = registers
                position += registers.size
            for plane in (product, acc, out):
                dump[cycle, position : position + plane.size] = plane.ravel()
                position += plane.size
        cycle += 1
    numbers[0] = last_write + 1
    return result, numbers
