"""Weight stationary: the closed form against a naive pipeline that goes cycle by cycle."""

from math import ceil, log2

import numpy as np
import pytest
from array_specs import array_of
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflows.array import PEArray
from dataflows.convolution import ConvolutionTiles, Sliding
from dataflows.dataflow import find_dataflow
from dataflows.plans.budget import BufferBudget
from dataflows.plans.placement import ALL_IN_DRAM
from dataflows.plans.planning import choose_tiling, plan_product
from dataflows.plans.tile_sequence import tile_sequence
from workloads.passes import Product
from workloads.shapes import linear_shape

WS = find_dataflow("ws", "broadcast", "", "")
BIG = BufferBudget(capacity_bytes=1 << 40, word_bytes=2, partial_sum_bytes=4)


def array(rows: int, columns: int, weight: int, image: int, result: int) -> PEArray:
    return array_of("broadcast", rows, columns, (weight, image, result))


def naive_cycles(pe: PEArray, folds: int, vectors: int) -> int:
    """Run the pipeline cycle by cycle: shadow registers fill, swap, vectors enter, sums leave.

    Every fold is a whole array of words. A word of every row and column is a token that is counted in
    and out through its port; a vector has entered when all rows' words have, and left when all columns' sums have.
    """
    words_to_load = [pe.rows * pe.columns] * folds
    shadow_ready_fold = -1  # which fold lies complete in the shadow registers
    active, entered = -1, 0  # the fold in the registers, and how many of its vectors entered
    row_words = column_words = 0  # words of the current vector that have passed the ports
    last_entry, cycle = -1, 0
    loading = 0
    while True:
        # The swap takes a cycle of its own after the last word; it needs the fold before to be through.
        can_swap = shadow_ready_fold == active + 1 and (active < 0 or entered == vectors)
        if can_swap:
            active, entered = active + 1, 0
        streaming = active >= 0 and entered < vectors
        if streaming:
            row_words = min(pe.rows, row_words + pe.input_port_words_per_cycle)
            column_words = min(pe.columns, column_words + pe.output_port_words_per_cycle)
            if row_words == pe.rows and column_words == pe.columns:
                entered, row_words, column_words, last_entry = entered + 1, 0, 0, cycle
        if loading < folds and loading == active + 1:
            if words_to_load[loading] > 0:
                words_to_load[loading] -= pe.weight_port_words_per_cycle
            else:  # the swap cycle
                shadow_ready_fold, loading = loading, loading + 1
        if active == folds - 1 and entered == vectors:
            break
        cycle += 1
    tree = 0
    while (1 << tree) < pe.rows:
        tree += 1
    return last_entry + 1 + 1 + tree + 1  # multiplier, tree, accumulator


sizes = st.integers(1, 9)


@settings(max_examples=300, deadline=None)
@given(sizes, sizes, sizes, sizes, sizes, st.integers(1, 30), st.integers(1, 60), st.integers(1, 30))
def test_closed_form_equals_naive_pipeline(
    rows: int, columns: int, weight: int, image: int, result: int, reduction: int, vectors: int, outputs: int
) -> None:
    pe = array(rows, columns, weight, image, result)
    product = Product(linear_shape(vectors, reduction, outputs), "forward")
    plan = plan_product(product, ALL_IN_DRAM, WS, pe, BIG)
    assert len(plan.stream_cycles) == 1, "one tile, since the buffer is large and tiles are dear"
    folds = ceil(reduction / rows) * ceil(outputs / columns)
    assert plan.compute_cycles == naive_cycles(pe, folds, vectors)


@pytest.mark.parametrize(("folds", "vectors"), [(1, 1), (1, 100), (7, 3), (7, 16), (7, 17), (40, 1000)])
def test_published_form(folds: int, vectors: int) -> None:
    # 12 x 15 with a 12-word weight bus: LC + 1 + (F-1) max(M, LC+1) + M + ceil(log2 rows) + 2, LC = 15
    pe = array(12, 15, 12, 12, 15)
    plan = plan_product(Product(linear_shape(vectors, 12 * folds, 15), "forward"), ALL_IN_DRAM, WS, pe, BIG)
    assert plan.compute_cycles == 16 + (folds - 1) * max(vectors, 16) + vectors + ceil(log2(12)) + 2


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 3), st.integers(1, 20), st.integers(1, 25), st.integers(1, 25)), min_size=1, max_size=5
    ),
    st.integers(1, 6),
    st.integers(1, 6),
)
def test_traffic_equals_counting_fold_by_fold(tiles: list[tuple[int, int, int, int]], rows: int, columns: int) -> None:
    """Visit every fold of every tile and count what enters and leaves the array."""
    pe = array(rows, columns, rows, rows, columns)
    image = filters = sums = macs = 0
    for groups, vectors, reduction, outputs in tiles:
        for _ in range(groups):
            for first_row in range(0, reduction, rows):
                for first_column in range(0, outputs, columns):
                    r, c = min(rows, reduction - first_row), min(columns, outputs - first_column)
                    filters += r * c
                    for _ in range(vectors):
                        image, sums, macs = image + r, sums + c, macs + r * c
    each_group, each_vectors, each_reduction, each_outputs = (np.array(size) for size in zip(*tiles, strict=True))
    one = np.ones_like(each_group)
    sizes = (each_group, each_vectors, each_reduction, each_outputs, one, one)
    matrix = ConvolutionTiles(*sizes, 1, 1, Sliding((1, 1), (1, 1)), "forward")
    finished = sum(g * v * o for g, v, _, o in tiles)
    traffic = WS.traffic(pe, matrix, finished)
    assert (traffic.ifmap_words, traffic.filter_words) == (image, filters)
    assert traffic.partial_sum_writes == traffic.partial_sum_reads == sums - finished
    assert traffic.inside.stationary_register_reads == macs


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 40), st.integers(1, 200), st.integers(1, 40), st.integers(200, 4000))
def test_tiles_follow_each_other_without_a_gap(reduction: int, vectors: int, outputs: int, capacity: int) -> None:
    """Cut into tiles, a plan takes the cycles of its folds in one sequence, if they are long enough to hide fills."""
    pe = array(4, 5, 20, 4, 5)  # a fold loads in 2 cycles
    budget = BufferBudget(capacity, 2, 4)
    product = Product(linear_shape(vectors, reduction, outputs), "forward")
    tiling = choose_tiling(product, ALL_IN_DRAM, WS, pe, budget).tiling
    tiles = tile_sequence(product, tiling)
    plan = plan_product(product, ALL_IN_DRAM, WS, pe, budget)
    # every fold of every tile in one sequence; the first fill and the last fold's streaming stand alone
    folds = [
        int(tiles.parts.vectors[t])
        for t in range(len(tiles.tensors.ifmap.words))
        for _ in range(ceil(tiles.parts.reduction[t] / 4) * ceil(tiles.parts.filters[t] / 5))
    ]
    fill = 20 // 20 + 1
    expected = fill + sum(max(fold, fill) for fold in folds[:-1]) + folds[-1] + 2 + 2
    assert plan.compute_cycles == expected
