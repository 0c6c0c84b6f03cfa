"""Choose the tiles of a product: which cut and which order of loops move the fewest bytes within the buffer.

Groups run outermost and share nothing. Within a group three loops over tiles remain (moving, reduction, columns), in
any order. Where the reduction is not the innermost of those that are cut, partial sums leave for DRAM and come back (at
least four tiles later, so that they are stored before they are asked for).

A cut's time is that of the array's steps (a tile's remainder may leave PEs idle, a short fold waits for the loading of
the next) or that of the channel, whichever is longer. Of the cuts whose time is within the budget's slack of the least
(or of all, where there is no slack given) the one that moves the fewest bytes wins; among equals the one of fewest
steps, and then the one that keeps the array waiting least: its first load and its last store, which nothing hides, and
the channel's overhead for each tile.

The search is exact: over all orders, and all uniform cuts of each loop into whole images or parts of one.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import gcd

import numpy as np

from dataflows.dataflow import Quanta
from dataflows.loopnest import LoopNest, extents
from dataflows.placement import Operand, Placement
from dataflows.plan import BufferBudget, Integers, TileTooLargeError
from workloads.passes import Product

Order = tuple[str, str, str]
# Loops from the outermost to the innermost. Orders in which results are finished one by one come first.
ORDERS: tuple[Order, ...] = (
    ("columns", "moving", "reduction"), ("moving", "columns", "reduction"), ("columns", "reduction", "moving"),
    ("moving", "reduction", "columns"), ("reduction", "columns", "moving"), ("reduction", "moving", "columns"),
)  # fmt: skip
AXES = ("moving", "reduction", "columns")
_ORDERS = np.array([[AXES.index(axis) for axis in order] for order in ORDERS], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Tiling:
    """Tile sizes, and the order of the loops over tiles.

    `images` is 1 wherever `rows` is less than the whole image.
    """

    groups: int
    images: int
    rows: int
    inner: int
    outer: int
    order: Order


@lru_cache(maxsize=16384)
def choose_tiling(product: Product, placement: Placement, quanta: Quanta, budget: BufferBudget) -> Tiling:
    """Return the cut of least DRAM traffic among those that take little longer than the fastest.

    The budget is what tiles may use; what lies whole in the buffer has been taken from it.

    Raises
    ------
    TileTooLargeError
        If not even the smallest tile fits in the buffer.
    """
    from dataflows.tiling_search import search  # needs numba

    nest = LoopNest(product)
    # Along the spatial axis run the vectors, or the reduction of a wgrad; along `inner` the other of the two.
    space_quantum, inner_quantum = quanta.vectors, quanta.reduction
    if nest.reduces_space:
        space_quantum, inner_quantum = inner_quantum, space_quantum
    spatial = _spatial_candidates(nest, space_quantum, quanta.space)
    tiles = [nest.spatial_tiles(images, rows) for images, rows in spatial]
    groups, outer = _cuts(nest.groups, quanta.groups), _cuts(nest.outer, quanta.columns)
    inner = _cuts(nest.inner, _quantum(inner_quantum, nest.kernel))
    streamed = {"vectors": "inner", "reduction": "space"} if nest.reduces_space else {
        "vectors": "space", "reduction": "inner"}  # fmt: skip
    streams = streamed.get(quanta.streamed, "outer")
    space_work = [
        _work(t.positions, space_quantum, quanta, streams == "space")
        if quanta.space is None
        else int((-(-t.images // quanta.space[0]) * -(-t.rows // quanta.space[1])).sum())
        + quanta.overhead * len(t.rows) * (streams == "space")
        for t in tiles
    ]
    inner_sizes = [extents(nest.inner, size) for size in inner]
    outer_sizes = [extents(nest.outer, size) for size in outer]
    inner_work = [_work(sizes * nest.kernel, inner_quantum, quanta, streams == "inner") for sizes in inner_sizes]
    outer_work = [_work(sizes, quanta.columns, quanta, streams == "outer") for sizes in outer_sizes]
    group_work = [_work(extents(nest.groups, size), quanta.groups, quanta, False) for size in groups]
    stored = placement.result == "dram"
    best, needed = search(
        np.array([
            [len(t.positions), int(t.image_words.max()), int(t.image_words.sum()), int(t.positions.max()), work]
            for t, work in zip(tiles, space_work, strict=True)
        ]),
        *(
            np.array([[size, work] for size, work in zip(sizes, works, strict=True)])
            for sizes, works in ((groups, group_work), (inner, inner_work), (outer, outer_work))
        ),
        np.array([nest.groups, nest.inner, nest.outer, nest.kernel, nest.images * nest.rows * nest.row_positions]),
        nest.reduces_space,
        np.array([_loaded_bytes(placement.image, budget), _loaded_bytes(placement.filter, budget),
                  budget.word_bytes * stored, budget.partial_sum_bytes]),
        np.array([budget.capacity_bytes, budget.transfer_overhead_bytes, quanta.step_cycles, budget.mebibyte_cycles,
                  -1 if budget.slack_percent is None else budget.slack_percent]),
        _ORDERS if stored else _ORDERS[:2],
    )  # fmt: skip
    if best[0] < 0:
        raise TileTooLargeError(int(needed), budget.capacity_bytes)
    space, group, i_inner, i_outer, order = best.tolist()
    images, rows = spatial[space]
    return Tiling(groups[group], images, rows, inner[i_inner], outer[i_outer], ORDERS[order])


def _loaded_bytes(operand: Operand, budget: BufferBudget) -> int:
    """Return the bytes of an element that tiles load and hold; 0 for what lies on the chip."""
    return budget.word_bytes * operand.tensors * (operand.place == "dram")


def _work(sizes: Integers, quantum: int, quanta: Quanta, streamed: bool) -> int:
    """Return the steps that pieces take along an axis: folds, or on the streamed axis what each fold streams."""
    folds = -(-sizes // quantum)
    if streamed:
        folds = np.maximum(folds, quanta.least) + quanta.overhead
    return int(folds.sum())


def _quantum(size: int, step: int) -> int:
    """Return the least count of `step`s that is a multiple of `size`."""
    return size // gcd(size, step)


def _cuts(total: int, quantum: int) -> list[int]:
    """Return tile sizes, largest first: the largest of each number of pieces, and multiples of `quantum` beside it."""
    sizes = {-(-total // pieces) for pieces in _piece_counts(total)}
    sizes |= {min(total, quantum * -(-size // quantum)) for size in sizes}
    sizes |= {size // quantum * quantum for size in sizes if size >= quantum}
    return sorted(sizes, reverse=True)


def _piece_counts(total: int) -> list[int]:
    """Return the least number of pieces for each size that equal pieces can have."""
    counts, pieces = [], 1
    while True:
        counts.append(pieces)
        size = -(-total // pieces)
        if size == 1:
            return counts
        pieces = -(-total // (size - 1))


def _spatial_candidates(nest: LoopNest, quantum: int, space: tuple[int, int] | None) -> list[tuple[int, int]]:
    """Return (images, rows): whole images first, then parts of one image."""
    if space is None:
        image_quantum = min(nest.images, _quantum(quantum, nest.rows * nest.row_positions))
        row_quantum = min(nest.rows, _quantum(quantum, nest.row_positions))
    else:
        image_quantum, row_quantum = space
        row_quantum = row_quantum if row_quantum < nest.rows else 1  # rows that all fit side by side fit when cut, too
    whole = [(images, nest.rows) for images in _cuts(nest.images, image_quantum)]
    parts = [(1, rows) for rows in sorted({*_cuts(nest.rows, row_quantum), *_row_cuts(nest)}, reverse=True)]
    return list(dict.fromkeys([*whole, *parts]))


def _row_cuts(nest: LoopNest) -> list[int]:
    """Return the rows of a tile worth a look: for each number of tiles the least, and larger ones that read less.

    How many rows are read twice at the borders of tiles depends on where these lie, if there is much padding.
    """
    from dataflows.tiling_search import swept_rows

    image_rows, sweep_rows = nest.meetings()
    read = swept_rows(image_rows, sweep_rows, nest.rows)[:, 0].tolist()
    found, pieces, least = [], 0, 0
    for size in range(1, nest.rows + 1):
        if -(-nest.rows // size) != pieces:
            pieces, least = -(-nest.rows // size), read[size - 1]
            found.append(size)
        elif read[size - 1] < least:
            least = read[size - 1]
            found.append(size)
    return found
