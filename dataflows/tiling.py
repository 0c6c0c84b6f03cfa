"""Choose the tiles of a product: which cut moves the fewest bytes within the buffer.

Results stay in the buffer until they are finished (the reduction is the innermost of the tile loops), so
partial sums never go to DRAM. What is left to choose are the tile sizes and which of the other
two loops is the outer one. Among cuts of equal traffic those win that take the array the fewest steps (a tile's
remainder may leave PEs idle, and a systolic fold has a price of its own), and among these the one that keeps the
array waiting least: its first load and its last store, which nothing hides, and the channel's overhead for each
tile. The search covers both loop orders and, along each axis, cuts into 1, 2, 3, 4, 6, 8, 12, ... pieces that are
multiples of the array's size (any extent where no multiple fits); it is exhaustive over these and claims no more.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from math import gcd

import numpy as np

from dataflows.convolution import ConvolutionTiles, whole_convolution
from dataflows.dataflow import Quanta
from dataflows.loopnest import LoopNest, SpatialTiles, extents
from dataflows.placement import Placement
from dataflows.plan import BufferBudget, Integers, TileTooLargeError
from workloads.passes import Product

_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Tiling:
    """Tile sizes, and whether the column loop runs outside the moving one.

    `images` is 1 wherever `rows` is less than the whole image.
    """

    groups: int
    images: int
    rows: int
    inner: int
    outer: int
    columns_outside: bool


@lru_cache(maxsize=4096)
def choose_tiling(product: Product, placement: Placement, quanta: Quanta, budget: BufferBudget) -> Tiling:
    """Return the cut of least DRAM traffic; among equals, of least work for the array and then of least exposed bytes.

    The budget is what tiles may use; what lies whole in the buffer has been taken from it.

    Raises
    ------
    TileTooLargeError
        If not even the smallest candidate fits in the buffer.
    """
    nest = LoopNest(product)
    # Along the spatial axis run the vectors, or the reduction of a wgrad; along `inner` the other of the two.
    space_quantum, inner_quantum = quanta.vectors, quanta.reduction
    if nest.reduces_space:
        space_quantum, inner_quantum = inner_quantum, space_quantum
    spatial = _spatial_candidates(nest, space_quantum, quanta.space)
    tiles = [nest.spatial_tiles(images, rows) for images, rows in spatial]
    groups, inner = _cuts(nest.groups, quanta.groups), _cuts(nest.inner, _quantum(inner_quantum, nest.kernel))
    outer = _cuts(nest.outer, quanta.columns)

    # One axis of the grid a loop: [spatial, groups, inner, outer].
    def axis(values: list[int], position: int) -> Integers:
        shape = [1, 1, 1, 1]
        shape[position] = len(values)
        return np.array(values, dtype=np.int64).reshape(shape)

    g, a, b = axis(groups, 1), axis(inner, 2), axis(outer, 3)
    pieces = axis([len(t.positions) for t in tiles], 0)
    n_g, n_a, n_b = -(-nest.groups // g), -(-nest.inner // a), -(-nest.outer // b)
    swept = axis([int(t.image_words.max()) for t in tiles], 0) * a * g
    made = axis([int(t.positions.max()) for t in tiles], 0) * b * g
    window = a * b * nest.kernel * g
    swept_all = axis([int(t.image_words.sum()) for t in tiles], 0) * nest.inner * nest.groups
    made_all = nest.images * nest.rows * nest.row_positions * nest.outer * nest.groups
    window_all = nest.inner * nest.outer * nest.kernel * nest.groups
    positions = axis([int(t.positions.max()) for t in tiles], 0)
    space_folds = axis([_space_folds(t, space_quantum, quanta.space) for t in tiles], 0)
    group_folds = axis([_pieces(extents(nest.groups, size), quanta.groups) for size in groups], 1)
    inner_folds = axis([_pieces(extents(nest.inner, size) * nest.kernel, inner_quantum) for size in inner], 2)
    outer_folds = axis([_pieces(extents(nest.outer, size), quanta.columns) for size in outer], 3)
    # The streamed axis counts its steps; each of its pieces costs every fold its overhead again.
    along = {"vectors": inner_folds, "reduction": space_folds} if nest.reduces_space else {
        "vectors": space_folds, "reduction": inner_folds}  # fmt: skip
    cuts = {"vectors": n_a, "reduction": pieces} if nest.reduces_space else {"vectors": pieces, "reduction": n_a}
    along["columns"], cuts["columns"] = outer_folds, n_b
    along[quanta.streamed] = along[quanta.streamed] + quanta.overhead * cuts[quanta.streamed]
    work = group_folds * along["vectors"] * along["reduction"] * along["columns"]
    if nest.reduces_space:
        n_moving, n_reduction, moving, reduction = n_a, pieces, a * nest.kernel, positions
        filter_tile, filter_all, result_tile = made, made_all, window
    else:
        n_moving, n_reduction, moving, reduction = pieces, n_a, positions, a * nest.kernel
        filter_tile, filter_all, result_tile = window, window_all, made

    word, sums = budget.word_bytes, budget.partial_sum_bytes
    needed = 2 * result_tile * sums
    exposed = result_tile * word * (placement.result == "dram")
    for operand, tile in ((placement.image, swept), (placement.filter, filter_tile)):
        if operand.place == "dram":
            needed = needed + 2 * tile * word * operand.tensors
            exposed = exposed + tile * word * operand.tensors

    def loaded(image_times: Integers, filter_times: Integers) -> Integers:
        image_bytes = swept_all * word * placement.image.tensors * (placement.image.place == "dram")
        filter_bytes = filter_all * word * placement.filter.tensors * (placement.filter.place == "dram")
        return image_times * image_bytes + filter_times * filter_bytes

    whole_reduction = n_reduction == 1
    reread_image, reread_filter = n_b + 0 * n_moving, n_moving + 0 * n_b
    columns_outside = loaded(
        np.where(whole_reduction & (n_moving == 1), 1, reread_image), np.where(whole_reduction, 1, reread_filter)
    )
    columns_inside = loaded(
        np.where(whole_reduction, 1, reread_image), np.where(whole_reduction & (n_b == 1), 1, reread_filter)
    )
    exposed = exposed + budget.transfer_overhead_bytes * (n_g * n_moving * n_reduction * n_b)
    # A tile with a fold too short to hide the loading or draining of its neighbour would keep the array waiting.
    streamed, whole = {
        "vectors": (moving, product.vectors),
        "reduction": (reduction, product.reduction),
        "columns": (b, nest.outer),
    }[quanta.streamed]
    streams = streamed >= min(quanta.least, whole)
    needed, exposed, work, streams, columns_outside, columns_inside = np.broadcast_arrays(
        needed, exposed, work, streams, columns_outside, columns_inside
    )
    usable = needed <= budget.capacity_bytes
    if not usable.any():
        unaligned = Quanta(1, 1, 1)
        if quanta == unaligned:
            raise TileTooLargeError(int(needed.min()), budget.capacity_bytes)
        return choose_tiling(product, placement, unaligned, budget)
    if (usable & streams).any():
        usable = usable & streams
    traffic = np.where(usable, np.stack([columns_outside, columns_inside]), _NEVER)
    fewest = np.where(traffic == traffic.min(), work, _NEVER)
    least = np.where(fewest == fewest.min(), exposed, _NEVER)
    order, s, i_g, i_a, i_b = (int(i) for i in np.unravel_index(int(least.argmin()), least.shape))
    images, rows = spatial[s]
    return Tiling(groups[i_g], images, rows, inner[i_a], outer[i_b], columns_outside=order == 0)


def _pieces(sizes: Integers, size: int) -> int:
    return int((-(-sizes // size)).sum())


def _space_folds(tiles: SpatialTiles, positions: int, space: tuple[int, int] | None) -> int:
    if space is None:
        return _pieces(tiles.positions, positions)
    return int((-(-tiles.images // space[0]) * -(-tiles.rows // space[1])).sum())


def _quantum(size: int, step: int) -> int:
    """Return the least count of `step`s that is a multiple of `size`."""
    return size // gcd(size, step)


def _cuts(total: int, quantum: int) -> list[int]:
    """Return tile sizes, largest first: multiples of `quantum` that cut `total` into few pieces."""
    units = -(-total // quantum)
    sizes: dict[int, None] = {}
    step = 1
    while step <= units:
        for pieces in (step, step + step // 2):
            if pieces <= units:
                sizes[min(total, quantum * -(-units // pieces))] = None
        step *= 2
    sizes[min(total, quantum)] = None
    return sorted(sizes, reverse=True)


def _spatial_candidates(nest: LoopNest, quantum: int, space: tuple[int, int] | None) -> list[tuple[int, int]]:
    """Return (images, rows): whole images first, then parts of one image."""
    if space is None:
        image_quantum = _quantum(quantum, nest.rows * nest.row_positions)
        row_quantum = _quantum(quantum, nest.row_positions)
    else:
        image_quantum, row_quantum = space
        row_quantum = row_quantum if row_quantum < nest.rows else 1  # rows that all fit side by side fit when cut, too
    whole = [(images, nest.rows) for images in _cuts(nest.images, min(image_quantum, nest.images))]
    parts = [(1, rows) for rows in _cuts(nest.rows, min(row_quantum, nest.rows))]
    return list(dict.fromkeys([*whole, (1, nest.rows), *parts]))


@dataclass(frozen=True, slots=True)
class TileSequence:
    """The tiles of a product in the order in which they run; one entry a tile.

    Sizes are in elements. `*_new` says whether the tile must be fetched (it is not the one before),
    `finished` whether its result is complete after it.
    """

    parts: ConvolutionTiles
    image_words: Integers
    filter_words: Integers
    result_words: Integers
    image_new: Integers
    filter_new: Integers
    finished: Integers


def tile_sequence(product: Product, tiling: Tiling) -> TileSequence:
    """List the tiles of a product, groups outermost and the reduction innermost."""
    nest = LoopNest(product)
    space: SpatialTiles = nest.spatial_tiles(tiling.images, tiling.rows)
    groups, inner = extents(nest.groups, tiling.groups), extents(nest.inner, tiling.inner)
    outer = extents(nest.outer, tiling.outer)
    moving, reduction = (inner, space.positions) if nest.reduces_space else (space.positions, inner)
    shape = (len(groups), len(outer), len(moving)) if tiling.columns_outside else (len(groups), len(moving), len(outer))
    i_g, first, second, i_r = (i.ravel() for i in np.indices((*shape, len(reduction))))
    i_c, i_m = (first, second) if tiling.columns_outside else (second, first)
    i_space, i_inner = (i_r, i_m) if nest.reduces_space else (i_m, i_r)
    g, a, b = groups[i_g], inner[i_inner], outer[i_c]
    swept = space.image_words[i_space] * a * g
    made = space.positions[i_space] * b * g
    window = a * b * nest.kernel * g
    images, rows = space.images[i_space], space.rows[i_space]
    whole = whole_convolution(product)
    if nest.reduces_space:
        parts = replace(whole, groups=g, images=a, channels=images, filters=b, filter_rows=rows,
                        rows=np.full_like(a, product.shape.R))  # fmt: skip
    else:
        parts = replace(whole, groups=g, images=images, channels=a, filters=b, rows=rows,
                        filter_rows=np.full_like(a, product.shape.R))  # fmt: skip
    return TileSequence(
        parts=parts,
        image_words=swept,
        filter_words=made if nest.reduces_space else window,
        result_words=window if nest.reduces_space else made,
        image_new=_changes(i_g, i_m, i_r),
        filter_new=_changes(i_g, i_r, i_c),
        finished=(i_r == len(reduction) - 1).astype(np.int64),
    )


def _changes(*indices: Integers) -> Integers:
    """Return 1 where any of the indices differs from the tile before, and at the first tile."""
    new = np.zeros(len(indices[0]), dtype=np.int64)
    new[0] = 1
    for index in indices:
        new[1:] |= index[1:] != index[:-1]
    return new
