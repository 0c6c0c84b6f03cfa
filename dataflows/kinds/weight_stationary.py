"""Weight stationary (paper, section 4.1) on a broadcast array.

Rows hold the reduction, columns the output channels. The filter words of a fold stay in the PEs
while one image vector a cycle is broadcast, a word to each row; products are reduced over the rows
by a pipelined adder tree, and partial sums are accumulated in the buffer. The next fold's filter words
enter shadow registers meanwhile. For F folds of M vectors that gives

    LC + 1 + (F - 1) * max(M * II, LC + 1) + M * II + ceil(log2(rows)) + 2

cycles, with LC = ceil(rows * columns / weight port) to load a fold, one cycle to swap it in, and II the
cycles that a narrow port needs for a vector (1 by default). docs/machine.md tells what happens when.
"""

import numpy as np

from dataflows.array import PEArray
from dataflows.dataflow import ArrayTiming, ArrayTraffic, MatrixTiles, Quanta
from dataflows.plan import Integers


class WeightStationary:
    """The dataflow `ws`."""

    name = "ws"
    description = "weights stay in the PEs, inputs are broadcast, partial sums reduced over the rows"

    def quanta(self, array: PEArray) -> Quanta:
        """Return rows of reduction, columns of output channels, and vectors for a fold's loading time."""
        vectors = -(-_fill_cycles(array) // vector_interval(array))
        return Quanta(vectors=vectors, reduction=array.rows, columns=array.columns)

    def timing(self, array: PEArray, tiles: MatrixTiles) -> ArrayTiming:
        """Return the cycles of each tile by the formula above, cut at tile borders."""
        fill = _fill_cycles(array)
        fold = tiles.vectors * vector_interval(array)
        folds = tiles.groups * _folds(tiles.reduction, array.rows) * _folds(tiles.columns, array.columns)
        return ArrayTiming(
            stream_cycles=(folds - 1) * np.maximum(fold, fill) + fold,
            last_fold_cycles=fold,
            fill_cycles=fill,
            drain_cycles=(array.rows - 1).bit_length() + 2,
        )

    def traffic(self, array: PEArray, tiles: MatrixTiles, finished_words: int) -> ArrayTraffic:
        """Return the words in and out: every fold reads its vectors anew and adds to its sums."""
        macs = tiles.groups * tiles.vectors * tiles.reduction * tiles.columns
        filter_words = int((tiles.groups * tiles.reduction * tiles.columns).sum())
        image = tiles.groups * tiles.vectors * tiles.reduction * _folds(tiles.columns, array.columns)
        sums = int((tiles.groups * tiles.vectors * tiles.columns * _folds(tiles.reduction, array.rows)).sum())
        return ArrayTraffic(
            image_words=int(image.sum()),
            filter_words=filter_words,
            partial_sum_writes=sums - finished_words,
            partial_sum_reads=sums - finished_words,
            register_reads=int(macs.sum()),
            register_writes=filter_words,
        )


def vector_interval(array: PEArray) -> int:
    """Return the cycles between two vectors: one, or more where a port is narrower than the array."""
    entering = -(-array.rows // array.input_port_words_per_cycle)
    leaving = -(-array.columns // array.output_port_words_per_cycle)
    return max(entering, leaving)


def _fill_cycles(array: PEArray) -> int:
    return -(-array.pes // array.weight_port_words_per_cycle) + 1


def _folds(extent: Integers, size: int) -> Integers:
    return -(-extent // size)


DATAFLOW = WeightStationary()
