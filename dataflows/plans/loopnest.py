"""A product as the loops that are cut into tiles.

Whatever the role, one image tensor is swept spatially, one tensor has the kernel's shape and one
is the other image; which of them is the result decides which loop is the reduction:

=========  ==================  ===============  ==============
role       moving axis         reduction axis   column axis
=========  ==================  ===============  ==============
forward    n, rows of Y        c (with r, s)    k
dgrad      n, rows of dX       k (with r, s)    c
wgrad      c (with r, s)       n, rows of dY    k
=========  ==================  ===============  ==============

The image operand spans the moving and the reduction axis, the filter operand the reduction and the
column axis, the result the moving and the column axis.
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
        Images and output rows of the sweep.
    positions : array of int64
        Output positions of the sweep: images * rows * row length.
    image_words : array of int64
        Words of one channel of the swept image that they read, in whole rows; halo included, padding not.
    """

    images: Integers
    rows: Integers
    positions: Integers
    image_words: Integers


@dataclass(frozen=True, slots=True)
class LoopNest:
    """Extents of a product's loops. `inner` and `outer` are channels of the swept and of the other image."""

    product: Product

    @property
    def groups(self) -> int:
        """Groups, which share nothing."""
        return self.product.shape.groups

    @property
    def images(self) -> int:
        """Batch size of the sweep."""
        return self.product.shape.N

    @property
    def rows(self) -> int:
        """Rows of the sweep's output in one image."""
        s = self.product.shape
        return s.H if self.product.role == "dgrad" else s.P

    @property
    def row_positions(self) -> int:
        """Output positions in one row."""
        s = self.product.shape
        return s.W if self.product.role == "dgrad" else s.Q

    @property
    def kernel(self) -> int:
        """Elements of the kernel's window."""
        return self.product.shape.R * self.product.shape.S

    @property
    def inner(self) -> int:
        """Channels a group of the swept image."""
        s = self.product.shape
        return (s.K if self.product.role == "dgrad" else s.C) // s.groups

    @property
    def outer(self) -> int:
        """Channels a group of the other image."""
        s = self.product.shape
        return (s.C if self.product.role == "dgrad" else s.K) // s.groups

    @property
    def reduces_space(self) -> bool:
        """Whether the reduction runs over batch and rows (wgrad) and not over channels."""
        return self.product.role == "wgrad"

    def spatial_tiles(self, images: int, rows: int) -> SpatialTiles:
        """Cut the sweep into tiles of so many images, or of so many rows of one image."""
        image_sizes = extents(self.images, images)
        first = np.arange(0, self.rows, rows)
        last = np.minimum(first + rows, self.rows)
        read = self._image_rows(first) * self.image_row_words
        images_each, rows_each = (i.ravel() for i in np.broadcast_arrays(image_sizes[:, None], last - first))
        return SpatialTiles(
            images=images_each,
            rows=rows_each,
            positions=images_each * rows_each * self.row_positions,
            image_words=np.multiply.outer(image_sizes, read).ravel(),
        )

    def plane_words(self, swept: bool) -> int:
        """Return the words of one channel of the swept, or of the other image."""
        s = self.product.shape
        is_input = swept == (self.product.role != "dgrad")
        return s.H * s.W if is_input else s.P * s.Q

    def meetings(self) -> tuple[Integers, Integers]:
        """Return pairs (row of the swept image, row of the sweep) that meet, in this order."""
        image, sweep = np.nonzero(_touched_rows(self.product).T)
        return image, sweep

    @property
    def image_row_words(self) -> int:
        """Words of a row of the swept image."""
        s = self.product.shape
        return s.Q if self.product.role == "dgrad" else s.W

    def _image_rows(self, first: Integers) -> Integers:
        """Rows of the swept image that output rows from each of `first` to the next read, padding left out."""
        touched = _touched_rows(self.product)
        rows: Integers = np.logical_or.reduceat(touched, first, axis=0).sum(axis=1)
        return rows


@lru_cache(maxsize=1024)
def _touched_rows(product: Product) -> NDArray[np.bool_]:
    """Return which row of the swept image (second axis) each row of the sweep (first axis) reads."""
    s = product.shape
    if product.role == "dgrad":  # dX's row h meets dY's row p where h = p * stride - padding + r * dilation
        sweep, image = np.arange(s.H), s.P
        numerators = np.add.outer(sweep + s.padding[0], -np.arange(s.R) * s.dilation[0])
        rows, real = np.floor_divide(numerators, s.stride[0]), numerators % s.stride[0] == 0
    else:
        sweep, image = np.arange(s.P), s.H
        rows = np.add.outer(sweep * s.stride[0] - s.padding[0], np.arange(s.R) * s.dilation[0])
        real = np.ones(rows.shape, dtype=np.bool_)
    touched = np.zeros((len(sweep), image), dtype=np.bool_)
    inside = real & (rows >= 0) & (rows < image)
    touched[np.nonzero(inside)[0], rows[inside]] = True
    return touched


def extents(total: int, size: int) -> Integers:
    """Return the sizes of the pieces when `total` is cut into pieces of `size`."""
    pieces = -(-total // size)
    sizes = np.full(pieces, size, dtype=np.int64)
    sizes[-1] = total - size * (pieces - 1)
    return sizes
