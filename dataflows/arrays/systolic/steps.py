"""Systolic arrays: every register in every cycle (docs/microarchitecture.md)."""

from typing import Any

import numpy as np
from numba import njit

from dataflows.integers import Integers


@njit(cache=True)
def run_systolic_stationary(
    moving: Any, stationary: Any, rows: int, columns: int, stationary_port: int, moving_port: int, output_port: int,
    dump: Any,
) -> tuple[Any, Integers]:  # fmt: skip
    """Step a job; parameters and returns as in `run_broadcast_stationary`.

    The dump holds, one after the other: weight, in, psum.
    """
    groups, V, D = moving.shape
    N = stationary.shape[2]
    blocks_d, blocks_n = -(-D // rows), -(-N // columns)
    dtype = moving.dtype
    weight, entered, psum = (
        np.zeros((rows, columns), dtype), np.zeros((rows, columns), dtype), np.zeros((rows, columns), dtype)
    )  # fmt: skip
    result = np.zeros((groups, V, N), dtype)
    numbers = np.zeros(11, np.int64)
    cycle, last_write = 0, -1
    for fold in range(groups * blocks_n * blocks_d):
        block_d, rest = fold % blocks_d, fold // blocks_d
        block_n, group = rest % blocks_n, rest // blocks_n
        real_d, real_n = min(rows, D - block_d * rows), min(columns, N - block_n * columns)
        # load: rows shift down, the fold's last row is sent first
        sent, words = 0, 0
        while sent < rows:
            words += stationary_port
            if words >= columns:
                for r in range(rows - 1, 0, -1):
                    for c in range(columns):
                        weight[r, c] = weight[r - 1, c]
                d = rows - 1 - sent
                for c in range(columns):
                    real = d < real_d and c < real_n
                    weight[0, c] = stationary[group, block_d * rows + d, block_n * columns + c] if real else 0
                    numbers[3] += real
                for r in range(sent + 1):  # the rows that have entered move on
                    numbers[6] += real_n * (d + r < real_d)
                numbers[8] += rows * columns
                sent, words = sent + 1, 0
            if cycle < len(dump):
                _dump_planes(dump[cycle], weight, entered, psum)
            cycle += 1
        # beats, until the last vector has left the last column
        beat, left, words_in, words_out = 0, 0, 0, 0
        while left < V * columns:
            words_in += moving_port
            words_out += output_port
            if words_in >= rows and words_out >= columns:
                writes = 0
                for r in range(rows - 1, -1, -1):
                    for c in range(columns - 1, -1, -1):
                        v = beat - r - c
                        if v < 0 or v >= V:
                            continue
                        if c > 0:
                            x = entered[r, c - 1]
                        else:
                            x = moving[group, v, block_d * rows + r] if r < real_d else 0
                            numbers[2] += r < real_d
                        value = x * weight[r, c]
                        if r > 0:
                            value += psum[r - 1, c]
                        entered[r, c] = x
                        psum[r, c] = value
                        numbers[1] += r < real_d and c < real_n
                        numbers[6] += r < real_d
                        numbers[7] += c < real_n
                        writes += 1
                        if r == rows - 1:
                            left += 1
                            last_write = cycle
                            if c < real_n:
                                n = block_n * columns + c
                                if block_d > 0:
                                    result[group, v, n] += value
                                    numbers[5] += 1
                                else:
                                    result[group, v, n] = value
                                numbers[4] += 1
                numbers[9] += writes
                numbers[10] += writes
                beat, words_in, words_out = beat + 1, 0, 0
            if cycle < len(dump):
                _dump_planes(dump[cycle], weight, entered, psum)
            cycle += 1
    numbers[0] = last_write + 1
    return result, numbers


@njit(cache=True)
def run_systolic_output(
    moving: Any, stationary: Any, rows: int, columns: int, stationary_port: int, moving_port: int, output_port: int,
    serial_drain: bool, dump: Any,
) -> tuple[Any, Integers]:  # fmt: skip
    """Step a job; parameters and returns as in `run_broadcast_stationary`, and whether sums are shifted out.

    The dump holds, one after the other: in, filter, acc.
    """
    groups, V, D = moving.shape
    N = stationary.shape[2]
    blocks_v, blocks_n = -(-V // rows), -(-N // columns)
    dtype = moving.dtype
    entered, filters, acc = (
        np.zeros((rows, columns), dtype), np.zeros((rows, columns), dtype), np.zeros((rows, columns), dtype)
    )  # fmt: skip
    result = np.zeros((groups, V, N), dtype)
    numbers = np.zeros(11, np.int64)
    cycle, last_write = 0, -1
    for fold in range(groups * blocks_n * blocks_v):
        block_v, rest = fold % blocks_v, fold // blocks_v
        block_n, group = rest % blocks_n, rest // blocks_n
        real_v, real_n = min(rows, V - block_v * rows), min(columns, N - block_n * columns)
        beat, complete, words_in, words_filter = 0, 0, 0, 0
        while complete < rows * columns:
            words_in += moving_port
            words_filter += stationary_port
            if words_in >= rows and words_filter >= columns:
                writes = 0
                for r in range(rows - 1, -1, -1):
                    for c in range(columns - 1, -1, -1):
                        d = beat - r - c
                        if d < 0 or d >= D:
                            continue
                        if c > 0:
                            x = entered[r, c - 1]
                        else:
                            x = moving[group, block_v * rows + r, d] if r < real_v else 0
                            numbers[2] += r < real_v
                        if r > 0:
                            w = filters[r - 1, c]
                        else:
                            w = stationary[group, d, block_n * columns + c] if c < real_n else 0
                            numbers[3] += c < real_n
                        entered[r, c] = x
                        filters[r, c] = w
                        acc[r, c] = x * w if d == 0 else acc[r, c] + x * w
                        real = r < real_v and c < real_n
                        numbers[1] += real
                        numbers[6] += (r < real_v) + (c < real_n)
                        writes += 1
                        if d == D - 1:
                            complete += 1
                            if not serial_drain:
                                last_write = cycle
                                if real:
                                    numbers[7] += rows - r
                                    result[group, block_v * rows + r, block_n * columns + c] = acc[r, c]
                                    numbers[4] += 1
                for register in range(8, 11):
                    numbers[register] += writes
                beat, words_in, words_filter = beat + 1, 0, 0
            if cycle < len(dump):
                _dump_planes(dump[cycle], entered, filters, acc)
            cycle += 1
        # drain: the bottom row leaves, the others move down
        row, words = rows - 1, 0
        while serial_drain and row >= 0:
            words += output_port
            if words >= columns:
                for c in range(columns):
                    if row < real_v and c < real_n:
                        result[group, block_v * rows + row, block_n * columns + c] = acc[rows - 1, c]
                        numbers[4] += 1
                numbers[7] += min(real_v, row + 1) * real_n  # the sums that have not left move on
                for r in range(rows - 1, 0, -1):
                    for c in range(columns):
                        acc[r, c] = acc[r - 1, c]
                numbers[10] += (rows - 1) * columns
                last_write = cycle
                row, words = row - 1, 0
            if cycle < len(dump):
                _dump_planes(dump[cycle], entered, filters, acc)
            cycle += 1
    numbers[0] = last_write + 1
    return result, numbers


@njit(cache=True)
def _dump_planes(row: Any, first: Any, second: Any, third: Any) -> None:
    size = first.size
    row[:size] = first.ravel()
    row[size : 2 * size] = second.ravel()
    row[2 * size :] = third.ravel()
