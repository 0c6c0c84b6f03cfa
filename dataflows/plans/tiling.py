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

from dataflows.dataflow import Granularity
from dataflows.plans.loopnest import LoopNest
from dataflows.plans.placement import Operand, Placement
from dataflows.plans.plan import BufferBudget, Integers, TileTooLargeError
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
def choose_tiling(product: Product, placement: Placement, granularity: Granularity, budget: BufferBudget) -> Tiling:
    """Return the cut of least DRAM traffic among those that take little longer than the fastest.

    The budget is what tiles may use; what lies whole in the buffer has been taken from it.

    Raises
    ------
    TileTooLargeError
        If not even the smallest tile fits in the buffer.
    """
    from dataflows.plans.tiling_search import search  # needs numba

    nest, cuts = LoopNest(product), _cuts_of(product, granularity)
    stored = placement.result == "dram"
    best, needed = search(
        cuts.space_table, cuts.group_table, cuts.inner_table, cuts.outer_table,
        np.array([nest.groups, nest.inner, nest.outer, nest.kernel, nest.images * nest.rows * nest.row_positions]),
        nest.reduces_space,
        np.array([_loaded_bytes(placement.image, budget), _loaded_bytes(placement.filter, budget),
                  budget.word_bytes * stored, budget.partial_sum_bytes]),
        np.array([budget.capacity_bytes, budget.transfer_overhead_bytes, granularity.step_cycles, budget.mebibyte_cycles,
                  -1 if budget.slack_percent is None else budget.slack_percent]),
        _ORDERS if stored else _ORDERS[:2],
    )  # fmt: skip
    if best[0] < 0:
        raise TileTooLargeError(int(needed), budget.capacity_bytes)
    space, group, inner, outer, order = best.tolist()
    images, rows = cuts.space[space]
    sizes = (int(table[row, 0]) for table, row in (
        (cuts.group_table, group), (cuts.inner_table, inner), (cuts.outer_table, outer)))  # fmt: skip
    group_size, inner_size, outer_size = sizes
    return Tiling(group_size, images, rows, inner_size, outer_size, ORDERS[order])


@dataclass(frozen=True, slots=True)
class _Cuts:
    """The cuts of a product along each axis, and what the search needs of them.

    Attributes
    ----------
    space : tuple of (int, int)
        Images and rows of a tile.
    space_table : int64[cuts, 5]
        Of each: tiles, image words of the largest and of all, positions of the largest, steps.
    group_table, inner_table, outer_table : int64[cuts, 2]
        Tile size, and steps.
    """

    space: tuple[tuple[int, int], ...]
    space_table: Integers
    group_table: Integers
    inner_table: Integers
    outer_table: Integers


@lru_cache(maxsize=4096)
def _cuts_of(product: Product, granularity: Granularity) -> _Cuts:
    """Return the cuts of a product; designs, phases and buffers share them."""
    from dataflows.plans.tiling_search import swept_rows

    nest = LoopNest(product)
    # Along the spatial axis run the vectors, or the reduction of a wgrad; along `inner` the other of the two.
    space_quantum, inner_quantum = granularity.vectors, granularity.reduction
    if nest.reduces_space:
        space_quantum, inner_quantum = inner_quantum, space_quantum
    image_rows, sweep_rows = nest.meetings()
    read = swept_rows(image_rows, sweep_rows, nest.rows)
    spatial = np.array(_spatial_candidates(nest, space_quantum, granularity.space, read[:, 0].tolist()), dtype=np.int64)
    streamed = {"vectors": "inner", "reduction": "space"} if nest.reduces_space else {
        "vectors": "space", "reduction": "inner"}  # fmt: skip
    streams = streamed.get(granularity.streamed, "outer")

    images, rows = spatial.T
    (image_sizes, image_counts), (row_sizes, row_counts) = _pieces(nest.images, images), _pieces(nest.rows, rows)
    tile_counts = image_counts[:, :, None] * row_counts[:, None, :]
    tiles = tile_counts.sum(axis=(1, 2))
    if granularity.space is None:
        positions = image_sizes[:, :, None] * row_sizes[:, None, :] * nest.row_positions
        folds = _steps(positions, space_quantum, granularity, streams == "space")
        work = (folds * tile_counts).sum(axis=(1, 2))
    else:
        side = -(-image_sizes // granularity.space[0])[:, :, None] * -(-row_sizes // granularity.space[1])[:, None, :]
        work = (side * tile_counts).sum(axis=(1, 2)) + granularity.overhead * tiles * (streams == "space")
    rows_read = read[rows - 1] * nest.image_row_words
    space_table = np.stack([
        tiles, images * rows_read[:, 1], nest.images * rows_read[:, 0], images * rows * nest.row_positions, work,
    ], axis=1)  # fmt: skip

    def table(total: int, quantum: int, step: int, axis: str, sizes: list[int]) -> Integers:
        pieces, counts = _pieces(total, np.array(sizes, dtype=np.int64))
        folds = _steps(pieces * step, quantum, granularity, streams == axis)
        return np.stack([np.array(sizes, dtype=np.int64), (folds * counts).sum(axis=1)], axis=1)

    return _Cuts(
        tuple((int(images), int(rows)) for images, rows in spatial),
        space_table,
        table(nest.groups, granularity.groups, 1, "groups", _cuts(nest.groups, granularity.groups)),
        table(nest.inner, inner_quantum, nest.kernel, "inner",
              _cuts(nest.inner, _quantum(inner_quantum, nest.kernel))),
        table(nest.outer, granularity.columns, 1, "outer", _cuts(nest.outer, granularity.columns)),
    )  # fmt: skip


def _pieces(total: int, sizes: Integers) -> tuple[Integers, Integers]:
    """Return the two sizes of pieces of each cut of `total` (the last piece second), and how many of each there are."""
    most = -(-total // sizes) - 1
    return np.stack([sizes, total - most * sizes], axis=1), np.stack([most, np.ones_like(most)], axis=1)


def _steps(sizes: Integers, quantum: int, granularity: Granularity, streamed: bool) -> Integers:
    """Return the steps that pieces take along an axis: folds, or on the streamed axis what each fold streams."""
    folds: Integers = -(-sizes // quantum)
    return np.maximum(folds, granularity.least) + granularity.overhead if streamed else folds


def _loaded_bytes(operand: Operand, budget: BufferBudget) -> int:
    """Return the bytes of an element that tiles load and hold; 0 for what lies on the chip."""
    return budget.word_bytes * operand.tensors * (operand.place == "dram")


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


def _spatial_candidates(
    nest: LoopNest, quantum: int, space: tuple[int, int] | None, read: list[int]
) -> list[tuple[int, int]]:
    """Return (images, rows): whole images first, then parts of one image.

    `read` has the image rows that all tiles together read, for tiles of 1, 2, ... rows.
    """
    if space is None:
        image_quantum = min(nest.images, _quantum(quantum, nest.rows * nest.row_positions))
        row_quantum = min(nest.rows, _quantum(quantum, nest.row_positions))
    else:
        image_quantum, row_quantum = space
        row_quantum = row_quantum if row_quantum < nest.rows else 1  # rows that all fit side by side fit when cut, too
    whole = [(images, nest.rows) for images in _cuts(nest.images, image_quantum)]
    parts = [(1, rows) for rows in sorted({*_cuts(nest.rows, row_quantum), *_row_cuts(nest.rows, read)}, reverse=True)]
    return list(dict.fromkeys([*whole, *parts]))


def _row_cuts(rows: int, read: list[int]) -> list[int]:
    """Return the rows of a tile worth a look: for each number of tiles the least, and larger ones that read less.

    How many rows are read twice at the borders of tiles depends on where these lie, if there is much padding.
    """
    found, pieces, least = [], 0, 0
    for size in range(1, rows + 1):
        if -(-rows // size) != pieces:
            pieces, least = -(-rows // size), read[size - 1]
            found.append(size)
        elif read[size - 1] < least:
            least = read[size - 1]
            found.append(size)
    return found
