"""What tiles move between DRAM and the buffer, stream by stream: ifmap, filter, psums and result."""

from dataclasses import dataclass

import numpy as np

from dataflows.integers import Integers
from dataflows.plans.budget import Widths
from dataflows.plans.layout import Pieces, image_pieces, weight_pieces
from dataflows.plans.loopnest import LoopNest
from dataflows.plans.placement import Operand, Placement
from dataflows.plans.transfers import Transfers, together


@dataclass(frozen=True, slots=True)
class TileTensor:
    """What tiles hold of one tensor: its words, and the pieces in which they lie in DRAM."""

    words: Integers
    pieces: Pieces


@dataclass(frozen=True, slots=True)
class PartsOfRows:
    """How much of a row tiles have: positions of the ofmap, words of the ifmap, and of a kernel; all int64[tiles]."""

    positions: Integers
    ifmap_row_words: Integers
    kernel_rows: Integers
    kernel_columns: Integers


@dataclass(frozen=True, slots=True)
class TileTensors:
    """What tiles hold of the product's operands and of its result."""

    ifmap: TileTensor
    filter: TileTensor
    result: TileTensor


def tile_tensors(
    nest: LoopNest, images: Integers, rows: Integers, channels: Integers, filters: Integers, groups: Integers,
    ifmap_words: Integers, parts_of_rows: "PartsOfRows | None" = None,
) -> TileTensors:  # fmt: skip
    """Return what tiles of these extents hold; all arrays are int64[tiles].

    Parameters
    ----------
    ifmap_words : int64[tiles]
        Words that a tile's images and rows read of one channel of the ifmap.
    parts_of_rows : PartsOfRows, optional
        Where tiles cut across rows or kernels.
    """
    cut = parts_of_rows
    ifmap = ifmap_words * channels * groups
    ofmap = images * rows * (nest.row_positions if cut is None else cut.positions) * filters * groups
    weights = channels * filters * (nest.kernel if cut is None else cut.kernel_rows * cut.kernel_columns) * groups
    of_layer = (channels, filters) if nest.product.role == "dgrad" else (filters, channels)
    in_ifmap = TileTensor(ifmap, image_pieces(nest, "ifmap", images, groups, channels, ifmap))
    in_ofmap = TileTensor(ofmap, image_pieces(nest, "ofmap", images, groups, filters, ofmap))
    in_weights = TileTensor(weights, weight_pieces(nest, groups, *of_layer, weights))
    if cut is not None:
        shape = nest.product.shape
        in_ifmap = _by_row(in_ifmap, nest.ifmap_row_words, cut.ifmap_row_words)
        in_ofmap = _by_row(in_ofmap, nest.row_positions, cut.positions)
        if (cut.kernel_columns < shape.S).any():
            in_weights = _by_row(in_weights, shape.S, cut.kernel_columns)
        else:
            in_weights = _by_row(in_weights, nest.kernel, cut.kernel_rows * shape.S)
    return TileTensors(in_ifmap, *((in_ofmap, in_weights) if nest.reduces_space else (in_weights, in_ofmap)))


def _by_row(tensor: TileTensor, row: int, part: Integers) -> TileTensor:
    """Return a tensor's tiles with a piece for each row, where a tile has a part of a row of the tensor."""
    whole, pieces = part == row, tensor.pieces
    count = np.where(whole, pieces.count, np.maximum(1, tensor.words // np.maximum(1, part)))
    distance = np.where(whole, pieces.distance, row)
    return TileTensor(tensor.words, Pieces(count, tensor.words // count, distance))


def load_transfers(
    tensors: TileTensors,
    placement: Placement,
    widths: Widths,
    ifmap: Integers,
    filter_: Integers,
    psums: Integers,
) -> Transfers:
    """Return what tiles load, in the order of `LoadPattern`.

    Parameters
    ----------
    ifmap, filter_, psums : int64[tiles]
        1 where a tile loads its ifmap, its filter, its psums, if they come from DRAM.
    """
    word, psum = widths
    return together(
        [
            _transfers(tensors.ifmap.pieces, ifmap * from_dram(placement.ifmap), word, write=False),
            _transfers(tensors.filter.pieces, filter_ * from_dram(placement.filter), word, write=False),
            _transfers(tensors.result.pieces, psums, psum, write=False),
        ],
        write=False,
    )


def store_transfers(
    tensors: TileTensors, placement: Placement, widths: Widths, result: Integers, psums: Integers
) -> Transfers:
    """Return what tiles store, in the order of `StorePattern`.

    Parameters
    ----------
    result, psums : int64[tiles]
        1 where a tile's result is finished, and where its psums leave.
    """
    word, psum = widths
    return together(
        [
            _transfers(tensors.result.pieces, result * (placement.result == "dram"), word, write=True),
            _transfers(tensors.result.pieces, psums, psum, write=True),
        ],
        write=True,
    )


def from_dram(operand: Operand) -> int:
    """Return how many tensors of an operand are loaded."""
    return operand.tensors * (operand.place == "dram")


def _transfers(pieces: Pieces, times: Integers, element_bytes: int, write: bool) -> Transfers:
    """Return pieces of tensors as patterns; `times` tensors of each tile, 0 for none."""
    # several tensors lie one after the other, so that pieces never overlap
    distance = np.maximum(pieces.distance, pieces.words)
    tables = (pieces.count * times, pieces.words * element_bytes, distance * element_bytes)
    segments, size, stride = (np.asarray(table).reshape(1, -1) for table in tables)
    return Transfers(segments, size, stride, write)
