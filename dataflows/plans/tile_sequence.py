"""The tiles of a product in the order in which they run."""

from dataclasses import dataclass, replace

import numpy as np

from dataflows.convolution import ConvolutionTiles, whole_convolution
from dataflows.plans.layout import Pieces, image_pieces, window_pieces
from dataflows.plans.loopnest import LoopNest, SpatialTiles, extents
from dataflows.plans.plan import Integers
from dataflows.plans.tiling import AXES, Tiling
from workloads.passes import Product


@dataclass(frozen=True, slots=True)
class TileSequence:
    """The tiles of a product in the order in which they run; one entry a tile.

    Sizes are in elements. `*_new` says whether an operand's tile must be fetched (it is not the one before). A result
    is `finished` after the last tile of its reduction; `sums_loaded` and `sums_stored` say whether its partial sums
    come from DRAM before the tile and leave for DRAM after it.
    """

    parts: ConvolutionTiles
    image_pieces: Pieces
    filter_pieces: Pieces
    result_pieces: Pieces
    image_words: Integers
    filter_words: Integers
    result_words: Integers
    image_new: Integers
    filter_new: Integers
    finished: Integers
    sums_loaded: Integers
    sums_stored: Integers


def tile_sequence(product: Product, tiling: Tiling) -> TileSequence:
    """List the tiles of a product, groups outermost."""
    nest = LoopNest(product)
    space: SpatialTiles = nest.spatial_tiles(tiling.images, tiling.rows)
    groups, inner = extents(nest.groups, tiling.groups), extents(nest.inner, tiling.inner)
    outer = extents(nest.outer, tiling.outer)
    moving, reduction = (inner, space.positions) if nest.reduces_space else (space.positions, inner)
    pieces = {"vectors": len(moving), "reduction": len(reduction), "columns": len(outer)}
    i_g, *loops = (i.ravel() for i in np.indices((len(groups), *(pieces[axis] for axis in tiling.order))))
    i_m, i_r, i_c = (loops[tiling.order.index(axis)] for axis in AXES)
    i_space, i_inner = (i_r, i_m) if nest.reduces_space else (i_m, i_r)
    g, a, b = groups[i_g], inner[i_inner], outer[i_c]
    swept = space.image_words[i_space] * a * g
    made = space.positions[i_space] * b * g
    window = a * b * nest.kernel * g
    images, rows = space.images[i_space], space.rows[i_space]
    whole = whole_convolution(product)
    if nest.reduces_space:
        parts = replace(whole, groups=g, images=a, channels=images, filters=b, filter_rows=rows,
                        rows=np.full_like(a, product.shape.R))  # fmt: skip
    else:
        parts = replace(whole, groups=g, images=images, channels=a, filters=b, rows=rows,
                        filter_rows=np.full_like(a, product.shape.R))  # fmt: skip
    dgrad = product.role == "dgrad"
    swept_pieces = image_pieces(nest, True, images, g, a, swept)
    made_pieces = image_pieces(nest, False, images, g, b, made)
    kernel_pieces = window_pieces(nest, g, a if dgrad else b, b if dgrad else a, window)
    arrives = _changes(i_g, i_m, i_c)
    leaves = np.append(arrives[1:], 1)
    last = i_r == len(reduction) - 1
    return TileSequence(
        parts=parts,
        image_pieces=swept_pieces,
        filter_pieces=made_pieces if nest.reduces_space else kernel_pieces,
        result_pieces=kernel_pieces if nest.reduces_space else made_pieces,
        image_words=swept,
        filter_words=made if nest.reduces_space else window,
        result_words=window if nest.reduces_space else made,
        image_new=_changes(i_g, i_m, i_r),
        filter_new=_changes(i_g, i_r, i_c),
        finished=last.astype(np.int64),
        sums_loaded=arrives * (i_r > 0),
        sums_stored=leaves * ~last,
    )


def _changes(*indices: Integers) -> Integers:
    """Return 1 where any of the indices differs from the tile before, and at the first tile."""
    new = np.zeros(len(indices[0]), dtype=np.int64)
    new[0] = 1
    for index in indices:
        new[1:] |= index[1:] != index[:-1]
    return new
