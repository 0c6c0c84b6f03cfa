"""The tiles of a product in the order in which they run."""

from dataclasses import dataclass, replace
from itertools import product as each

import numpy as np

from dataflows.convolution import ConvolutionTiles, whole_convolution
from dataflows.integers import Integers
from dataflows.plans.cut_tables import Sizes
from dataflows.plans.loopnest import LoopNest, extents
from dataflows.plans.loops import axes_of, expanded, loops_of, totals_of
from dataflows.plans.streams import PartsOfRows, TileTensors, tile_tensors
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
    """List the tiles of a product in the order of the tiling's loops."""
    nest = LoopNest(product)
    totals, loops = totals_of(nest), expanded(tiling.order, nest)
    size = {loop: totals[loop] if (given := getattr(tiling, loop)) is None else given for loop in loops}
    pieces = {loop: extents(totals[loop], size[loop]) for loop in loops}
    places = np.indices([len(pieces[loop]) for loop in loops]).reshape(len(loops), -1)
    at = dict(zip(loops, places, strict=True))
    of = {loop: pieces[loop][at[loop]] for loop in loops}

    across = size["positions"] < totals["positions"] or size["kernel_columns"] < totals["kernel_columns"]
    words_of_a_row = np.full_like(of["rows"], nest.ifmap_row_words)
    if across:  # else rows are read whole
        read = nest.ifmap_columns(size["positions"], size["kernel_columns"])
        words_of_a_row = read[at["positions"], at["kernel_columns"]]
    rows_read = nest.ifmap_rows(size["rows"], size["kernel_rows"])[at["rows"], at["kernel_rows"]]
    cut_rows = size["positions"] < totals["positions"]
    cut_kernels = any(size[loop] < totals[loop] for loop in ("kernel_rows", "kernel_columns"))
    cut = PartsOfRows(of["positions"], words_of_a_row, of["kernel_rows"], of["kernel_columns"])
    tensors = tile_tensors(
        nest, of["images"], of["rows"], of["channels"], of["filters"], of["groups"],
        of["images"] * rows_read * words_of_a_row, cut if cut_rows or cut_kernels else None,
    )  # fmt: skip

    spans, axes = loops_of(nest), axes_of(nest)
    new = {tensor: _changes([at[loop] for loop in loops_there]) for tensor, loops_there in spans.items()}
    come = new["result"]
    leave = np.append(come[1:], 1)
    reduction = axes["reduction"]
    begun = np.any([at[loop] > 0 for loop in reduction], axis=0)
    last = np.all([at[loop] == len(pieces[loop]) - 1 for loop in reduction], axis=0)
    return TileSequence(
        parts=_parts(product, of, cut_rows, cut_kernels),
        tensors=tensors,
        ifmap_new=new["ifmap"] | tiling.reload_operands,
        filter_new=new["filter"] | tiling.reload_operands,
        finished=last.astype(np.int64),
        psums_loaded=come * begun,
        psums_stored=leave * ~last,
    )


def _parts(product: Product, of: dict[str, Integers], cut_rows: bool, cut_kernels: bool) -> ConvolutionTiles:
    """Return the tiles as parts of the convolution that the array carries out.

    Where a tile has a part of a row, each of its positions counts as a row of one; so does each tap of a cut kernel.
    """
    whole, shape, one = whole_convolution(product), product.shape, np.ones_like(of["groups"])
    space = (of["rows"] * of["positions"], 1) if cut_rows else (of["rows"], None)
    kernel = (of["kernel_rows"] * of["kernel_columns"], 1) if cut_kernels else (one * shape.R, None)
    if product.role == "wgrad":
        found = replace(whole, groups=of["groups"], images=of["channels"], channels=of["images"],
                        filters=of["filters"], filter_rows=space[0], rows=kernel[0])  # fmt: skip
        return replace(found, filter_columns=space[1] or whole.filter_columns, columns=kernel[1] or whole.columns)
    found = replace(whole, groups=of["groups"], images=of["images"], channels=of["channels"], filters=of["filters"],
                    filter_rows=kernel[0], rows=space[0],
                    part_of_row=of["positions"] if cut_rows else None)  # fmt: skip
    return replace(found, filter_columns=kernel[1] or whole.filter_columns, columns=space[1] or whole.columns)


def _changes(indices: list[Integers]) -> Integers:
    """Return 1 where any of the indices differs from the tile before, and at the first tile."""
    new = np.zeros(len(indices[0]), dtype=np.int64)
    new[0] = 1
    for index in indices:
        new[1:] |= index[1:] != index[:-1]
    return new


def kinds_of_parts(product: Product, sizes: Sizes) -> tuple[ConvolutionTiles, Integers]:
    """Return the different tiles of a product by their extents, and how many there are of each."""
    nest = LoopNest(product)
    cut = ((nest.groups, sizes.groups), (nest.images, sizes.images), (nest.rows, sizes.rows),
           (nest.channels, sizes.channels), (nest.filters, sizes.filters))  # fmt: skip
    extents_of, counts = [], []
    for total, size in cut:
        tiles = -(-total // size)
        last = total - (tiles - 1) * size
        extents_of.append([size, last] if last < size and tiles > 1 else [last])
        counts.append([tiles - 1, 1] if last < size and tiles > 1 else [tiles])
    groups, images, rows, channels, filters = np.array(list(each(*extents_of))).T
    times = np.array(list(each(*counts))).prod(axis=1)
    whole = whole_convolution(product)
    kernel_rows = np.full_like(groups, product.shape.R)
    if nest.reduces_space:
        own = replace(whole, groups=groups, images=channels, channels=images, filters=filters, filter_rows=rows,
                      rows=kernel_rows)  # fmt: skip
    else:
        own = replace(whole, groups=groups, images=images, channels=channels, filters=filters, rows=rows,
                      filter_rows=kernel_rows)  # fmt: skip
    return own, times
