"""What tiles move between DRAM and the buffer, stream by stream: ifmap, filter, psums and result."""

from dataclasses import dataclass

import numpy as np

from dataflows.plans.layout import Pieces, image_pieces, weight_pieces
from dataflows.plans.loopnest import LoopNest
from dataflows.plans.placement import Operand, Placement
from dataflows.plans.plan import BufferBudget, Integers
from dataflows.plans.transfers import Transfers, together


@dataclass(frozen=True, slots=True)
class TileTensor:
    """What tiles hold of one tensor: its words, and the pieces in which they lie in DRAM."""

    words: Integers
    pieces: Pieces


@dataclass(frozen=True, slots=True)
class TileTensors:
    """What tiles hold of the product's operands and of its result."""

    ifmap: TileTensor
    filter: TileTensor
    result: TileTensor


def tile_tensors(
    nest: LoopNest, images: Integers, rows: Integers, channels: Integers, filters: Integers, groups: Integers,
    ifmap_words: Integers,
) -> TileTensors:  # fmt: skip
    """Return what tiles of these extents hold; all arrays are int64[tiles].

    Parameters
    ----------
    ifmap_words : int64[tiles]
        Words that a tile's images and rows read of one channel of the ifmap.
    """
    ifmap = ifmap_words * channels * groups
    ofmap = images * rows * nest.row_positions * filters * groups
    weights = channels * filters * nest.kernel * groups
    of_layer = (channels, filters) if nest.product.role == "dgrad" else (filters, channels)
    in_ifmap = TileTensor(ifmap, image_pieces(nest, "ifmap", images, groups, channels, ifmap))
    in_ofmap = TileTensor(ofmap, image_pieces(nest, "ofmap", images, groups, filters, ofmap))
    in_weights = TileTensor(weights, weight_pieces(nest, groups, *of_layer, weights))
    return TileTensors(in_ifmap, *((in_ofmap, in_weights) if nest.reduces_space else (in_weights, in_ofmap)))


def load_transfers(
    tensors: TileTensors,
    placement: Placement,
    budget: BufferBudget,
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
    word, psum = budget.word_bytes, budget.partial_sum_bytes
    return together(
        [
            _transfers(tensors.ifmap.pieces, ifmap * from_dram(placement.ifmap), word, write=False),
            _transfers(tensors.filter.pieces, filter_ * from_dram(placement.filter), word, write=False),
            _transfers(tensors.result.pieces, psums, psum, write=False),
        ],
        write=False,
    )


def store_transfers(
    tensors: TileTensors, placement: Placement, budget: BufferBudget, result: Integers, psums: Integers
) -> Transfers:
    """Return what tiles store, in the order of `StorePattern`.

    Parameters
    ----------
    result, psums : int64[tiles]
        1 where a tile's result is finished, and where its psums leave.
    """
    word, psum = budget.word_bytes, budget.partial_sum_bytes
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
