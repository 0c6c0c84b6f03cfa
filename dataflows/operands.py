"""A product's tensors as the convolution that an array carries out, and what stepping it came to."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dataflows.convolution import ConvolutionTiles, Sliding, one_tile
from dataflows.traffic import ArrayTraffic
from workloads.passes import Role

Tensor = NDArray[Any]


@dataclass(frozen=True)
class ConvolutionOperands:
    """Operands of a convolution (see `dataflows.convolution`).

    Attributes
    ----------
    image : [groups, images, channels, height, width]
        With its padding in it.
    filters : [groups, filters, channels, filter_rows, filter_columns]
    rows, columns : int
        Extent of the result.
    """

    image: Tensor
    filters: Tensor
    rows: int
    columns: int
    sliding: Sliding
    role: Role

    @property
    def tiles(self) -> ConvolutionTiles:
        """The convolution as one tile."""
        groups, filters, channels, filter_rows, filter_columns = self.filters.shape
        return one_tile(
            (groups, self.image.shape[1], channels, filters, filter_rows, self.rows),
            (filter_columns, self.columns),
            self.sliding,
            self.role,
        )

    def matrices(self) -> tuple[Tensor, Tensor]:
        """Return the image matrix [groups, vectors, reduction] and the filter matrix [groups, reduction, columns]."""
        groups, filters = self.filters.shape[:2]
        (sy, sx), (dy, dx) = self.sliding
        rows = np.add.outer(np.arange(self.rows) * sy, np.arange(self.filters.shape[3]) * dy)
        columns = np.add.outer(np.arange(self.columns) * sx, np.arange(self.filters.shape[4]) * dx)
        windows = self.image[:, :, :, rows[:, :, None, None], columns[None, None]]  # [g, a, b, y, i, x, j]
        vectors = self.image.shape[1] * self.rows * self.columns
        image = windows.transpose(0, 1, 3, 5, 2, 4, 6).reshape(groups, vectors, -1)
        return image, self.filters.reshape(groups, filters, -1).transpose(0, 2, 1)


@dataclass(frozen=True)
class SteppedProduct:
    """What a convolution on a stepped array came to.

    Attributes
    ----------
    result : [groups, images, filters, rows, columns]
        The convolution.
    cycles, macs : int
        Cycles, and MACs that were real.
    traffic : ArrayTraffic
        What was moved and accessed.
    registers : dict of str to [cycles, ...], or None
        Every register after each cycle, where a dump was asked for.
    """

    result: Tensor
    cycles: int
    macs: int
    traffic: ArrayTraffic
    registers: dict[str, Tensor] | None
