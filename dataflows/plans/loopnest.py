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

from dataflows.plans.plan import Integers
from workloads.passes import Product


@dataclass(frozen=True, slots=True)
class SpatialTiles:
    """A cut of the spatial axis (batch and rows) into tiles; one entry a tile.

    Attributes
    ----------
    images, rows : array of int64
        Images and rows of the ofmap.
    positions : array of int64
        Positions of the ofmap: images * rows * row length.
    ifmap_words : array of int64
        Words of one channel of the ifmap that they read, in whole rows; halo included, padding not.
    """

    images: Integers
    rows: Integers
    positions: Integers
    ifmap_words: Integers


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

    def spatial_tiles(self, images: int, rows: int) -> SpatialTiles:
        """Cut the ofmap into tiles of so many images, or of so many rows of one image."""
        image_sizes = extents(self.images, images)
        first = np.arange(0, self.rows, rows)
        last = np.minimum(first + rows, self.rows)
        read = self._ifmap_rows(first) * self.ifmap_row_words
        images_each, rows_each = (i.ravel() for i in np.broadcast_arrays(image_sizes[:, None], last - first))
        return SpatialTiles(
            images=images_each,
            rows=rows_each,
            positions=images_each * rows_each * self.row_positions,
            ifmap_words=np.multiply.outer(image_sizes, read).ravel(),
        )

    @property
    def ifmap_plane_words(self) -> int:
        """Words of one channel of the ifmap."""
        s = self.product.shape
        return s.P * s.Q if self.product.role == "dgrad" else s.H * s.W

    @property
    def ofmap_plane_words(self) -> int:
        """Words of one channel of the ofmap."""
        return self.rows * self.row_positions

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

    def _ifmap_rows(self, first: Integers) -> Integers:
        """Rows of the ifmap that rows of the ofmap from each of `first` to the next read, padding left out."""
        touched = _touched_rows(self.product)
        rows: Integers = np.logical_or.reduceat(touched, first, axis=0).sum(axis=1)
        return rows


@lru_cache(maxsize=1024)
def _touched_rows(product: Product) -> NDArray[np.bool_]:
    """Return which rows of the ifmap (second axis) each row of the ofmap (first axis) reads."""
    s = product.shape
    if product.role == "dgrad":  # dX's row h meets dY's row p where h = p * stride - padding + r * dilation
        ofmap, ifmap = np.arange(s.H), s.P
        numerators = np.add.outer(ofmap + s.padding[0], -np.arange(s.R) * s.dilation[0])
        rows, real = np.floor_divide(numerators, s.stride[0]), numerators % s.stride[0] == 0
    else:
        ofmap, ifmap = np.arange(s.P), s.H
        rows = np.add.outer(ofmap * s.stride[0] - s.padding[0], np.arange(s.R) * s.dilation[0])
        real = np.ones(rows.shape, dtype=np.bool_)
    touched = np.zeros((len(ofmap), ifmap), dtype=np.bool_)
    inside = real & (rows >= 0) & (rows < ifmap)
    touched[np.nonzero(inside)[0], rows[inside]] = True
    return touched


def extents(total: int, size: int) -> Integers:
    """Return the sizes of the pieces when `total` is cut into pieces of `size`."""
    pieces = -(-total // size)
    sizes = np.full(pieces, size, dtype=np.int64)
    sizes[-1] = total - size * (pieces - 1)
    return sizes
