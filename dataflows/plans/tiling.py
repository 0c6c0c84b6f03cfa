"""The tilings of a product: listed in the order of what is known of them, and measured exactly.

Groups run outermost and share nothing. Within a group three loops over tiles remain (vectors, reduction, columns), in
any order. Where the reduction is not the innermost of those that are cut, psums leave for DRAM and come back (at
least four tiles later, so that they are stored before they are asked for).

Candidates are all orders with all uniform cuts of each loop into whole images or parts of one. Which cuts there are
depends on the product and the array alone, so that a larger buffer never has fewer of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from dataflows.array import PEArray
from dataflows.convolution import whole_convolution
from dataflows.dataflow import Dataflow
from dataflows.plans.choice import Criteria, Key, Measured
from dataflows.plans.cut_tables import MemoryBytes, MemoryWidths, Sizes, StreamBytes
from dataflows.plans.cuts import AXES, Cuts, cuts_of
from dataflows.plans.loopnest import LoopNest
from dataflows.plans.placement import Placement
from dataflows.plans.plan import BufferBudget, Integers
from dataflows.plans.streams import from_dram, load_transfers, store_transfers, tile_tensors
from workloads.passes import Product

Order = tuple[str, ...]
# Loops from the outermost to the innermost. Orders in which results are finished one by one come first.
ORDERS: tuple[Order, ...] = (
    ("columns", "vectors", "reduction"), ("vectors", "columns", "reduction"), ("columns", "reduction", "vectors"),
    ("vectors", "reduction", "columns"), ("reduction", "columns", "vectors"), ("reduction", "vectors", "columns"),
)  # fmt: skip
NO_LIMIT = 1 << 62


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


def _numbers(orders: tuple[Order, ...]) -> Integers:
    return np.array([[AXES.index(axis) for axis in order] for order in orders], dtype=np.int64)


Row = tuple[int, ...]  # of a candidate: rows of the tables of cuts (space, groups, channels, filters) and of the orders


@dataclass(frozen=True)
class TilingSearch:
    """The candidates of a product under one mapping of a dataflow.

    The budget is what tiles may use; what lies whole in the buffer has been taken from it. Where sizes of tiles or the
    order are given, only tilings with these are candidates.
    """

    product: Product
    placement: Placement
    dataflow: Dataflow
    array: PEArray
    budget: BufferBudget
    sizes: tuple[tuple[str, int], ...] = ()
    order: Order | None = None

    def candidates(self, criteria: Criteria, most_time: int = NO_LIMIT) -> Iterator[tuple[Key, Row]]:
        """Yield the tilings that fit in the order of the criteria, bounds from below, each with its key."""
        after, wanted = np.full(5, -1, np.int64), 4
        while True:
            found, keys, _ = self._search(criteria, most_time, after, wanted)
            places = np.lexsort(keys.T[::-1])
            for place in places:
                yield tuple(keys[place].tolist()), tuple(found[place].tolist())
            if len(found) < wanted:
                return
            after, wanted = keys[places[-1]].copy(), 8 * wanted

    def quick(self) -> tuple[int, int, Row] | None:
        """Return what no tiling's time is below, and of a tiling that is fast and of few tiles its time, and it."""
        found, keys, least = self._search((3, 1, 2), NO_LIMIT, np.full(5, -1, np.int64), 1)
        return (int(least), int(keys[0, 0]), tuple(found[0].tolist())) if len(found) else None

    def tiling(self, row: Row) -> Tiling:
        """Return a candidate as a tiling."""
        return Tiling(*self._sizes(row), self._orders[row[4]])

    def measure(self, row: Row) -> Measured:
        """Return what a candidate is compared by, exactly, without its plan."""
        from dataflows.plans.tiling_search import array_side_of  # needs numba
        from dataflows.plans.tiling_time import NO_TABLE, Rate, tiling_time

        cuts, sizes = self._cuts, self._sizes(row)
        ifmap, filter_, psum = array_side_of(
            cuts.extents, cuts.folds, self._ifmap_pass(sizes.rows), cuts.space, cuts.channels, cuts.filters,
            np.array(row),
        )  # fmt: skip
        results = self.product.macs // self.product.reduction
        buffer, sram = (
            ifmap * memory.ifmap + filter_ * memory.filter + results * memory.result for memory in self._memories
        )
        buffer += psum * self.budget.partial_sum_bytes
        rate = self.budget.channel.rate
        loads = stores = NO_TABLE
        if rate is None:
            loads, stores = self._transfer_cycles(row)
        time, compute, moved = tiling_time(
            cuts.extents, cuts.folds, sizes, _numbers(self._orders)[row[4]], *cuts.meetings, self._stream_bytes,
            Rate(*(rate or (0, 1, 0))), loads, stores, buffer, sram, self._widths,
        )  # fmt: skip
        return Measured((int(time), int(moved), int(moved + buffer)), self._tiles(row), int(compute))

    @cached_property
    def least_time(self) -> int:
        """What no tiling is faster than."""
        return self.dataflow.least_cycles(self.array, self.product)

    @property
    def needed_bytes(self) -> int:
        """Bytes of buffer that the smallest tile needs."""
        from dataflows.plans.cut_kernels import smallest_tile  # needs numba

        cuts = self._cuts
        return int(smallest_tile(
            cuts.more.ifmap_most, cuts.more.positions_most, cuts.channels.size, cuts.filters.size,
            cuts.extents.kernel, cuts.extents.reduces_space, self._stream_bytes,
        ))  # fmt: skip

    def _search(
        self, criteria: tuple[int, int, int], most_time: int, after: Integers, wanted: int
    ) -> tuple[Integers, Integers, int]:
        from dataflows.plans.tiling_search import search  # needs numba

        cuts, budget = self._cuts, self.budget
        found: tuple[Integers, Integers, int] = search(
            cuts.space, cuts.more, cuts.groups, cuts.channels, cuts.filters, cuts.extents, cuts.folds, cuts.ifmap_pass,
            self._stream_bytes, *self._memories, self._widths, budget.capacity_bytes,
            np.array(budget.channel.least_cycles, dtype=np.float64), _numbers(self._orders), criteria, most_time, after,
            wanted,
        )  # fmt: skip
        return found

    @cached_property
    def _cuts(self) -> Cuts:
        return cuts_of(self.product, self.dataflow, self.array, self.sizes)

    @cached_property
    def _orders(self) -> tuple[Order, ...]:
        if self.order is not None:
            return (self.order,)
        return ORDERS if self.placement.result == "dram" else ORDERS[:2]

    @cached_property
    def _stream_bytes(self) -> StreamBytes:
        where, budget = self.placement, self.budget
        return StreamBytes(
            budget.word_bytes * from_dram(where.ifmap), budget.word_bytes * from_dram(where.filter),
            budget.word_bytes * (where.result == "dram"), budget.partial_sum_bytes,
        )  # fmt: skip

    @cached_property
    def _memories(self) -> tuple[MemoryBytes, MemoryBytes]:
        """What passes between the array and the buffer, and the array and the predictor SRAM."""
        where, word = self.placement, self.budget.word_bytes
        passing = ((word * where.ifmap.tensors, where.ifmap.place), (word * where.filter.tensors, where.filter.place),
                   (word, where.result))  # fmt: skip
        return (
            MemoryBytes(*(size * (place != "predictor_sram") for size, place in passing)),
            MemoryBytes(*(size * (place == "predictor_sram") for size, place in passing)),
        )

    @cached_property
    def _widths(self) -> MemoryWidths:
        ports = self.budget.ports
        return MemoryWidths(*(NO_LIMIT if width is None else width
                              for width in (ports.buffer_bytes, ports.predictor_sram_bytes)))  # fmt: skip

    def _ifmap_pass(self, rows: int) -> int:
        """Return the words that one pass over the ifmap brings to the array in tiles of so many rows."""
        if self._same_pass:
            return self._cuts.ifmap_pass
        # Groups share nothing, so equal tiles count as one of as many times the groups.
        whole, extents = whole_convolution(self.product), self._cuts.extents
        tiles = -(-extents.rows // rows)
        cut, one = np.array([rows, extents.rows - (tiles - 1) * rows]), np.ones(2, np.int64)
        parts = replace(
            whole, groups=np.array([tiles - 1, 1]) * whole.groups, images=whole.images * one, filters=one,
            channels=whole.channels * one, filter_rows=cut if extents.reduces_space else whole.filter_rows * one,
            rows=whole.rows * one if extents.reduces_space else cut,
        )  # fmt: skip
        return self.dataflow.traffic(self.array, parts, 0).ifmap_words

    def _transfer_cycles(self, row: Row) -> tuple[Integers, Integers]:
        """Ask the channel what the loads and the stores of each kind of tile take; see `tiling_time`."""
        from dataflows.plans.tiling_time import (  # needs numba
            LOADS,
            NEW_FILTER,
            NEW_IFMAP,
            PSUMS_COME,
            PSUMS_LEAVE,
            RESULT_LEAVES,
            STORES,
            tile_kinds,
        )

        cuts, budget = self._cuts, self.budget
        kinds = tile_kinds(cuts.extents, self._sizes(row), *cuts.meetings)
        space, *last = (i.ravel() for i in np.indices((len(kinds.images), 2, 2, 2)))
        channels, filters, groups = (
            sizes[at] for sizes, at in zip((kinds.channels, kinds.filters, kinds.groups), last, strict=True)
        )
        read = kinds.images * kinds.rows_read * cuts.extents.ifmap_row_words

        extents = (kinds.images[space], kinds.rows[space], channels, filters, groups, read[space])
        tensors, one = tile_tensors(LoopNest(self.product), *extents), np.ones_like(space)
        spills = one * self._spills(row)  # else psums need not even fit in DRAM
        loads, stores = np.arange(LOADS), np.arange(STORES)
        transfers = (
            load_transfers(tensors, self.placement, budget, one, one, spills).each_of(
                np.array([loads & bit > 0 for bit in (NEW_IFMAP, NEW_FILTER, PSUMS_COME)])
            ),
            store_transfers(tensors, self.placement, budget, one, spills).each_of(
                np.array([stores == what for what in (RESULT_LEAVES, PSUMS_LEAVE)])
            ),
        )
        load_cycles, store_cycles = (budget.channel.transfer_cycles(each) for each in transfers)
        return load_cycles, store_cycles

    def _spills(self, row: Row) -> bool:
        """Return whether psums leave for DRAM: a loop of several tiles turns inside the reduction's."""
        cuts, order = self._cuts, self._orders[row[4]]
        space, channels, filters = (
            int(axis.tiles[at]) for axis, at in ((cuts.space, row[0]), (cuts.channels, row[2]), (cuts.filters, row[3]))
        )
        tiles = {"columns": filters, "vectors": space, "reduction": channels}
        if cuts.extents.reduces_space:
            tiles["vectors"], tiles["reduction"] = channels, space
        inside = order[order.index("reduction") + 1 :]
        return tiles["reduction"] > 1 and any(tiles[axis] > 1 for axis in inside)

    @cached_property
    def _same_pass(self) -> bool:
        return self.dataflow.granularity(self.array, self.product).ifmap_words is None

    def _sizes(self, row: Row) -> Sizes:
        space, group, channels, filters, _ = row
        cuts = self._cuts
        return Sizes(
            int(cuts.groups.size[group]), int(cuts.more.images[space]), int(cuts.more.rows[space]),
            int(cuts.channels.size[channels]), int(cuts.filters.size[filters]),
        )  # fmt: skip

    def _tiles(self, row: Row) -> int:
        cuts = self._cuts
        axes = (cuts.space, cuts.groups, cuts.channels, cuts.filters)
        space, groups, channels, filters = (int(axis.tiles[at]) for axis, at in zip(axes, row[:4], strict=True))
        return space * groups * channels * filters
