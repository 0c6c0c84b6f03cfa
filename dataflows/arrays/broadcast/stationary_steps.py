"""Broadcast array, stationary: every register in every cycle (docs/microarchitecture.md).

The controller follows hardware rules (words that went through a port, registers that are full); no cycle is computed in
advance, so that the closed form can be compared with it.
"""

from typing import Any

import numpy as np
from numba import njit

from dataflows.integers import Integers

# Places in `numbers`.
_CYCLES, _MACS, _MOVING_WORDS, _STATIONARY_WORDS, _SUMS, _SUMS_READ, _WORD_PITCHES, _SUM_PITCHES = range(8)
_SHADOW, _WEIGHT, _IN, _PRODUCT = range(8, 12)  # writes; the levels of the tree follow, and `sum`


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
    numbers : int64[8 + registers]
        Cycles, MACs, moving words, stationary words, sums written, psums read, words and sums times the pitches that
        they were driven over, and the words written to each register, in the order of the dump.
    """
    groups, V, D = moving.shape
    N = stationary.shape[2]
    dtype = moving.dtype
    folds = _folds(groups, D, N, rows, columns)
    nodes, offset = _tree_shape(rows)
    levels = len(nodes) - 1
    # Planes are padded to whole vectors of the host's, which makes the inner loops several times faster.
    lanes = -(-columns // 16) * 16
    shadow, weight = np.zeros((rows, lanes), dtype), np.zeros((rows, lanes), dtype)
    entered = np.zeros(rows, dtype)
    tree = np.zeros((offset[levels] + nodes[levels], lanes), dtype)
    sums = np.zeros(columns, dtype)
    result = np.zeros((groups, V, N), dtype)
    numbers = np.zeros(13 + levels, np.int64)
    to_load = load_pitches(rows, columns, stationary_port)
    to_enter = bus_pitches(rows, columns, moving_port)

    # What is in each pipeline stage: fold and vector in `in`, `product`, each tree level; -1 for nothing.
    stages = 2 + levels
    last = stages - 1
    stage_fold, stage_vector = np.full(stages, -1, np.int64), np.full(stages, -1, np.int64)
    loading, loaded = 0, 0  # the fold that enters the shadow registers, and its words that did
    swapping = False  # whether the swap was decided in the cycle before
    active, vector = -1, V  # the fold that streams, and its next vector
    words_in = words_out = 0  # of the vector that is on its way through the ports
    done = 0
    cycle = 0
    last_write = -1
    full_speed = moving_port >= rows and output_port >= columns and len(dump) == 0
    while done < len(folds) * V:
        # While nothing but the datapath changes, cycles need no controller. A test compares this with
        # every cycle by itself, as a dump needs it.
        loads = loading < len(folds) and loaded < rows * columns
        follows = stage_fold[last] == active and stage_vector[last] == vector - stages
        if full_speed and not swapping and not loads and vector < V - 1 and follows:
            burst = V - 1 - vector
            group, first_d, real_d, first_n, real_n = folds[active]
            _stream(
                moving[group, vector : vector + burst, first_d : first_d + real_d],
                result[group, vector - stages : vector - stages + burst, first_n : first_n + real_n],
                first_d > 0, weight, entered, tree, sums, nodes, offset,
            )  # fmt: skip
            numbers[_MACS] += burst * real_d * real_n
            numbers[_MOVING_WORDS] += burst * real_d
            numbers[_SUMS] += burst * real_n
            numbers[_SUMS_READ] += burst * real_n * (first_d > 0)
            numbers[_WORD_PITCHES] += burst * real_d * to_enter
            numbers[_IN] += burst * rows
            for level in range(levels + 1):
                numbers[_PRODUCT + level] += burst * nodes[level] * columns
                numbers[_SUM_PITCHES] += burst * _tree_pitches(level, nodes, real_d) * real_n
            numbers[_PRODUCT + levels + 1] += burst * columns
            vector, cycle, done = vector + burst, cycle + burst, done + burst
            stage_vector += burst
            last_write = cycle - 1
        # Later stages first, so that each reads what the one before it held.
        if stage_fold[last] >= 0:
            group, first_d, _, first_n, real_n = folds[stage_fold[last]]
            psums = result[group, stage_vector[last], first_n : first_n + real_n]
            _accumulate(tree[offset[levels]], sums, psums, first_d > 0)
            numbers[_SUMS] += real_n
            numbers[_SUMS_READ] += real_n * (first_d > 0)
            numbers[_PRODUCT + levels + 1] += columns
            done += 1
            last_write = cycle
        for level in range(levels, 0, -1):
            if stage_fold[level] >= 0:
                _add_level(tree, offset[level - 1], nodes[level - 1], offset[level], nodes[level])
                real_d, real_n = folds[stage_fold[level], 2], folds[stage_fold[level], 4]
                numbers[_SUM_PITCHES] += _tree_pitches(level, nodes, real_d) * real_n
                numbers[_PRODUCT + level] += nodes[level] * columns
        if stage_fold[0] >= 0:
            _multiply(entered, weight, tree)
            numbers[_MACS] += folds[stage_fold[0], 2] * folds[stage_fold[0], 4]
            numbers[_PRODUCT] += rows * columns
        for stage in range(last, 0, -1):
            stage_fold[stage], stage_vector[stage] = stage_fold[stage - 1], stage_vector[stage - 1]
        stage_fold[0] = -1
        # swap, decided in the cycle before: the weights take what the shadow registers held
        if swapping:
            weight[:, :] = shadow
            numbers[_WEIGHT] += rows * columns
            swapping = False
        # enter: a vector is latched when all its words have come and the sums' port is free for its sums
        if vector < V:
            words_in += moving_port
            words_out += output_port
            if words_in >= rows and words_out >= columns:
                group, first_d, real_d, _, _ = folds[active]
                _enter(moving[group, vector, first_d : first_d + real_d], entered)
                numbers[_MOVING_WORDS] += real_d
                numbers[_WORD_PITCHES] += real_d * to_enter
                numbers[_IN] += rows
                stage_fold[0], stage_vector[0] = active, vector
                vector += 1
                words_in = words_out = 0
        # swap is decided when the shadow registers are full and the fold before has entered
        if loading < len(folds) and loaded < rows * columns:
            end = min(loaded + stationary_port, rows * columns)
            group, first_d, real_d, first_n, real_n = folds[loading]
            block = stationary[group, first_d : first_d + real_d, first_n : first_n + real_n]
            real_words = _load(block, shadow, columns, loaded, end)
            numbers[_STATIONARY_WORDS] += real_words
            numbers[_WORD_PITCHES] += real_words * to_load
            numbers[_SHADOW] += end - loaded
            loaded = end
        elif loading < len(folds) and vector == V:
            active, vector, swapping = loading, 0, True
            loading, loaded = loading + 1, 0
        if cycle < len(dump):
            _dump_registers(dump[cycle], shadow, weight, entered, tree, sums)
        cycle += 1
    numbers[_CYCLES] = last_write + 1
    return result, numbers


@njit(cache=True, inline="always")
def _folds(groups: int, D: int, N: int, rows: int, columns: int) -> Integers:
    """Return each fold's group, its first row of D and its real rows, its first column of N and its real columns.

    Divisions in a cycle would take longer than the cycle's arithmetic.
    """
    blocks_d, blocks_n = -(-D // rows), -(-N // columns)
    folds = np.empty((groups * blocks_d * blocks_n, 5), np.int64)
    for fold in range(len(folds)):
        first_d, first_n = fold % blocks_d * rows, fold // blocks_d % blocks_n * columns
        folds[fold, 0] = fold // blocks_d // blocks_n
        folds[fold, 1], folds[fold, 2] = first_d, min(rows, D - first_d)
        folds[fold, 3], folds[fold, 4] = first_n, min(columns, N - first_n)
    return folds


@njit(cache=True, inline="always")
def _tree_shape(rows: int) -> tuple[Integers, Integers]:
    """Return the nodes of each level, products being level 0, and the row at which each begins in one array of all."""
    levels = 0
    while (1 << levels) < rows:
        levels += 1
    nodes, offset = np.zeros(levels + 1, np.int64), np.zeros(levels + 1, np.int64)
    nodes[0] = rows
    for level in range(1, levels + 1):
        nodes[level] = (nodes[level - 1] + 1) // 2
        offset[level] = offset[level - 1] + nodes[level - 1]
    return nodes, offset


@njit(cache=True)
def bus_pitches(rows: int, columns: int, port: int) -> int:
    """Return the length of what carries a word along its row: its lines, one PE after the other, to the end of each."""
    lines = min(columns, max(1, port // rows))
    pitches = 0
    for line in range(lines):
        column = 0
        while column * lines < (line + 1) * columns:  # this PE is in the share of this line or of one before
            column += 1
        pitches += column
    return pitches


@njit(cache=True)
def load_pitches(rows: int, columns: int, port: int) -> int:
    """Return the length of what carries a word to its PE: down a column, and along its row if ports take no rows."""
    return rows if port % columns == 0 else rows + columns


@njit(cache=True)
def _tree_pitches(level: int, nodes: Any, real_rows: int) -> int:
    """Return the length of a level's links of a column: from each second child with a real product to the first."""
    pitches = 0
    if level > 0:
        for second in range(1, nodes[level - 1], 2):
            if second << (level - 1) < real_rows:
                pitches += 1 << (level - 1)
    return pitches


@njit(cache=True, inline="always")
def _load(block: Any, shadow: Any, columns: int, start: int, end: int) -> int:
    """Write words `start` to `end` - 1 of a fold to `shadow`, row by row; return how many are real."""
    real_words = 0
    for word in range(start, end):
        r, c = word // columns, word % columns
        real = r < block.shape[0] and c < block.shape[1]
        shadow[r, c] = block[r, c] if real else 0
        real_words += real
    return real_words


@njit(cache=True, inline="always")
def _enter(words: Any, entered: Any) -> None:
    """Write a vector to `in`; rows that it does not have get zeros."""
    for r in range(len(words)):
        entered[r] = words[r]
    for r in range(len(words), len(entered)):
        entered[r] = 0


@njit(cache=True, inline="always")
def _multiply(entered: Any, weight: Any, product: Any) -> None:
    """Write `product`, the tree's level 0."""
    for r in range(len(entered)):
        x = entered[r]
        for c in range(weight.shape[1]):
            product[r, c] = x * weight[r, c]


@njit(cache=True, inline="always")
def _add_level(tree: Any, below: int, nodes_below: int, here: int, nodes: int) -> None:
    """Write a level of the tree: sums of pairs of the level below; a node without a partner passes on."""
    pairs = nodes_below // 2
    for i in range(pairs):
        for c in range(tree.shape[1]):
            tree[here + i, c] = tree[below + 2 * i, c] + tree[below + 2 * i + 1, c]
    if pairs < nodes:
        for c in range(tree.shape[1]):
            tree[here + pairs, c] = tree[below + 2 * pairs, c]


@njit(cache=True, inline="always")
def _accumulate(top: Any, sums: Any, psums: Any, adds: bool) -> None:
    """Write `sum`: the top of the tree plus its psum; real columns go to the buffer."""
    for c in range(len(sums)):
        sums[c] = top[c]
    if adds:
        for c in range(len(psums)):
            sums[c] += psums[c]
    for c in range(len(psums)):
        psums[c] = sums[c]


@njit(cache=True)
def _stream(
    vectors: Any, results: Any, adds: bool, weight: Any, entered: Any, tree: Any, sums: Any, nodes: Any, offset: Any,
) -> None:  # fmt: skip
    """Step as many cycles as there are vectors, with every pipeline stage taken by the same fold."""
    rows, lanes = weight.shape
    real_d, real_n, levels = vectors.shape[1], results.shape[1], len(nodes) - 1
    # While it streams, a level's nodes have bit-reversed order and are padded with zeros to a power of two, so that
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
