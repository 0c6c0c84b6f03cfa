"""The cuts of a product's axes into tiles, and what the kernels of the search need of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import gcd

import numpy as np

from dataflows.array import PEArray
from dataflows.convolution import whole_convolution
from dataflows.dataflow import Dataflow
from dataflows.granularity import Granularity
from dataflows.plans.cut_tables import AxisCuts, Extents, Folds, SpaceCuts
from dataflows.plans.loopnest import LoopNest
from dataflows.plans.plan import Integers
from workloads.passes import Product

AXES = ("vectors", "reduction", "columns")


@dataclass(frozen=True, slots=True)
class Cuts:
    """The cuts of a product along each axis, and what the search needs of them.

    Attributes
    ----------
    space, groups, channels, filters : AxisCuts
        Cuts of images and rows, and of the other axes; all but the first in the order of size.
    more : SpaceCuts
        What else is known of the cuts of images and rows.
    extents : Extents
        Of the whole product.
    folds : Folds
        What tiles take on the array.
    ifmap_pass : int
        Words that one pass over the ifmap brings to the array, at least.
    meetings : int64[meetings], int64[meetings]
        See `LoopNest.meetings`.
    """

    space: AxisCuts
    more: SpaceCuts
    groups: AxisCuts
    channels: AxisCuts
    filters: AxisCuts
    extents: Extents
    folds: Folds
    ifmap_pass: int
    meetings: tuple[Integers, Integers]


@lru_cache(maxsize=4096)
def cuts_of(
    product: Product, dataflow: Dataflow, array: PEArray, given: tuple[tuple[str, int], ...] = ()
) -> Cuts:  # fmt: skip
    """Return the cuts of a product, for a given size of a loop that one alone; designs and buffers share them."""
    fixed = dict(given)
    nest, grain = LoopNest(product), dataflow.granularity(array, product)
    # Along images and rows run the vectors, or the reduction of a wgrad; along channels the other of the two.
    space_quantum, channel_quantum = grain.vectors, grain.reduction
    if nest.reduces_space:
        space_quantum, channel_quantum = channel_quantum, space_quantum
    meetings, read = _rows_read(product)
    spatial = np.array(
        _spatial_candidates(nest, space_quantum, grain.space, read[:, 0].tolist(), fixed), dtype=np.int64
    )
    images, rows = (np.ascontiguousarray(column) for column in spatial.T)
    (image_sizes, image_counts), (row_sizes, row_counts) = _pieces(nest.images, images), _pieces(nest.rows, rows)
    tile_counts = (image_counts[:, :, None] * row_counts[:, None, :]).reshape(len(spatial), 4)
    positions = (image_sizes[:, :, None] * row_sizes[:, None, :]).reshape(len(spatial), 4) * nest.row_positions
    if grain.space is None:
        blocks = -(-positions // space_quantum)
    else:
        side = -(-image_sizes // grain.space[0])[:, :, None] * -(-row_sizes // grain.space[1])[:, None, :]
        blocks = side.reshape(len(spatial), 4)
    space_axis, channel_axis = ("reduction", "vectors") if nest.reduces_space else ("vectors", "reduction")
    rows_read = read[rows - 1] * nest.ifmap_row_words
    space = _axis_cuts(images, positions, tile_counts, blocks, positions, space_axis, grain)
    more = SpaceCuts(
        images, rows, images * rows_read[:, 1], images * rows_read[:, 2], nest.images * rows_read[:, 0],
        np.ascontiguousarray(positions[:, 0]), image_counts.sum(axis=1) * read[rows - 1, 3],
    )  # fmt: skip

    def cuts(total: int, quantum: int, words: int, axis: str, sizes: list[int]) -> AxisCuts:
        extents, counts = _pieces(total, np.array(sizes, dtype=np.int64))
        blocks = -(-extents * words // quantum)
        return _axis_cuts(extents[:, 0], extents, counts, blocks, extents * words, axis, grain)

    def sizes(loop: str, total: int, quantum: int) -> list[int]:
        return [fixed[loop]] if loop in fixed else _cuts(total, quantum)

    groups = cuts(nest.groups, grain.groups, 1, "groups", sizes("groups", nest.groups, grain.groups))
    channels = cuts(nest.channels, channel_quantum, nest.kernel, channel_axis,
                    sizes("channels", nest.channels, _quantum(channel_quantum, nest.kernel)))  # fmt: skip
    filters = cuts(nest.filters, grain.columns, 1, "columns", sizes("filters", nest.filters, grain.columns))
    timing = dataflow.timing(array, whole_convolution(product))
    beside = timing.fill_cycles + timing.drain_cycles - grain.gap_cycles
    folds = Folds(
        AXES.index(grain.streamed), grain.folds, grain.step_cycles, grain.least_cycles, grain.overhead_cycles,
        grain.gap_cycles, grain.waits_when_short, grain.most or 0, grain.accumulated, beside, timing.fill_cycles,
        timing.drain_cycles, grain.groups, space_quantum, *(grain.space or (0, 0)), channel_quantum, grain.columns,
    )  # fmt: skip
    whole_pass = nest.groups * product.vectors * product.reduction
    return Cuts(
        space, more, groups, channels, filters, Extents.of(nest), folds,
        whole_pass if grain.ifmap_words is None else grain.ifmap_words, meetings,
    )  # fmt: skip


def _axis_cuts(
    sizes: Integers,
    extents: Integers,
    counts: Integers,
    blocks: Integers,
    words: Integers,
    axis: str,
    grain: Granularity,
) -> AxisCuts:
    """Return the cuts of an axis; all but `sizes` are [cuts, kinds of tiles], the last kind last."""
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
        one = counts * (blocks * grain.folds <= 1)
        work = [(blocks * one).sum(axis=1), (blocks * (counts - one)).sum(axis=1)]
        passes = [(extents * one).sum(axis=1), (extents * (counts - one)).sum(axis=1)]
    else:
        work = [(blocks * counts).sum(axis=1)] * 2
        passes = work
    columns = (sizes, tiles, *work, *passes, extents[:, -1], last_fold)
    return AxisCuts(*(np.ascontiguousarray(column, dtype=np.int64) for column in columns))


def _fold_cycles(steps: Integers, grain: Granularity) -> Integers:
    cycles: Integers = np.maximum(steps * grain.step_cycles, grain.least_cycles) + grain.overhead_cycles
    return cycles


@lru_cache(maxsize=4096)
def _rows_read(product: Product) -> tuple[tuple[Integers, Integers], Integers]:
    """Return which rows meet, and what cuts into 1, 2, ... rows read of them."""
    from dataflows.plans.cut_kernels import rows_read  # needs numba

    meetings = LoopNest(product).meetings()
    return meetings, rows_read(*meetings, LoopNest(product).rows)


def _pieces(total: int, sizes: Integers) -> tuple[Integers, Integers]:
    """Return the two sizes of pieces of each cut of `total` (the last piece second), and how many of each there are."""
    most = -(-total // sizes) - 1
    return np.stack([sizes, total - most * sizes], axis=1), np.stack([most, np.ones_like(most)], axis=1)


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
    nest: LoopNest, quantum: int, space: tuple[int, int] | None, read: list[int], fixed: Mapping[str, int]
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
    images_, rows_ = _cuts(nest.images, image_quantum), {*_cuts(nest.rows, row_quantum), *_row_cuts(nest.rows, read)}
    if "images" in fixed:
        images_ = [fixed["images"]]
    if "rows" in fixed:
        rows_ = {fixed["rows"]}
    whole = [(images, nest.rows) for images in images_ if fixed.get("rows", nest.rows) == nest.rows]
    parts = [(1, rows) for rows in sorted(rows_, reverse=True) if fixed.get("images", 1) == 1]
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
