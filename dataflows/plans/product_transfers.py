"""What the tiles of a product move, with patterns of addresses only where someone asks for them."""

from functools import cached_property

from dataflows.plans.origin import ProductOrigin
from dataflows.plans.streams import load_transfers, store_transfers
from dataflows.plans.tile_sequence import tile_sequence
from dataflows.plans.transfers import Integers, Transfers


class ProductTransfers(Transfers):
    """The loads or the stores of a product's tiles. Their bytes are known; their patterns are laid out when needed."""

    def __init__(self, moved_bytes: Integers, write: bool, origin: ProductOrigin) -> None:
        self.__dict__.update(moved_bytes=moved_bytes, write=write, _origin=origin)

    def __len__(self) -> int:
        return len(self.moved_bytes)

    @cached_property
    def _patterns(self) -> Transfers:
        origin: ProductOrigin = self.__dict__["_origin"]
        where, budget, tiles = origin.placement, origin.budget, tile_sequence(origin.product, origin.tiling)
        if self.write:
            return store_transfers(tiles.tensors, where, budget, tiles.finished, tiles.psums_stored)
        return load_transfers(tiles.tensors, where, budget, tiles.ifmap_new, tiles.filter_new, tiles.psums_loaded)

    @cached_property
    def segments(self) -> Integers:
        """Pieces of each pattern and transfer."""
        return self._patterns.segments

    @cached_property
    def segment_bytes(self) -> Integers:
        """Bytes of a piece."""
        return self._patterns.segment_bytes

    @cached_property
    def stride_bytes(self) -> Integers:
        """From one piece to the next."""
        return self._patterns.stride_bytes
