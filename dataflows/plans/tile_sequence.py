"""The tiles of a product in the order in which they run."""

from dataclasses import dataclass, replace
from itertools import product as each

import numpy as np

from dataflows.convolution import ConvolutionTiles, whole_convolution
from dataflows.plans.cuts import AXES
from dataflows.plans.loopnest import LoopNest, SpatialTiles, extents
from dataflows.plans.plan import Integers
from dataflows.plans.streams import TileTensors, tile_tensors
from dataflows.plans.tiling import Tiling
from workloads.passes import Product


@dataclass(frozen=True, slots=True)
class TileSequence:
    """The tiles of a product in the order in which they run; one entry a tile.

    Attributes
    ----------
    parts : ConvolutionTiles
        The tiles as parts of the convolution.
    tensors : TileTensors
        What each tile holds of the operands and of the result.
    ifmap_new, filter_new : int64[tiles]
        1 where an operand's tile must be fetched, since it is not the one before.
    finished : int64[tiles]
        1 for the last tile of a result's reduction.
    psums_loaded, psums_stored : int64[tiles]
        1 where the result's psums come from DRAM before the tile, and where they leave for DRAM after it.
    """

    parts: ConvolutionTiles
    tensors: TileTensors
    ifmap_new: Integers
    filter_new: Integers
    finished: Integers
    psums_loaded: Integers
    psums_stored: Integers


def tile_sequence(product: Product, tiling: Tiling) -> TileSequence:
    """List the tiles of a product, groups outermost."""
    nest = LoopNest(product)
    space: SpatialTiles = nest.spatial_tiles(tiling.images, tiling.rows)
    groups, channels = extents(nest.groups, tiling.groups), extents(nest.channels, tiling.channels)
    filters = extents(nest.filters, tiling.filters)
    vectors, reduction = (channels, space.positions) if nest.reduces_space else (space.positions, channels)
    pieces = {"vectors": len(vectors), "reduction": len(reduction), "columns": len(filters)}
    i_g, *loops = (i.ravel() for i in np.indices((len(groups), *(pieces[axis] for axis in tiling.order))))
    i_m, i_k, i_n = (loops[tiling.order.index(axis)] for axis in AXES)
    i_space, i_channels = (i_k, i_m) if nest.reduces_space else (i_m, i_k)
    g, c, f = groups[i_g], channels[i_channels], filters[i_n]
    images, rows = space.images[i_space], space.rows[i_space]
    whole = whole_convolution(product)
    if nest.reduces_space:
        parts = replace(whole, groups=g, images=c, channels=images, filters=f, filter_rows=rows,
                        rows=np.full_like(c, product.shape.R))  # fmt: skip
    else:
        parts = replace(whole, groups=g, images=images, channels=c, filters=f, rows=rows,
                        filter_rows=np.full_like(c, product.shape.R))  # fmt: skip
    come = _changes(i_g, i_m, i_n)
    leave = np.append(come[1:], 1)
    last = i_k == len(reduction) - 1
    return TileSequence(
        parts=parts,
        tensors=tile_tensors(nest, images, rows, c, f, g, space.ifmap_words[i_space]),
        ifmap_new=_changes(i_g, i_m, i_k),
        filter_new=_changes(i_g, i_k, i_n),
        finished=last.astype(np.int64),
        psums_loaded=come * (i_k > 0),
        psums_stored=leave * ~last,
    )


def _changes(*indices: Integers) -> Integers:
    """Return 1 where any of the indices differs from the tile before, and at the first tile."""
    new = np.zeros(len(indices[0]), dtype=np.int64)
    new[0] = 1
    for index in indices:
        new[1:] |= index[1:] != index[:-1]
    return new


def kinds_of_parts(product: Product, tiling: Tiling) -> ConvolutionTiles:
    """Return the tiles of a product by their extents: equal ones as one of as many times the groups.

    That is the same to whoever adds up what tiles do, since groups share nothing.
    """
    nest = LoopNest(product)
    cut = ((nest.groups, tiling.groups), (nest.images, tiling.images), (nest.rows, tiling.rows),
           (nest.channels, tiling.channels), (nest.filters, tiling.filters))  # fmt: skip
    sizes, counts = [], []
    for total, size in cut:
        tiles = -(-total // size)
        last = total - (tiles - 1) * size
        sizes.append([size, last] if last < size and tiles > 1 else [last])
        counts.append([tiles - 1, 1] if last < size and tiles > 1 else [tiles])
    groups, images, rows, channels, filters = np.array(list(each(*sizes))).T
    groups = groups * np.array(list(each(*counts))).prod(axis=1)
    whole = whole_convolution(product)
    kernel_rows = np.full_like(groups, product.shape.R)
    if nest.reduces_space:
        return replace(whole, groups=groups, images=channels, channels=images, filters=filters, filter_rows=rows,
                       rows=kernel_rows)  # fmt: skip
    return replace(whole, groups=groups, images=images, channels=channels, filters=filters, rows=rows,
                   filter_rows=kernel_rows)  # fmt: skip
