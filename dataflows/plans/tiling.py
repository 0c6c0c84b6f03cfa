"""A tiling: how a product is cut into tiles, and in which order they run.

Groups run outermost and share nothing. Within a group three loops over tiles remain (vectors, reduction, columns), in
any order. Where the reduction is not the innermost of those that are cut, psums leave for DRAM and come back (at
least four tiles later, so that they are stored before they are asked for).

Candidates are all orders with all uniform cuts of each loop into whole images or parts of one. Which cuts there are
depends on the product and the array alone, so that a larger buffer never has fewer of them.
"""

from dataclasses import dataclass

from dataflows.plans.cut_tables import Sizes
from dataflows.plans.loopnest import LoopNest
from workloads.passes import Product

Order = tuple[str, ...]
# Loops from the outermost to the innermost. Orders in which results are finished one by one come first.
ORDERS: tuple[Order, ...] = (
    ("columns", "vectors", "reduction"), ("vectors", "columns", "reduction"), ("columns", "reduction", "vectors"),
    ("vectors", "reduction", "columns"), ("reduction", "columns", "vectors"), ("reduction", "vectors", "columns"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tiling:
    """Tile sizes, and the order of the loops over tiles.

    `channels` are the ifmap's, `filters` the product's columns, both of one group. In a tiling of the search `images`
    is 1 wherever `rows` is less than the whole image, rows and kernels are not cut across (None), and the order is one
    of the three axes. A tiling that is given may have any order of the loops of `dataflows.plans.loops`, and may load
    both operands anew for every tile (`reload_operands`).
    """

    groups: int
    images: int
    rows: int
    channels: int
    filters: int
    order: Order
    positions: int | None = None
    kernel_rows: int | None = None
    kernel_columns: int | None = None
    reload_operands: bool = False

    @property
    def sizes(self) -> Sizes:
        """Extents of a tile along the five loops that the search cuts."""
        return Sizes(self.groups, self.images, self.rows, self.channels, self.filters)

    def loops(self, product: Product) -> dict[str, int]:
        """Return the tiles of a group along each axis."""
        nest = LoopNest(product)
        space = -(-nest.images // self.images) * -(-nest.rows // self.rows)
        channels = -(-nest.channels // self.channels)
        vectors, reduction = (channels, space) if nest.reduces_space else (space, channels)
        return {"vectors": vectors, "reduction": reduction, "columns": -(-nest.filters // self.filters)}

    def spills(self, product: Product) -> bool:
        """Return whether psums leave for DRAM: a loop of several tiles turns inside the reduction's."""
        loops, inside = self.loops(product), self.order[self.order.index("reduction") + 1 :]
        return loops["reduction"] > 1 and any(loops[axis] > 1 for axis in inside)
