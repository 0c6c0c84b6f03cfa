"""The planner's candidates one by one, and plans made tile by tile: what tests hold the planner's kernel to."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numba import njit

from dataflows.actions import ActionCounts
from dataflows.array import PEArray
from dataflows.dataflow import Dataflow
from dataflows.plans import (
    array_side,
    candidate_heap,
    cut_tables,
    table_reading,
    tile_clock,
    tile_kinds,
    tiling_search,
    tiling_time,
)
from dataflows.plans.candidate_heap import KEY
from dataflows.plans.choice import NO_TABLE, Contest
from dataflows.plans.cut_tables import Candidate
from dataflows.plans.origin import ProductOrigin
from dataflows.plans.placement import Operand, Placement
from dataflows.plans.plan import BufferBudget, Plan
from dataflows.plans.streams import load_transfers, store_transfers
from dataflows.plans.tile_sequence import tile_sequence
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
            tables, extents, memory, rate, orders, criteria, NO_LIMIT, NO_LIMIT, keys, wanted
        )

    @njit(cache=True)
    def measure(candidate, tables, extents, memory, rate, orders, load_cycles, store_cycles, table):
        if sources == 0:
            orders = orders[:0]
        return tiling_time.measure(candidate, tables, extents, memory, rate, orders, load_cycles, store_cycles, table)

    return list_candidates, measure


list_candidates, measure = _kernels(sources_of(
    array_side, candidate_heap, cut_tables, table_reading, tile_clock, tile_kinds, tiling_search, tiling_time
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


def plan_tiled(
    product: Product, placement: Placement, dataflow: Dataflow, array: PEArray, budget: BufferBudget, tiling: Tiling
) -> Plan:
    """Plan one product on an array by a given tiling: the array's closed forms, tile by tile."""
    tiles = tile_sequence(product, tiling)
    timing = dataflow.timing(array, tiles.parts)
    results = tiles.tensors.result.words
    finished = int((results * tiles.finished).sum())
    traffic = dataflow.traffic(array, tiles.parts, finished)

    word, sums = budget.word_bytes, budget.partial_sum_bytes
    loads = load_transfers(tiles.tensors, placement, budget, tiles.ifmap_new, tiles.filter_new, tiles.psums_loaded)
    stores = store_transfers(tiles.tensors, placement, budget, tiles.finished, tiles.psums_stored)
    loaded_bytes, stored_bytes = int(loads.moved_bytes.sum()), int(stores.moved_bytes.sum())

    # What a tile leaves unfinished waits in the buffer for the next one; the rest need not leave the accumulators.
    waiting = int((results * (1 - tiles.finished)).sum())
    held = traffic.partial_sum_writes - waiting if traffic.accumulated else 0
    reads = {"buffer": (traffic.partial_sum_reads - held) * sums + stored_bytes, "predictor_sram": 0}
    writes = {"buffer": (traffic.partial_sum_writes - held) * sums + loaded_bytes, "predictor_sram": 0}
    for operand, words in ((placement.ifmap, traffic.ifmap_words), (placement.filter, traffic.filter_words)):
        reads[_held_in(operand)] += words * word * operand.tensors
    writes["predictor_sram" if placement.result == "predictor_sram" else "buffer"] += finished * word
    counts = ActionCounts(
        macs=product.macs,
        adds=0 if traffic.sums_return else traffic.partial_sum_reads,
        register_reads=traffic.register_reads,
        register_writes=traffic.register_writes,
        scratchpad_reads=traffic.scratchpad_reads,
        scratchpad_writes=traffic.scratchpad_writes,
        array_network_bytes=(traffic.ifmap_words + traffic.filter_words + finished) * word
        + (traffic.partial_sum_reads * traffic.sums_return + traffic.partial_sum_writes) * sums,
        buffer_read_bytes=reads["buffer"],
        buffer_write_bytes=writes["buffer"],
        accumulator_read_bytes=held * sums,
        accumulator_write_bytes=held * sums,
        predictor_sram_read_bytes=reads["predictor_sram"],
        predictor_sram_write_bytes=writes["predictor_sram"],
        dram_read_bytes=loaded_bytes,
        dram_write_bytes=stored_bytes,
    )
    return Plan(
        loads, stores, timing.stream_cycles, timing.gap_cycles, timing.fill_cycles, timing.drain_cycles, counts,
        budget.ports, ProductOrigin(product, placement, dataflow, array, budget, tiling),
    )  # fmt: skip


def _held_in(operand: Operand) -> str:
    return "predictor_sram" if operand.place == "predictor_sram" else "buffer"
