"""The planner's candidates one by one, and plans made tile by tile: what tests hold the planner's kernel to."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numba import njit

from dataflows.array import PEArray
from dataflows.dataflow import Dataflow
from dataflows.plans import (
    array_side,
    candidate_heap,
    cut_tables,
    kernel_arrays,
    table_reading,
    tile_clock,
    tile_kinds,
    tiling_search,
    tiling_time,
)
from dataflows.plans.budget import BufferBudget
from dataflows.plans.candidate_heap import KEY
from dataflows.plans.choice import NO_TABLE, Contest
from dataflows.plans.cut_tables import Candidate
from dataflows.plans.placement import Placement
from dataflows.plans.plan import Plan
from dataflows.plans.tiling import ORDERS, Tiling
from workloads.foundation.kernel_sources import sources_of
from workloads.passes import Product

Key = tuple[int, ...]
NO_LIMIT = 1 << 62
NO_TILES = np.zeros((8, 0), np.int64)


def _kernels(sources: int):
    """Return the parts of the contest's kernel by themselves."""

    @njit(cache=True)
    def list_candidates(tables, extents, memory, rate, orders, criteria, keys, wanted):
        if sources == 0:  # never; numba's cache follows what a function closes over
            return 0, 0
        return tiling_search.list_candidates(
            tables, extents, memory, rate, orders, criteria, NO_LIMIT, NO_LIMIT, keys, wanted, 1
        )

    @njit(cache=True)
    def measure(candidate, tables, extents, memory, rate, orders, load_cycles, store_cycles, table):
        if sources == 0:
            orders = orders[:0]
        return tiling_time.measure(
            candidate, tables, extents, memory, rate, orders, load_cycles, store_cycles, table, tiling_time.NO_LIMIT
        )

    return list_candidates, measure


list_candidates, measure = _kernels(sources_of(
    array_side, candidate_heap, cut_tables, kernel_arrays, table_reading, tile_clock, tile_kinds, tiling_search,
    tiling_time,
))  # fmt: skip


class Measured(NamedTuple):
    """Time, DRAM bytes and buffer bytes; tiles; cycles of the tiles alone."""

    values: tuple[int, int, int]
    tiles: int
    compute_cycles: int

    @classmethod
    def of(cls, plan: Plan, cycles: int) -> "Measured":
        c = plan.counts
        moved = c.dram_read_bytes + c.dram_write_bytes
        return cls(
            (cycles, moved, c.buffer_read_bytes + c.buffer_write_bytes), len(plan.loads), plan.compute_cycles
        )  # fmt: skip

    def key(self, criteria: tuple[int, int, int]) -> Key:
        return (*(self.values[i] for i in criteria), self.tiles)


class TilingSearch:
    """The candidates of a product under one mapping."""

    def __init__(
        self, product: Product, placement: Placement, dataflow: Dataflow, array: PEArray, budget: BufferBudget
    ) -> None:
        self.product, self.placement, self.dataflow = product, placement, dataflow
        self.array, self.budget = array, budget
        self.contest = Contest.of(product, placement, (dataflow,), array, budget)

    @property
    def known(self):
        one = self.contest
        return one.cuts.tables, one.cuts.extents, one.memory, one.rate, one.orders

    def candidates(self, criteria: tuple[int, int, int]) -> Iterator[tuple[Key, Candidate]]:
        """Yield all candidates in an order, each with its key."""
        wanted = 256
        keys = np.empty((wanted + 2, KEY), np.int64)
        keys[-1] = -1
        while True:
            count, _ = list_candidates(*self.known, criteria, keys, wanted)
            for key in keys[:count].tolist():
                yield tuple(key), self.contest.candidate(key[4:])
            if count < wanted:
                return
            keys[-1] = keys[count - 1]

    def tiling(self, candidate: Candidate) -> Tiling:
        return self.contest.tiling(candidate)

    def place_of(self, tiling: Tiling) -> Candidate:
        """Return a tiling as a candidate."""
        tables = self.contest.cuts.tables
        space, spaces, *others, more = tables.mappings[0, :9].tolist()
        images, rows = tables.more[:2, more : more + spaces].tolist()
        wanted = (tiling.groups, tiling.channels, tiling.filters)
        at = [
            tables.cuts[0, begin : begin + count].tolist().index(size)
            for begin, count, size in zip(others[::2], others[1::2], wanted, strict=True)
        ]
        space = list(zip(images, rows, strict=True)).index((tiling.images, tiling.rows))
        return Candidate(0, space, *at, ORDERS.index(tiling.order))

    def measure(self, candidate: Candidate) -> Measured:
        """Measure a candidate by the planner's kernel."""
        one, loads, stores = self.contest, NO_TABLE, NO_TABLE
        one._learn_pass(candidate)
        if one.rate.asked:
            loads, stores = one._transfer_cycles(candidate)
        found = measure(candidate, *self.known, loads, stores, NO_TILES)
        return Measured(
            (found.time, found.dram_bytes, found.buffer_bytes), found.tiles, found.compute_cycles
        )  # fmt: skip
