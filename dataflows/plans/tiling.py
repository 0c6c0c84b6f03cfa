"""The cuts of a product into tiles, and the candidates that are listed in the order of what is known of them.

Groups run outermost and share nothing. Within a group three loops over tiles remain (moving, reduction, columns), in
any order. Where the reduction is not the innermost of those that are cut, partial sums leave for DRAM and come back (at
least four tiles later, so that they are stored before they are asked for).

Candidates are all orders with all uniform cuts of each loop into whole images or parts of one. Which cuts there are
depends on the product and the array alone, so that a larger buffer never has fewer of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import gcd

import numpy as np

from dataflows.array import PEArray
from dataflows.convolution import whole_convolution
from dataflows.dataflow import Dataflow, Granularity
from dataflows.plans.loopnest import LoopNest
from dataflows.plans.placement import Operand, Placement
from dataflows.plans.plan import BufferBudget, Integers
from workloads.passes import Product

Order = tuple[str, str, str]
# Loops from the outermost to the innermost. Orders in which results are finished one by one come first.
ORDERS: tuple[Order, ...] = (
    ("columns", "vectors", "reduction"), ("vectors", "columns", "reduction"), ("columns", "reduction", "vectors"),
    ("vectors", "reduction", "columns"), ("reduction", "columns", "vectors"), ("reduction", "vectors", "columns"),
)  # fmt: skip
AXES = ("vectors", "reduction", "columns")
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


Key = tuple[int, int, int, int, int]
# What candidates are listed by: 0 time, 1 DRAM bytes, 2 bytes through the buffer; then the number of tiles.
Criteria = tuple[int, int, int]
UNLIMITED_TIME = 1 << 62


@dataclass(frozen=True)
class TilingSearch:
    """The candidates of a product under one mapping of a dataflow.

    The budget is what tiles may use; what lies whole in the buffer has been taken from it.
    """

    product: Product
    placement: Placement
    dataflow: Dataflow
    array: PEArray
    budget: BufferBudget

    def candidates(self, criteria: Criteria, most_time: int = UNLIMITED_TIME) -> Iterator[tuple[Key, Tiling]]:
        """Yield the tilings that fit in the order of the criteria, bounds from below, each with its key."""
        from dataflows.plans.tiling_search import search  # needs numba

        after, wanted = np.full(5, -1, np.int64), 4
        while True:
            found, keys, _ = search(*self._tables, np.array(criteria), most_time, after, wanted)
            for row, key in zip(found.tolist(), keys.tolist(), strict=True):
                yield tuple(key), self._cuts.tiling(row)
            if len(found) < wanted:
                return
            after, wanted = keys[-1], 4 * wanted

    def quick(self) -> tuple[int, int, Tiling] | None:
        """Return what no tiling's time is below, and of a tiling that is fast and of few tiles its time, and it."""
        from dataflows.plans.tiling_search import search  # needs numba

        found, keys, least = search(*self._tables, np.array([3, 1, 2]), UNLIMITED_TIME, np.full(5, -1, np.int64), 1)
        return (int(least), int(keys[0, 0]), self._cuts.tiling(found[0].tolist())) if len(found) else None

    @cached_property
    def least_time(self) -> int:
        """What no tiling is faster than: the array's time for the whole product as one tile.

        Zero where accumulators cut vectors, which tiles of a short reduction go without.
        """
        if self.dataflow.granularity(self.array, self.product).most is not None:
            return 0
        return int(self.dataflow.timing(self.array, whole_convolution(self.product)).stream_cycles.sum())

    @property
    def needed_bytes(self) -> int:
        """Bytes of buffer that the smallest tile needs."""
        from dataflows.plans.tiling_search import smallest_tile  # needs numba

        nest, cuts = LoopNest(self.product), self._cuts
        return int(smallest_tile(cuts.space, cuts.inner, cuts.outer, nest.kernel, nest.reduces_space,
                                 self._element_bytes))  # fmt: skip

    @cached_property
    def _cuts(self) -> "Cuts":
        return cuts_of(self.product, self.dataflow, self.array)

    @cached_property
    def _element_bytes(self) -> Integers:
        image, filter_, result = self.placement.image, self.placement.filter, self.placement.result
        return np.array([_loaded_bytes(image, self.budget), _loaded_bytes(filter_, self.budget),
                         self.budget.word_bytes * (result == "dram"), self.budget.partial_sum_bytes])  # fmt: skip

    @cached_property
    def _tables(self) -> tuple[object, ...]:
        nest, cuts, budget, where = LoopNest(self.product), self._cuts, self.budget, self.placement
        passing = [(budget.word_bytes * where.image.tensors, where.image.place),
                   (budget.word_bytes * where.filter.tensors, where.filter.place),
                   (budget.word_bytes, where.result)]  # fmt: skip
        ports = budget.ports
        return (
            cuts.space, cuts.groups, cuts.inner, cuts.outer,
            np.array([nest.groups, nest.inner, nest.outer, nest.kernel, nest.images * nest.rows * nest.row_positions,
                      cuts.ifmap_words]),
            nest.reduces_space, cuts.streamed, cuts.folds, self._element_bytes,
            np.array([size * (place != "predictor_sram") for size, place in passing]
                     + [size * (place == "predictor_sram") for size, place in passing]),
            np.array([UNLIMITED_TIME if width is None else width
                      for width in (ports.buffer_bytes, ports.predictor_sram_bytes)]),
            budget.capacity_bytes, np.array(budget.channel.least_cycles),
            _ORDERS if where.result == "dram" else _ORDERS[:2],
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cuts:
    """The cuts of a product along each axis, and what the search needs of them.

    Attributes
    ----------
    images_rows : tuple of (int, int)
        Images and rows of a tile, for each row of `space`.
    space, groups, inner, outer : int64[cuts, columns]
        Of each cut: tile size, tiles; work of tiles whose reduction is one fold and of the others; passes of the
        operand that does not span the axis, likewise; size of the last tile, and cycles that its last fold streams. In
        `space` also ifmap words of the largest tile, of the first and of all, positions of the largest, and how many
        tiles read any ifmap word.
    streamed : int
        The axis that streams through a fold, in the order of `AXES`.
    folds : int64[4]
        Folds of a block, least cycles of a fold, cycles of a plan beside its folds, and whether partial sums are
        accumulated.
    ifmap_words : int
        Words that one pass over the ifmap brings to the array.
    """

    images_rows: tuple[tuple[int, int], ...]
    space: Integers
    groups: Integers
    inner: Integers
    outer: Integers
    streamed: int
    folds: Integers
    ifmap_words: int

    def tiling(self, row: list[int]) -> Tiling:
        """Return the tiling of a row (space, group, inner, outer, order) of the search."""
        space, group, inner, outer, order = row
        images, rows = self.images_rows[space]
        sizes = (int(table[at, 0]) for table, at in ((self.groups, group), (self.inner, inner), (self.outer, outer)))
        groups, inner, outer = sizes
        return Tiling(groups, images, rows, inner, outer, ORDERS[order])


@lru_cache(maxsize=4096)
def cuts_of(product: Product, dataflow: Dataflow, array: PEArray) -> Cuts:
    """Return the cuts of a product; designs, phases and buffers share them."""
    nest, grain = LoopNest(product), dataflow.granularity(array, product)
    # Along the spatial axis run the vectors, or the reduction of a wgrad; along `inner` the other of the two.
    space_quantum, inner_quantum = grain.vectors, grain.reduction
    if nest.reduces_space:
        space_quantum, inner_quantum = inner_quantum, space_quantum
    read = _rows_read(product)
    spatial = np.array(_spatial_candidates(nest, space_quantum, grain.space, read[:, 0].tolist()), dtype=np.int64)
    images, rows = spatial.T
    (image_sizes, image_counts), (row_sizes, row_counts) = _pieces(nest.images, images), _pieces(nest.rows, rows)
    tile_counts = (image_counts[:, :, None] * row_counts[:, None, :]).reshape(len(spatial), 4)
    positions = (image_sizes[:, :, None] * row_sizes[:, None, :]).reshape(len(spatial), 4) * nest.row_positions
    if grain.space is None:
        blocks = -(-positions // space_quantum)
    else:
        side = -(-image_sizes // grain.space[0])[:, :, None] * -(-row_sizes // grain.space[1])[:, None, :]
        blocks = side.reshape(len(spatial), 4)
    space_axis, inner_axis = ("reduction", "vectors") if nest.reduces_space else ("vectors", "reduction")
    rows_read = read[rows - 1] * nest.image_row_words
    space = _axis_table(spatial[:, 0], positions, tile_counts, blocks, positions, space_axis, grain)
    reading = image_counts.sum(axis=1) * read[rows - 1, 3]
    more = [images * rows_read[:, 1], images * rows_read[:, 2], nest.images * rows_read[:, 0], positions[:, 0], reading]

    def table(total: int, quantum: int, kernel: int, axis: str, sizes: list[int]) -> Integers:
        extents, counts = _pieces(total, np.array(sizes, dtype=np.int64))
        return _axis_table(
            extents[:, 0], extents, counts, -(-extents * kernel // quantum), extents * kernel, axis, grain
        )

    groups = table(nest.groups, grain.groups, 1, "groups", _cuts(nest.groups, grain.groups))
    inner = table(nest.inner, inner_quantum, nest.kernel, inner_axis,
                  _cuts(nest.inner, _quantum(inner_quantum, nest.kernel)))  # fmt: skip
    outer = table(nest.outer, grain.columns, 1, "columns", _cuts(nest.outer, grain.columns))
    cuts = Cuts(
        tuple((int(images), int(rows)) for images, rows in spatial), np.column_stack([space, *more]), groups, inner,
        outer, AXES.index(grain.streamed), np.array([grain.folds, grain.least_cycles, 0, grain.accumulated]),
        nest.groups * product.vectors * product.reduction if grain.image_words is None else grain.image_words,
    )  # fmt: skip
    cuts.folds[2] = _beside(product, dataflow, array, cuts)
    return cuts


def _axis_table(
    sizes: Integers,
    extents: Integers,
    counts: Integers,
    blocks: Integers,
    words: Integers,
    axis: str,
    grain: Granularity,
) -> Integers:
    """Return the columns of `Cuts` for an axis; all but `sizes` are [cuts, kinds of tiles], the last kind last."""
    tiles = counts.sum(axis=1)
    last_fold = np.zeros_like(tiles)
    if axis == grain.streamed:
        folds = _fold_cycles(blocks, grain)
        pieces_folds, pieces, last = folds, np.ones_like(blocks), blocks
        if grain.most is not None:  # then a block is a vector
            full, rest = words // grain.most, words % grain.most
            pieces_folds = full * _fold_cycles(np.array(grain.most), grain) + (rest > 0) * _fold_cycles(rest, grain)
            pieces, last = full + (rest > 0), np.where(rest > 0, rest, grain.most)
        work = [(folds * counts).sum(axis=1), (pieces_folds * counts).sum(axis=1) * (axis != "reduction")]
        passes = [tiles, (pieces * counts).sum(axis=1)]
        last_fold = last[:, -1] * grain.step_cycles
    elif axis == "reduction":
        one = counts * (blocks <= 1)
        work = [(blocks * one).sum(axis=1), (blocks * (counts - one)).sum(axis=1)]
        passes = [(extents * one).sum(axis=1), (extents * (counts - one)).sum(axis=1)]
    else:
        work = [(blocks * counts).sum(axis=1)] * 2
        passes = work
    return np.column_stack([sizes, tiles, *work, *passes, extents[:, -1], last_fold])


def _fold_cycles(steps: Integers, grain: Granularity) -> Integers:
    cycles: Integers = np.maximum(steps * grain.step_cycles, grain.least_cycles) + grain.overhead_cycles
    return cycles


def _beside(product: Product, dataflow: Dataflow, array: PEArray, cuts: Cuts) -> int:
    """Return the cycles of a plan beside its folds: filling before the first and draining after the last."""
    timing = dataflow.timing(array, whole_convolution(product))
    whole = cuts.space[0], cuts.inner[0], cuts.outer[0]
    padded = max(0, int(cuts.folds[1]) - sum(int(table[7]) for table in whole))
    folds = int(cuts.folds[0] * cuts.groups[0, 2]) * sum(int(np.prod([table[i] for table in whole])) for i in (2, 3))
    return timing.fill_cycles + int(timing.stream_cycles.sum()) + timing.drain_cycles - (folds - padded)


@lru_cache(maxsize=4096)
def _rows_read(product: Product) -> Integers:
    from dataflows.plans.tiling_search import rows_read  # needs numba

    return rows_read(*LoopNest(product).meetings(), LoopNest(product).rows)


def _pieces(total: int, sizes: Integers) -> tuple[Integers, Integers]:
    """Return the two sizes of pieces of each cut of `total` (the last piece second), and how many of each there are."""
    most = -(-total // sizes) - 1
    return np.stack([sizes, total - most * sizes], axis=1), np.stack([most, np.ones_like(most)], axis=1)


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
