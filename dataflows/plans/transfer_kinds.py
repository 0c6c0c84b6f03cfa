"""The transfers of a tiling that differ: those of each kind of tile, whatever it loads and stores."""

from functools import lru_cache

import numpy as np

from dataflows.plans.cut_tables import Extents, Sizes
from dataflows.plans.cuts import rows_read_of
from dataflows.plans.loopnest import LoopNest
from dataflows.plans.placement import Placement
from dataflows.plans.plan import BufferBudget
from dataflows.plans.streams import load_transfers, store_transfers, tile_tensors
from dataflows.plans.tiling import Tiling
from dataflows.plans.transfers import TransferChoices
from workloads.passes import Product


@lru_cache(maxsize=1)  # a plan's loads and its stores are asked for in turn
def kinds_of_transfers(
    product: Product, placement: Placement, budget: BufferBudget, tiling: Tiling
) -> tuple[TransferChoices, TransferChoices]:
    """Return the loads and the stores of each kind of tile of a search's tiling.

    One by one they are in the order of `dataflows.plans.tile_kinds.KindTables`.
    """
    from dataflows.plans.cut_kernels import kinds_of_tiles
    from dataflows.plans.tile_kinds import (  # needs numba
        LOADS,
        NEW_FILTER,
        NEW_IFMAP,
        PSUMS_COME,
        PSUMS_LEAVE,
        RESULT_LEAVES,
        STORES,
    )

    nest = LoopNest(product)
    extents = Extents.of(nest)
    sizes = Sizes(tiling.groups, tiling.images, tiling.rows, tiling.channels, tiling.filters)
    kinds = kinds_of_tiles(extents, sizes, *rows_read_of(product))
    space, *last = (i.ravel() for i in np.indices((len(kinds.images), 2, 2, 2)))
    channels, filters, groups = (
        sizes[at] for sizes, at in zip((kinds.channels, kinds.filters, kinds.groups), last, strict=True)
    )
    read = (kinds.images * kinds.rows_read * extents.ifmap_row_words)[space]
    tensors = tile_tensors(nest, kinds.images[space], kinds.rows[space], channels, filters, groups, read)
    one = np.ones_like(space)
    spills = one * tiling.spills(product)  # else psums need not even fit in DRAM
    loads, stores = np.arange(LOADS), np.arange(STORES)
    return (
        TransferChoices(
            load_transfers(tensors, placement, budget, one, one, spills),
            np.array([loads & bit > 0 for bit in (NEW_IFMAP, NEW_FILTER, PSUMS_COME)]),
        ),
        TransferChoices(
            store_transfers(tensors, placement, budget, one, spills),
            np.array([stores == what for what in (RESULT_LEAVES, PSUMS_LEAVE)]),
        ),
    )
