"""A product as the loops that are cut into tiles.

Each product has three tensors: the ifmap, over which windows slide (X; in dgrad dY), the ofmap, which has a word for
each window (Y, in wgrad dY; in dgrad dX), and the weights. Which is the result decides which loop is the reduction:

=======  =======  ========  ========  =======================  =======================  =======
role     ifmap    filter    result    vectors (V)              reduction (D)            columns (N)
=======  =======  ========  ========  =======================  =======================  =======
forward  X        W         Y         images, rows of Y        channels (with r, s)     filters
dgrad    dY       W         dX        images, rows of dX       channels (with r, s)     filters
wgrad    X        dY        dW        channels (with r, s)     images, rows of dY       filters
=======  =======  ========  ========  =======================  =======================  =======

`channels` are the ifmap's and `filters` the ofmap's: in dgrad those of dY and of dX. The ifmap spans vectors and
reduction, the filter operand reduction and columns, the result vectors and columns.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from dataflows.integers import Integers
from workloads.passes import Product


@dataclass(frozen=True, slots=True)
class LoopNest:
    """Extents of a product's loops; what has no group in its name is of one group."""

    product: Product

    @property
    def groups(self) -> int:
        """Groups, which share nothing."""
        return self.product.shape.groups

    @property
    def images(self) -> int:
        """Images of the ofmap."""
        return self.product.shape.N

    @property
    def rows(self) -> int:
        """Rows of the ofmap in one image."""
        s = self.product.shape
        return s.H if self.product.role == "dgrad" else s.P

    @property
    def row_positions(self) -> int:
        """Positions in one row of the ofmap."""
        s = self.product.shape
        return s.W if self.product.role == "dgrad" else s.Q

    @property
    def kernel(self) -> int:
        """Elements of the kernel's window."""
        return self.product.shape.R * self.product.shape.S

    @property
    def channels(self) -> int:
        """Channels of the ifmap in a group."""
        s = self.product.shape
        return (s.K if self.product.role == "dgrad" else s.C) // s.groups

    @property
    def filters(self) -> int:
        """Channels of the ofmap in a group: columns of the product."""
        s = self.product.shape
        return (s.C if self.product.role == "dgrad" else s.K) // s.groups

    @property
    def reduces_space(self) -> bool:
        """Whether the reduction runs over batch and rows (wgrad) and not over channels."""
        return self.product.role == "wgrad"

    @property
    def ifmap_plane_words(self) -> int:
        """Words of one channel of the ifmap."""
        s = self.product.shape
        return s.P * s.Q if self.product.role == "dgrad" else s.H * s.W

    @property
    def ofmap_plane_words(self) -> int:
        """Words of one channel of the ofmap."""
        return self.rows * self.row_positions

    def ifmap_rows(self, rows: int, kernel_rows: int) -> Integers:
        """Return the ifmap rows that tiles read, padding left out: [tiles of so many rows, of so many kernel rows]."""
        return _read(self.product, 0, rows, kernel_rows)

    def ifmap_columns(self, positions: int, kernel_columns: int) -> Integers:
        """Return the words of an ifmap row that tiles read, likewise."""
        return _read(self.product, 1, positions, kernel_columns)

    def meetings(self) -> tuple[Integers, Integers]:
        """Return which rows are needed for which: pairs of a row of the ifmap and a row of the ofmap, sorted.

        Returns
        -------
        int64[pairs], int64[pairs]
            Rows of the ifmap, and rows of the ofmap whose windows touch them.
        """
        ifmap_rows, ofmap_rows = map(np.ascontiguousarray, np.nonzero(_touched_rows(self.product).T))
        return ifmap_rows, ofmap_rows

    @property
    def ifmap_row_words(self) -> int:
        """Words of a row of the ifmap."""
        s = self.product.shape
        return s.Q if self.product.role == "dgrad" else s.W


@lru_cache(maxsize=1024)
def _touched_rows(product: Product) -> NDArray[np.bool_]:
    """Return which rows of the ifmap (second axis) each row of the ofmap (first axis) reads."""
    return _touched(product, 0, 0, product.shape.R)


def _touched(product: Product, axis: int, first: int, last: int) -> NDArray[np.bool_]:
    """Return which rows (axis 0) or columns (1) of the ifmap each of the ofmap reads through some taps."""
    s = product.shape
    taps = np.arange(first, last) * s.dilation[axis]
    padding, stride = s.padding[axis], s.stride[axis]
    large, small = ((s.H, s.P), (s.W, s.Q))[axis]
    if product.role == "dgrad":  # dX's row h meets dY's row p where h = p * stride - padding + r * dilation
        ofmap, ifmap = np.arange(large), small
        numerators = np.add.outer(ofmap + padding, -taps)
        rows, real = np.floor_divide(numerators, stride), numerators % stride == 0
    else:
        ofmap, ifmap = np.arange(small), large
        rows = np.add.outer(ofmap * stride - padding, taps)
        real = np.ones(rows.shape, dtype=np.bool_)
    touched = np.zeros((len(ofmap), ifmap), dtype=np.bool_)
    inside = real & (rows >= 0) & (rows < ifmap)
    touched[np.nonzero(inside)[0], rows[inside]] = True
    return touched


def _read(product: Product, axis: int, size: int, taps: int) -> Integers:
    """Return how many rows or columns of the ifmap tiles of the ofmap read: [tiles, tiles of taps]."""
    kernel = (product.shape.R, product.shape.S)[axis]
    found = []
    for first in range(0, kernel, taps):
        touched = _touched(product, axis, first, min(first + taps, kernel))
        found.append(np.logical_or.reduceat(touched, np.arange(0, len(touched), size), axis=0).sum(axis=1))
    return np.stack(found, axis=1)


def extents(total: int, size: int) -> Integers:
    """Return the sizes of the pieces when `total` is cut into pieces of `size`."""
    pieces = -(-total // size)
    sizes = np.full(pieces, size, dtype=np.int64)
    sizes[-1] = total - size * (pieces - 1)
    return sizes
