"""Which cuts of a product's axes into tiles there are, and what the search needs of each."""

# numba infers the types inside the kernel; numpy's stubs do not follow its scalars.
# mypy: disable-error-code="call-overload,arg-type,return-value,assignment"

from collections.abc import Callable
from math import gcd
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from dataflows.integers import Integers
from dataflows.plans import cut_tables, kernel_arrays
from dataflows.plans.cut_tables import Extents, Folds
from dataflows.plans.kernel_arrays import zero_rows, zeros
from workloads.foundation.kernel_sources import sources_of
from workloads.foundation.kernels import njit_inside

VECTORS, REDUCTION, COLUMNS, GROUPS = 0, 1, 2, 3


class Piece(NamedTuple):
    """Equal tiles along an axis: extent, how many there are, blocks that one is."""

    extent: int
    count: int
    blocks: int


@njit_inside
def multiple(size: int, step: int) -> int:
    """Return the least count of `step`s that is a multiple of `size`."""
    return size // gcd(size, step)


@njit_inside
def next_equal(total: int, size: int) -> int:
    """Return the next smaller size that equal pieces of a total can have; 0 after 1."""
    return -(-total // -(-total // (size - 1))) if size > 1 else 0


@njit_inside
def beside(size: int, which: int, total: int, quantum: int) -> int:
    """Return a size, or the multiple of `quantum` above it or below it; 0 for none."""
    if which == 0:
        return min(total, quantum * -(-size // quantum)) if size > 0 else 0
    return size if which == 1 else size // quantum * quantum


@njit_inside
def tile_sizes(total: int, quantum: int, sizes: Integers) -> int:
    """Write down sizes, the largest first: those of equal pieces, and the multiples of `quantum` beside them.

    Parameters
    ----------
    sizes : int64[sizes]
        Filled as far as there is room.

    Returns
    -------
    int
        How many there are.
    """
    equal, count = zeros(np.int64(3)), 0
    for which in range(3):
        equal[which] = total
    while True:
        largest = np.int64(0)
        for which in range(3):
            largest = max(largest, beside(equal[which], which, total, quantum))
        if largest == 0:
            return count
        if count < len(sizes):
            sizes[count] = largest
        count += 1
        for which in range(3):
            while equal[which] > 0 and beside(equal[which], which, total, quantum) >= largest:
                equal[which] = next_equal(total, equal[which])


@njit_inside
def mark_rows(rows: int, read: Integers, sizes: Integers, count: int) -> Integers:
    """Return 1 at each number of rows of a tile worth a look.

    Those are the sizes as of other axes, and for each number of tiles the least and larger ones that read less. How
    many rows are read twice at the borders of tiles depends on where these lie, if there is much padding.

    Parameters
    ----------
    read : int64[rows, 5]
        See `dataflows.plans.cut_kernels.rows_read`.
    """
    marked = zeros(rows + 1)
    for i in range(count):
        marked[sizes[i]] = 1
    pieces, least = 0, np.int64(0)
    for size in range(1, rows + 1):
        if -(-rows // size) != pieces or read[size - 1, 0] < least:
            pieces, least = -(-rows // size), read[size - 1, 0]
            marked[size] = 1
    return marked


@njit_inside
def fold_cycles(steps: int, folds: Folds) -> int:
    """Return the cycles of a fold of so many steps."""
    return max(steps * folds.step_cycles, folds.least_cycles) + folds.overhead_cycles


@njit_inside
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
        if folds.most > 0:
            pieces, last = blocks // folds.most, blocks % folds.most
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
        more = 0 if blocks * folds.each <= 1 else 1
        cuts[2 + more, at] += blocks * count
        cuts[4 + more, at] += piece.extent * count
    else:
        for row in range(2, 6):
            cuts[row, at] += blocks * count


@njit_inside
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
            add_piece(cuts, at, axis, folds, Piece(positions, count, blocks))


def _kernel(sources: int) -> Callable[..., Any]:
    @njit(cache=True, error_model="numpy")
    def build_cuts(
        extents: Extents, folds: Folds, read: Integers, given: Integers
    ) -> tuple[Integers, Integers, Integers]:  # fmt: skip
        """Return all cuts of a product.

        Parameters
        ----------
        read : int64[rows, 5]
            See `dataflows.plans.cut_kernels.rows_read`.
        given : int64[5]
            Sizes of groups, channels, filters, images and rows that are the only ones; 0 where all are looked at.

        Returns
        -------
        cuts, more, counts : int64[8, cuts], int64[8, cuts of images and rows], int64[5]
            See `Cut` and `SpaceCut`; how many cuts there are of groups, channels, filters, and of images and rows,
            which come first in the table.
        """
        if sources == 0:  # never; numba's cache follows what a function closes over
            return read, read, read[0]
        by_images, by_rows = folds.side_images, folds.side_rows
        if by_images == 0:
            by_images = min(extents.images, multiple(folds.space_quantum, extents.rows * extents.row_positions))
            by_rows = min(extents.rows, multiple(folds.space_quantum, extents.row_positions))
        elif by_rows >= extents.rows:
            by_rows = 1  # rows that all fit side by side fit when cut, too
        # Axes whose pieces are of so many words; `quantum` words are a block.
        channel_axis = VECTORS if extents.reduces_space else REDUCTION
        axes = (
            (GROUPS, extents.groups, 1, folds.groups), (channel_axis, extents.channels, extents.kernel, folds.channels),
            (COLUMNS, extents.filters, 1, folds.filters), (0, extents.images, 1, by_images),
            (0, extents.rows, 1, by_rows),
        )  # fmt: skip
        counts, sizes = zeros(np.int64(5)), zero_rows(np.int64(5), np.int64(0))
        for _ in range(2):  # how many sizes there are, and then these
            for which in range(5):
                _, total, words, quantum = axes[which]
                counts[which] = tile_sizes(total, multiple(quantum, words), sizes[which])
            if sizes.shape[1] == 0:
                most = np.int64(0)
                for which in range(5):
                    most = max(most, counts[which])
                sizes = zero_rows(np.int64(5), most)
        for which in range(5):
            if given[which] > 0:
                counts[which], sizes[which, 0] = 1, given[which]
        rows = mark_rows(extents.rows, read, sizes[4], counts[4])
        if given[3] > 1 or given[4] > 0:
            for size in range(extents.rows + 1):
                rows[size] = 0
        rows[given[4]], rows[0] = 1, 0
        wholes = counts[3] if given[4] == 0 or given[4] == extents.rows else 0
        spaces = np.int64(wholes)
        for size in range(1, extents.rows):
            spaces += rows[size]
        cuts = zero_rows(np.int64(8), spaces + counts[0] + counts[1] + counts[2])
        more = zero_rows(np.int64(8), spaces)
        size = np.int64(extents.rows)
        for at in range(spaces):  # whole images first, then parts of one image
            images = np.int64(1)
            if at < wholes:
                images = sizes[3, at]
            else:
                size -= 1
                while rows[size] == 0:
                    size -= 1
            add_space(cuts, more, at, images, size, extents, folds, read)
        at = np.int64(spaces)
        for which in range(3):
            axis, total, words, quantum = axes[which]
            for i in range(counts[which]):
                size = sizes[which, i]
                before = -(-total // size) - 1
                cuts[0, at] = size
                for last in range(2):
                    extent, count = (total - before * size, 1) if last else (size, before)
                    piece = Piece(extent, count, -(-extent * words // quantum))
                    add_piece(cuts, at, axis, folds, piece)
                at += 1
        counts[3] = spaces
        return cuts, more, counts

    return build_cuts


build_cuts = _kernel(sources_of(cut_tables, kernel_arrays))
