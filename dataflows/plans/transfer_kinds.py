"""The transfers of a tiling that differ: those of each kind of tile, whatever it loads and stores."""

from functools import lru_cache
from typing import NamedTuple, Self

import numpy as np

from dataflows.integers import Integers
from dataflows.plans.budget import Widths
from dataflows.plans.channel import Channel
from dataflows.plans.cut_tables import Extents, Sizes
from dataflows.plans.cuts import rows_read_of
from dataflows.plans.loopnest import LoopNest
from dataflows.plans.placement import Placement
from dataflows.plans.streams import load_transfers, store_transfers, tile_tensors
from dataflows.plans.tiling import Tiling
from dataflows.plans.transfers import TransferChoices
from workloads.passes import Product


class KindsOfTransfers(NamedTuple):
    """What the transfers of each kind of tile depend on, under a tiling of the search.

    Attributes
    ----------
    spills : bool
        Whether psums leave for DRAM; it is all that the order of loops says of a kind.
    """

    product: Product
    placement: Placement
    widths: Widths
    sizes: Sizes
    spills: bool

    @classmethod
    def of(cls, product: Product, placement: Placement, widths: Widths, tiling: Tiling) -> Self:
        """Return what a tiling says."""
        return cls(product, placement, widths, tiling.sizes, tiling.spills(product))


@lru_cache(maxsize=4096)
def costs_of_kinds(asked: KindsOfTransfers, channel: Channel) -> tuple[Integers, Integers]:
    """Return the cycles of the loads, and of the stores, of each kind of tile.

    Tilings of other orders, and contests for other rooms, ask for the same ones.
    """
    (loads, _), (stores, _) = channel.costs_of_choices(kinds_of_transfers(asked))
    return np.ascontiguousarray(loads), np.ascontiguousarray(stores)


@lru_cache(maxsize=512)
def kinds_of_transfers(asked: KindsOfTransfers) -> tuple[TransferChoices, TransferChoices]:
    """Return the loads and the stores of each kind of tile.

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

    product, placement, widths, sizes_of_tiles, spilling = asked
    nest = LoopNest(product)
    extents = Extents.of(nest)
    kinds = kinds_of_tiles(extents, sizes_of_tiles, *rows_read_of(product))
    space, *last = (i.ravel() for i in np.indices((len(kinds.images), 2, 2, 2)))
    channels, filters, groups = (
        sizes[at] for sizes, at in zip((kinds.channels, kinds.filters, kinds.groups), last, strict=True)
    )
    read = (kinds.images * kinds.rows_read * extents.ifmap_row_words)[space]
    tensors = tile_tensors(nest, kinds.images[space], kinds.rows[space], channels, filters, groups, read)
    one = np.ones_like(space)
    spills = one * spilling  # else psums need not even fit in DRAM
    loads, stores = np.arange(LOADS), np.arange(STORES)
    return (
        TransferChoices(
            load_transfers(tensors, placement, widths, one, one, spills),
            np.array([loads & bit > 0 for bit in (NEW_IFMAP, NEW_FILTER, PSUMS_COME)]),
        ),
        TransferChoices(
            store_transfers(tensors, placement, widths, one, spills),
            np.array([stores == what for what in (RESULT_LEAVES, PSUMS_LEAVE)]),
        ),
    )
