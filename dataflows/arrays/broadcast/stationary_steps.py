"""Broadcast array, stationary: every register in every cycle (docs/microarchitecture.md).

The controller follows hardware rules (words that went through a port, registers that are full); no cycle is computed
in advance, so that the closed form has something to be held against.
"""

from typing import Any

import numpy as np
from numba import njit

from dataflows.plans.plan import Integers


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
    # Planes are padded to whole vectors of the host's, which makes the inner loops several times faster.
    lanes = -(-columns // 16) * 16
    shadow, weight = np.zeros((rows, lanes), dtype), np.zeros((rows, lanes), dtype)
    entered = np.zeros(rows, dtype)
    # Products (level 0) and the tree's levels, one below the other: nodes[l] rows of level l from offset[l] on.
    nodes, offset = np.zeros(levels + 1, np.int64), np.zeros(levels + 1, np.int64)
    nodes[0] = rows
    for level in range(1, levels + 1):
        nodes[level] = (nodes[level - 1] + 1) // 2
        offset[level] = offset[level - 1] + nodes[level - 1]
    tree = np.zeros((offset[levels] + nodes[levels], lanes), dtype)
    root = offset[levels]
    sums = np.zeros(columns, dtype)
    result = np.zeros((groups, V, N), dtype)
    numbers = np.zeros(7, np.int64)

    # Which block of the operands each fold holds; divisions would take longer than a cycle's arithmetic.
    fold_d, fold_n = np.empty(fold_count, np.int64), np.empty(fold_count, np.int64)
    fold_group = np.empty(fold_count, np.int64)
    for fold in range(fold_count):
        fold_d[fold] = fold % blocks_d * rows
        fold_n[fold] = fold // blocks_d % blocks_n * columns
        fold_group[fold] = fold // blocks_d // blocks_n

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
    full_speed = moving_port >= rows and output_port >= columns and len(dump) == 0
    while done < fold_count * V:
        # While nothing but the datapath changes, cycles need no controller. A test holds this to the long way, which a
        # dump takes.
        loads = loading < fold_count and loaded < rows * columns
        follows = stage_fold[stages - 1] == active and stage_vector[stages - 1] == vector - stages
        if full_speed and not swapping and not loads and vector < V - 1 and follows:
            burst, group = V - 1 - vector, fold_group[active]
            first_d, first_n = fold_d[active], fold_n[active]
            real_d, real_n = min(rows, D - first_d), min(columns, N - first_n)
            _stream(
                moving[group, vector : vector + burst, first_d : first_d + real_d],
                result[group, vector - stages : vector - stages + burst, first_n : first_n + real_n],
                first_d > 0, weight, entered, tree, sums, nodes, offset, levels,
            )  # fmt: skip
            numbers[1] += burst * real_d * real_n
            numbers[2] += burst * real_d
            numbers[4] += burst * real_n
            if first_d > 0:
                numbers[5] += burst * real_n
            vector, cycle, done = vector + burst, cycle + burst, done + burst
            stage_vector += burst
            last_write = cycle - 1
        # accumulate: what stands at the top of the tree joins its partial sum
        fold = stage_fold[stages - 1]
        if fold >= 0:
            v = stage_vector[stages - 1]
            group, first = fold_group[fold], fold_n[fold]
            real = min(columns, N - first)
            for c in range(columns):
                sums[c] = tree[root, c]
            if fold_d[fold] > 0:
                for c in range(real):
                    sums[c] += result[group, v, first + c]
                numbers[5] += real
            for c in range(real):
                result[group, v, first + c] = sums[c]
            numbers[4] += real
            done += 1
            last_write = cycle
        # tree, from the top down so that each level reads what its lower neighbour held
        for level in range(levels, 0, -1):
            if stage_fold[level] >= 0:
                below, here, pairs = offset[level - 1], offset[level], nodes[level - 1] // 2
                for i in range(pairs):
                    for c in range(lanes):
                        tree[here + i, c] = tree[below + 2 * i, c] + tree[below + 2 * i + 1, c]
                if pairs < nodes[level]:
                    for c in range(lanes):
                        tree[here + pairs, c] = tree[below + 2 * pairs, c]
        # multiply
        if stage_fold[0] >= 0:
            for r in range(rows):
                x = entered[r]
                for c in range(lanes):
                    tree[r, c] = x * weight[r, c]
            fold = stage_fold[0]
            numbers[1] += min(rows, D - fold_d[fold]) * min(columns, N - fold_n[fold])
        for stage in range(stages - 1, 0, -1):
            stage_fold[stage], stage_vector[stage] = stage_fold[stage - 1], stage_vector[stage - 1]
        stage_fold[0] = -1
        # swap, decided in the cycle before: the weights take what the shadow registers held
        if swapping:
            weight[:, :] = shadow
            numbers[6] += min(rows, D - fold_d[active]) * min(columns, N - fold_n[active])
            swapping = False
        # enter: a vector is latched when all its words have come and the sums' port is free for its sums
        if vector < V:
            words_in += moving_port
            words_out += output_port
            if words_in >= rows and words_out >= columns:
                group, first = fold_group[active], fold_d[active]
                real = min(rows, D - first)
                for r in range(real):
                    entered[r] = moving[group, vector, first + r]
                for r in range(real, rows):
                    entered[r] = 0
                numbers[2] += real
                stage_fold[0], stage_vector[0] = active, vector
                vector += 1
                words_in = words_out = 0
        # swap is decided when the shadow registers are full and the fold before has entered
        full = loading < fold_count and loaded == rows * columns
        if loading < fold_count and not full:
            group = fold_group[loading]
            for word in range(loaded, min(loaded + stationary_port, rows * columns)):
                r, c = word // columns, word % columns
                d, n = fold_d[loading] + r, fold_n[loading] + c
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
            _dump_registers(dump[cycle], shadow, weight, entered, tree, sums)
        cycle += 1
    numbers[0] = last_write + 1
    return result, numbers


@njit(cache=True)
def _stream(
    vectors: Any, results: Any, adds: bool, weight: Any, entered: Any, tree: Any, sums: Any, nodes: Any, offset: Any,
    levels: int,
) -> None:  # fmt: skip
    """Step as many cycles as there are vectors, with every pipeline stage taken by the same fold."""
    rows, lanes = weight.shape
    real_d, real_n = vectors.shape[1], results.shape[1]
    # While it streams, a level's nodes stand in bit-reversed order and are padded with zeros to a power of two, so that
    # those to be added lie in two halves and a level is one loop.
    leaves = 1 << levels
    order, start = np.zeros((levels + 1, leaves), np.int64), np.zeros(levels + 1, np.int64)
    for level in range(levels + 1):
        if level > 0:
            start[level] = start[level - 1] + (leaves >> (level - 1)) * lanes
        for node in range(leaves >> level):
            for bit in range(levels - level):
                order[level, node] |= ((node >> bit) & 1) << (levels - level - 1 - bit)
    flat = np.zeros(2 * leaves * lanes, weight.dtype)
    weights, wide = np.zeros(leaves * lanes, weight.dtype), np.zeros(leaves * lanes, weight.dtype)
    for r in range(rows):
        at = order[0, r] * lanes
        weights[at : at + lanes] = weight[r]
        wide[at : at + lanes] = entered[r]
    for level in range(levels + 1):
        for node in range(nodes[level]):
            at = start[level] + order[level, node] * lanes
            flat[at : at + lanes] = tree[offset[level] + node]
    root = start[levels]
    for v in range(len(vectors)):
        for c in range(len(sums)):
            sums[c] = flat[root + c]
        if adds:
            for c in range(real_n):
                sums[c] += results[v, c]
        for c in range(real_n):
            results[v, c] = sums[c]
        for level in range(levels, 0, -1):
            half = (leaves >> level) * lanes
            first, here = start[level - 1], start[level]
            left, right = flat[first : first + half], flat[first + half : first + 2 * half]
            added = flat[here : here + half]
            for i in range(half):
                added[i] = left[i] + right[i]
        for i in range(leaves * lanes):
            flat[i] = wide[i] * weights[i]
        for r in range(real_d):
            x, at = vectors[v, r], order[0, r] * lanes
            one = wide[at : at + lanes]
            for c in range(lanes):
                one[c] = x
    for r in range(rows):
        entered[r] = wide[order[0, r] * lanes]
    for level in range(levels + 1):
        for node in range(nodes[level]):
            at = start[level] + order[level, node] * lanes
            tree[offset[level] + node] = flat[at : at + lanes]


@njit(cache=True)
def _dump_registers(row: Any, shadow: Any, weight: Any, entered: Any, tree: Any, sums: Any) -> None:
    columns, position = len(sums), 0
    for plane in (shadow, weight):
        for r in range(len(plane)):
            row[position : position + columns] = plane[r, :columns]
            position += columns
    row[position : position + len(entered)] = entered
    position += len(entered)
    for r in range(len(tree)):
        row[position : position + columns] = tree[r, :columns]
        position += columns
    row[position : position + columns] = sums
