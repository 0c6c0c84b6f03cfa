"""The convolution that an array carries out for a product, whatever its role.

    Y[g][a][m][y][x] = sum over b, i, j of  F[g][m][b][i][j] * I[g][a][b][y * sy + i * dy][x * sx + j * dx]

=======  ==========  ==========  ==========  ==============  ===============  ==============  ==============
role     images a    channels b  filters m   filter rows     filter columns   rows, columns   stride, dilation
=======  ==========  ==========  ==========  ==============  ===============  ==============  ==============
forward  N           C/groups    K/groups    R               S                P, Q            the layer's
dgrad    N           K/groups    C/groups    R               S                H, W            1, the dilation
wgrad    C/groups    N           K/groups    P               Q                R, S            exchanged
=======  ==========  ==========  ==========  ==============  ===============  ==============  ==============
"""

from dataclasses import dataclass
from math import gcd
from typing import NamedTuple

import numpy as np

from dataflows.integers import Integers
from workloads.passes import Product, Role


class Sliding(NamedTuple):
    """How windows lie on an image, rows first: (sy, sx) from one to the next, (dy, dx) between their words."""

    stride: tuple[int, int]
    dilation: tuple[int, int]

    @property
    def classes(self) -> int:
        """Number of columns after which windows fall on the same grid of words again."""
        return self.dilation[1] // gcd(self.dilation[1], self.stride[1])

    @property
    def words(self) -> int:
        """Words by which a window moves along its grid."""
        return self.stride[1] // gcd(self.dilation[1], self.stride[1])


@dataclass(frozen=True, slots=True)
class ConvolutionTiles:
    """Parts of a convolution, tile after tile; arrays have one entry a tile.

    What no tile cuts (filter columns, columns, how windows lie) is a plain number.

    Attributes
    ----------
    part_of_row : int64[tiles], optional
        Columns of each tile, where tiles have parts of rows; `rows` counts each of their columns as a row of one then.
    """

    groups: Integers
    images: Integers
    channels: Integers
    filters: Integers
    filter_rows: Integers
    rows: Integers
    filter_columns: int
    columns: int
    sliding: Sliding
    role: Role
    part_of_row: Integers | None = None

    @property
    def row_vectors(self) -> Integers:
        """Vectors of each tile that lie in one row."""
        return np.full_like(self.rows, self.columns) if self.part_of_row is None else self.part_of_row

    @property
    def vectors(self) -> Integers:
        """Rows of each tile's image matrix."""
        return self.images * self.rows * self.columns

    @property
    def reduction(self) -> Integers:
        """Length of each tile's dot products."""
        return self.channels * self.filter_rows * self.filter_columns

    @property
    def taps(self) -> Integers:
        """Taps of each tile's kernel that its reduction runs over; in wgrad they are vectors, and it runs over none."""
        one = np.ones_like(self.filter_rows)
        return one if self.role == "wgrad" else self.filter_rows * self.filter_columns

    @property
    def macs(self) -> Integers:
        """Multiply-accumulates of each tile."""
        return self.groups * self.vectors * self.reduction * self.filters

    def kinds(self) -> "list[ConvolutionTiles]":
        """Return one tile of each size that there is."""
        sizes = (self.groups, self.images, self.channels, self.filters, self.filter_rows, self.rows)
        each = sorted(set(zip(*(size.tolist() for size in sizes), strict=True)))
        return [one_tile(size, (self.filter_columns, self.columns), self.sliding, self.role) for size in each]


def whole_convolution(product: Product) -> ConvolutionTiles:
    """Return a product as one tile."""
    s = product.shape
    channels, filters = s.C // s.groups, s.K // s.groups
    sliding = Sliding(s.stride, s.dilation)
    if product.role == "forward":
        sizes, columns = (s.groups, s.N, channels, filters, s.R, s.P), (s.S, s.Q)
    elif product.role == "dgrad":
        sizes, columns = (s.groups, s.N, filters, channels, s.R, s.H), (s.S, s.W)
        sliding = Sliding((1, 1), s.dilation)
    else:
        sizes, columns = (s.groups, channels, s.N, filters, s.P, s.R), (s.Q, s.S)
        sliding = Sliding(s.dilation, s.stride)
    return one_tile(sizes, columns, sliding, product.role)


def one_tile(
    sizes: tuple[int, int, int, int, int, int], columns: tuple[int, int], sliding: Sliding, role: Role
) -> ConvolutionTiles:
    """Return a convolution of `groups` to `rows` as `ConvolutionTiles` lists them, and of its two kinds of columns."""
    groups, images, channels, filters, filter_rows, rows = (np.array([size]) for size in sizes)
    return ConvolutionTiles(groups, images, channels, filters, filter_rows, rows, *columns, sliding, role)
