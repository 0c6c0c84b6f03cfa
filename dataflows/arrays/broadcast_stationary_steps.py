"""Broadcast array, stationary: every register in every cycle (docs/microarchitecture.md).

The controller follows hardware rules (words that went through a port, registers that are full); no cycle is computed
in advance, so that the closed form has something to be held against.
"""

from typing import Any

import numpy as np
from numba import njit

from dataflows.plan import Integers


@njit(cache=True)
def run_broadcast_stationary(
    moving: Any, stationary: Any, rows: int, columns: int, stationary_port: int, moving_port: int, output_port: int,
    dump: Any,
) -> tuple[Any, Integers]:  # fmt: skip
    """Step a job.

    Parameters
    ----------
    moving, stationary : [groups, V, D] and [groups, D, N]
        Operands, of one type; results have it too.
    rows, columns, stationary_port, moving_port, output_port : int
        The array and its ports in words a cycle.
    dump : [cycles, width] of the operands' type
        Takes every register after each cycle, one after the other: shadow, weight, in, product, tree levels, sum.
        With no rows nothing is dumped.

    Returns
    -------
    result : [groups, V, N]
    numbers : int64[7]
        Cycles, MACs, moving words, stationary words, sums written, partial sums read, register writes.
    """
    groups, V, D = moving.shape
    N = stationary.shape[2]
    blocks_d, blocks_n = -(-D // rows), -(-N // columns)
    fold_count = groups * blocks_d * blocks_n
    levels = 0
    while (1 << levels) < rows:
        levels += 1
    dtype = moving.dtype
    shadow, weight = np.zeros((rows, columns), dtype), np.zeros((rows, columns), dtype)
    entered = np.zeros(rows, dtype)
    product = np.zeros((rows, columns), dtype)
    tree = np.zeros((max(levels, 1), (rows + 1) // 2, columns), dtype)
    sums = np.zeros(columns, dtype)
    result = np.zeros((groups, V, N), dtype)
    numbers = np.zeros(7, np.int64)

    # What is in each pipeline stage: fold and vector in `in`, `product`, each tree level; -1 for nothing.
    stages = 2 + levels
    stage_fold, stage_vector = np.full(stages, -1, np.int64), np.full(stages, -1, np.int64)
    loading, loaded = 0, 0  # the fold that enters the shadow registers, and its words that did
    swapping = False  # whether the swap was decided in the cycle before
    active, vector = -1, V  # the fold that streams, and its next vector
    words_in = words_out = 0  # of the vector that is on its way through the ports
    done = 0
    cycle = 0
    last_write = -1
    while done < fold_count * V:
        # accumulate: what stands at the top of the tree joins its partial sum
        fold = stage_fold[stages - 1]
        if fold >= 0:
            v = stage_vector[stages - 1]
            block_d, rest = fold % blocks_d, fold // blocks_d
            block_n, group = rest % blocks_n, rest // blocks_n
            real = min(columns, N - block_n * columns)
            first = block_n * columns
            for c in range(columns):
                top = product[0, c] if levels == 0 else tree[levels - 1, 0, c]
                if c < real and block_d > 0:
                    top += result[group, v, first + c]
                sums[c] = top
                if c < real:
                    result[group, v, first + c] = top
            numbers[4] += real
            if block_d > 0:
                numbers[5] += real
            done += 1
            last_write = cycle
        # tree, from the top down so that each level reads what its lower neighbour held
        for level in range(levels - 1, -1, -1):
            if stage_fold[1 + level] >= 0:
                below = rows
                for _ in range(level):
                    below = (below + 1) // 2
                for i in range((below + 1) // 2):
                    if level == 0:
                        if 2 * i + 1 < below:
                            for c in range(columns):
                                tree[0, i, c] = product[2 * i, c] + product[2 * i + 1, c]
                        else:
                            for c in range(columns):
                                tree[0, i, c] = product[2 * i, c]
                    elif 2 * i + 1 < below:
                        for c in range(columns):
                            tree[level, i, c] = tree[level - 1, 2 * i, c] + tree[level - 1, 2 * i + 1, c]
                    else:
                        for c in range(columns):
                            tree[level, i, c] = tree[level - 1, 2 * i, c]
        # multiply
        if stage_fold[0] >= 0:
            for r in range(rows):
                x = entered[r]
                for c in range(columns):
                    product[r, c] = x * weight[r, c]
            fold = stage_fold[0]
            block_d, block_n = fold % blocks_d, (fold // blocks_d) % blocks_n
            numbers[1] += min(rows, D - block_d * rows) * min(columns, N - block_n * columns)
        for stage in range(stages - 1, 0, -1):
            stage_fold[stage], stage_vector[stage] = stage_fold[stage - 1], stage_vector[stage - 1]
        stage_fold[0] = -1
        # swap, decided in the cycle before: the weights take what the shadow registers held
        if swapping:
            weight[:, :] = shadow
            fold = active
            block_d, block_n = fold % blocks_d, (fold // blocks_d) % blocks_n
            numbers[6] += min(rows, D - block_d * rows) * min(columns, N - block_n * columns)
            swapping = False
        # enter: a vector is latched when all its words have come and the sums' port is free for its sums
        if vector < V:
            words_in += moving_port
            words_out += output_port
            if words_in >= rows and words_out >= columns:
                block_d, group = active % blocks_d, active // blocks_d // blocks_n
                real = min(rows, D - block_d * rows)
                for r in range(rows):
                    entered[r] = moving[group, vector, block_d * rows + r] if r < real else 0
                numbers[2] += real
                stage_fold[0], stage_vector[0] = active, vector
                vector += 1
                words_in = words_out = 0
        # swap is decided when the shadow registers are full and the fold before has entered
        full = loading < fold_count and loaded == rows * columns
        if loading < fold_count and not full:
            block_d, rest = loading % blocks_d, loading // blocks_d
            block_n, group = rest % blocks_n, rest // blocks_n
            for word in range(loaded, min(loaded + stationary_port, rows * columns)):
                r, c = word // columns, word % columns
                d, n = block_d * rows + r, block_n * columns + c
                if d < D and n < N:
                    shadow[r, c] = stationary[group, d, n]
                    numbers[3] += 1
                else:
                    shadow[r, c] = 0
            loaded = min(loaded + stationary_port, rows * columns)
        elif full and vector == V:
            active, vector, swapping = loading, 0, True
            loading, loaded = loading + 1, 0
        if cycle < len(dump):
            _dump_registers(dump[cycle], shadow, weight, entered, product, tree, levels, rows, sums)
        cycle += 1
    numbers[0] = last_write + 1
    return result, numbers


@njit(cache=True)
def _dump_registers(
    row: Any, shadow: Any, weight: Any, entered: Any, product: Any, tree: Any, levels: int, rows: int, sums: Any
) -> None:
    position = 0
    for registers in (shadow, weight):
        row[position : position + registers.size] = registers.ravel()
        position += registers.size
    row[position : position + rows] = entered
    position += rows
    row[position : position + product.size] = product.ravel()
    position += product.size
    nodes = rows
    for level in range(levels):
        nodes = (nodes + 1) // 2
        for i in range(nodes):
            row[position : position + len(sums)] = tree[level, i]
            position += len(sums)
    row[position : position + len(sums)] = sums
