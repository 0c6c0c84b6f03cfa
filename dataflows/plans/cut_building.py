"""Which cuts of a product's axes into tiles there are, and what the search needs of each."""

# numba infers the types inside the kernel; numpy's stubs do not follow its scalars.
# mypy: disable-error-code="call-overload,arg-type,return-value"

from collections.abc import Callable
from math import gcd
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from dataflows.plans import cut_tables
from dataflows.plans.cut_tables import Extents, Folds
from dataflows.plans.transfers import Integers
from workloads.foundation.kernel_sources import sources_of

VECTORS, REDUCTION, COLUMNS, GROUPS = 0, 1, 2, 3


class Piece(NamedTuple):
    """Equal tiles along an axis: extent, how many there are, blocks that one is, words of one."""

    extent: int
    count: int
    blocks: int
    words: int


@njit
def multiple(size: int, step: int) -> int:
    """Return the least count of `step`s that is a multiple of `size`."""
    return size // gcd(size, step)


@njit
def equal_sizes(total: int) -> Integers:
    """Return the sizes that equal pieces of a total can have, the largest first."""
    count, size = 1, total
    while size > 1:
        size = -(-total // -(-total // (size - 1)))
        count += 1
    sizes, size = np.empty(count, np.int64), total
    for i in range(count):
        sizes[i] = size
        if size > 1:
            size = -(-total // -(-total // (size - 1)))
    return sizes


@njit
def sizes_of_tiles(total: int, quantum: int) -> Integers:
    """Return sizes, the largest first: those of equal pieces, and the multiples of `quantum` beside them."""
    equal = equal_sizes(total)
    found = np.empty(3 * len(equal), np.int64)
    places, count, before = np.zeros(3, np.int64), 0, np.int64(-1)
    while True:
        largest = np.int64(0)
        for which in range(3):
            if places[which] < len(equal):
                largest = max(largest, beside(equal[places[which]], which, total, quantum))
        if largest == 0:
            return found[:count]
        for which in range(3):
            while places[which] < len(equal):
                size = beside(equal[places[which]], which, total, quantum)
                if 0 < size < largest:
                    break
                places[which] += 1
        if largest != before:
            found[count] = before = largest
            count += 1


@njit
def beside(size: int, which: int, total: int, quantum: int) -> int:
    """Return a size, or the multiple of `quantum` above it or below it; 0 for none."""
    if which == 0:
        return min(total, quantum * -(-size // quantum))
    return size if which == 1 else size // quantum * quantum


@njit
def marked_rows(rows: int, quantum: int, read: Integers) -> Integers:
    """Return 1 at each number of rows of a tile worth a look.

    Those are the sizes as of other axes, and for each number of tiles the least and larger ones that read less. How
    many rows are read twice at the borders of tiles depends on where these lie, if there is much padding.

    Parameters
    ----------
    read : int64[rows, 4]
        See `dataflows.plans.cut_kernels.rows_read`.
    """
    marked = np.zeros(rows + 1, np.int64)
    for size in sizes_of_tiles(rows, quantum):
        marked[size] = 1
    pieces, least = 0, 0
    for size in range(1, rows + 1):
        if -(-rows // size) != pieces or read[size - 1, 0] < least:
            pieces, least = -(-rows // size), read[size - 1, 0]
            marked[size] = 1
    return marked


@njit
def fold_cycles(steps: int, folds: Folds) -> int:
    """Return the cycles of a fold of so many steps."""
    return max(steps * folds.step_cycles, folds.least_cycles) + folds.overhead_cycles


@njit
def add_piece(cuts: Integers, at: int, axis: int, folds: Folds, piece: Piece) -> None:
    """Add equal tiles to what is known of a cut; the last one's come last."""
    count, blocks = piece.count, piece.blocks
    if count == 0:
        return
    cuts[1, at] += count
    cuts[6, at] = piece.extent
    if axis == folds.streamed:
        of_folds = of_pieces = fold_cycles(blocks, folds)
        pieces, last = np.int64(1), blocks
        if folds.most > 0:  # then a block is a vector
            pieces, last = piece.words // folds.most, piece.words % folds.most
            of_pieces = pieces * fold_cycles(folds.most, folds)
            if last > 0:
                of_pieces, pieces = of_pieces + fold_cycles(last, folds), pieces + 1
            else:
                last = np.int64(folds.most)
        cuts[2, at] += of_folds * count
        cuts[3, at] += of_pieces * count if axis != REDUCTION else 0
        cuts[4, at] += count
        cuts[5, at] += pieces * count
        cuts[7, at] = last * folds.step_cycles
    elif axis == REDUCTION:
        more = 0 if blocks <= 1 else 1
        cuts[2 + more, at] += blocks * count
        cuts[4 + more, at] += piece.extent * count
    else:
        for row in range(2, 6):
            cuts[row, at] += blocks * count


@njit
def add_axis(
    cuts: Integers, begin: int, sizes: Integers, total: int, words: int, quantum: int, axis: int, folds: Folds
) -> None:
    """Fill in the cuts of an axis whose unit is so many words, of which `quantum` are a block."""
    for i in range(len(sizes)):
        size = sizes[i]
        cuts[0, begin + i] = size
        before = -(-total // size) - 1
        add_piece(cuts, begin + i, axis, folds, Piece(size, before, -(-size * words // quantum), size * words))
        last = total - before * size
        add_piece(cuts, begin + i, axis, folds, Piece(last, 1, -(-last * words // quantum), last * words))


@njit
def add_space(
    cuts: Integers, more: Integers, at: int, images: int, rows: int, extents: Extents, folds: Folds, read: Integers
) -> None:
    """Fill in a cut of images and rows."""
    more[0, at], more[1, at] = images, rows
    row_words, image_tiles, row_tiles = extents.ifmap_row_words, -(-extents.images // images), -(-extents.rows // rows)
    more[2, at], more[3, at] = images * read[rows - 1, 1] * row_words, images * read[rows - 1, 2] * row_words
    more[4, at] = extents.images * read[rows - 1, 0] * row_words
    more[5, at] = images * rows * extents.row_positions
    more[6, at] = image_tiles * read[rows - 1, 3]
    more[7, at] = -1
    cuts[0, at] = images
    axis = REDUCTION if extents.reduces_space else VECTORS
    for last_image in range(2):
        some_images = extents.images - (image_tiles - 1) * images if last_image else images
        for last_row in range(2):
            some_rows = extents.rows - (row_tiles - 1) * rows if last_row else rows
            count = (1 if last_image else image_tiles - 1) * (1 if last_row else row_tiles - 1)
            positions = some_images * some_rows * extents.row_positions
            blocks = -(-positions // folds.space_quantum)
            if folds.side_images > 0:
                blocks = -(-some_images // folds.side_images) * -(-some_rows // folds.side_rows)
            add_piece(cuts, at, axis, folds, Piece(positions, count, blocks, positions))


def _kernel(sources: int) -> Callable[..., Any]:
    @njit(cache=True)
    def build_cuts(extents: Extents, folds: Folds, read: Integers) -> tuple[Integers, Integers, Integers]:
        """Return all cuts of a product.

        Parameters
        ----------
        read : int64[rows, 4]
            See `dataflows.plans.cut_kernels.rows_read`.

        Returns
        -------
        cuts, more, counts : int64[8, cuts], int64[8, cuts of images and rows], int64[4]
            See `Cut` and `SpaceCut`; how many cuts there are of images and rows, groups, channels and filters.
        """
        if sources == 0:  # never; numba's cache follows what a function closes over
            read = read[:0]
        by_images, by_rows = folds.side_images, folds.side_rows
        if by_images == 0:
            by_images = min(extents.images, multiple(folds.space_quantum, extents.rows * extents.row_positions))
            by_rows = min(extents.rows, multiple(folds.space_quantum, extents.row_positions))
        elif by_rows >= extents.rows:
            by_rows = 1  # rows that all fit side by side fit when cut, too
        images, rows = sizes_of_tiles(extents.images, by_images), marked_rows(extents.rows, by_rows, read)
        groups = sizes_of_tiles(extents.groups, folds.groups)
        channels = sizes_of_tiles(extents.channels, multiple(folds.channels, extents.kernel))
        filters = sizes_of_tiles(extents.filters, folds.filters)
        counts = np.array([len(images) + rows.sum() - 1, len(groups), len(channels), len(filters)])
        cuts, more = np.zeros((8, counts.sum()), np.int64), np.zeros((8, counts[0]), np.int64)
        for i in range(len(images)):  # whole images first, then parts of one image
            add_space(cuts, more, i, images[i], extents.rows, extents, folds, read)
        at = len(images)
        for turn in range(1, extents.rows):
            size = extents.rows - turn
            if rows[size] > 0:
                add_space(cuts, more, at, 1, size, extents, folds, read)
                at += 1
        channel_axis = VECTORS if extents.reduces_space else REDUCTION
        add_axis(cuts, at, groups, extents.groups, 1, folds.groups, GROUPS, folds)
        at += len(groups)
        add_axis(cuts, at, channels, extents.channels, extents.kernel, folds.channels, channel_axis, folds)
        add_axis(cuts, at + len(channels), filters, extents.filters, 1, folds.filters, COLUMNS, folds)
        return cuts, more, counts

    return build_cuts


build_cuts = _kernel(sources_of(cut_tables))
