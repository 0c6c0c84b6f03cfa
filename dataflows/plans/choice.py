"""Choose among all tilings of a product under all mappings of a dataflow.

The contest runs in a kernel (`dataflows.plans.contest`), which has the rule. Python prepares its tables, and answers
where the kernel cannot know: what a DRAM channel takes that has no rate, and what some mappings bring to the array.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from dataflows.array import PEArray
from dataflows.convolution import whole_convolution
from dataflows.dataflow import Dataflow
from dataflows.integers import Integers
from dataflows.plans.budget import BufferBudget, TileTooLargeError
from dataflows.plans.channel import Channel
from dataflows.plans.cut_tables import (
    Candidate,
    Extents,
    Folds,
    Memory,
    MemoryBytes,
    MemoryWidths,
    Rate,
    StreamBytes,
)
from dataflows.plans.cuts import AXES, Cuts, cuts_of, together
from dataflows.plans.loopnest import LoopNest
from dataflows.plans.placement import Placement
from dataflows.plans.streams import from_dram
from dataflows.plans.tiling import ORDERS, Order, Tiling
from dataflows.plans.transfer_kinds import KindsOfTransfers, costs_of_kinds
from dataflows.plans.weighing import weighed
from workloads.passes import Product

NO_LIMIT = 1 << 62
FINISHING_ORDERS = ORDERS[:2]  # in which no psums leave
NO_TABLE = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The tiling that wins, with its mapping.

    Attributes
    ----------
    time, dram_bytes, buffer_bytes, compute_cycles, loaded_bytes : int
        See `dataflows.plans.tiling_time.Measured`.
    fill_cycles, drain_cycles : int
        See `Plan`.
    tiles : int64[10, tiles]
        See `dataflows.plans.tiling_time.measure`.
    """

    tiling: Tiling
    mapped: Dataflow
    time: int
    dram_bytes: int
    buffer_bytes: int
    compute_cycles: int
    loaded_bytes: int
    fill_cycles: int
    drain_cycles: int
    tiles: Integers


@dataclass(frozen=True, slots=True)
class Allowed:
    """The tilings that compete: all, or those with sizes of tiles or an order that are given."""

    sizes: tuple[tuple[str, int], ...] = ()
    order: Order | None = None

    def orders(self, placement: Placement) -> tuple[Order, ...]:
        """Return the orders of loops over tiles."""
        if self.order is not None:
            return (self.order,)
        return ORDERS if placement.result == "dram" else FINISHING_ORDERS


ALL = Allowed()


def choose(
    product: Product, placement: Placement, mappings: Sequence[Dataflow], array: PEArray, budget: BufferBudget,
    allowed: Allowed = ALL,
) -> Chosen:  # fmt: skip
    """Return the tiling that the rule takes (docs/machine.md, "Tiles"), under one of some mappings of a dataflow.

    Raises
    ------
    TileTooLargeError
        If not even the smallest tile fits in the buffer.
    """
    if budget.weighed:
        return weighed(
            budget, lambda one: choose(product, placement, mappings, array, one, allowed),
            lambda found: (found.time, found.dram_bytes),
        )  # fmt: skip
    shortest, floor, live = NO_LIMIT, NO_LIMIT, mappings
    if len(mappings) > 1:
        live, shortest, floor = _worth_a_look(product, placement, mappings, array, budget, allowed)
    contest = Contest.of(product, placement, live, array, budget, allowed)
    tiles = contest.run(shortest, floor)
    if tiles.shape[1] == 0:
        needed = _needed_bytes(product, mappings, array, contest.memory, allowed)
        raise TileTooLargeError(needed, budget.capacity_bytes)
    return contest.chosen(tiles)


def _worth_a_look(
    product: Product, placement: Placement, mappings: Sequence[Dataflow], array: PEArray, budget: BufferBudget,
    allowed: Allowed,
) -> tuple[Sequence[Dataflow], int, int]:  # fmt: skip
    """Return the mappings that may win, the least known time of a tiling, and what none is below."""
    if budget.slack_percent is None:
        return mappings, NO_LIMIT, NO_LIMIT
    least = [mapped.least_cycles(array, product) for mapped in mappings]
    shortest = floor = NO_LIMIT
    for place in sorted(range(len(mappings)), key=least.__getitem__):
        if least[place] >= shortest:
            floor = min(floor, least[place])
            break
        one = Contest.of(product, placement, mappings[place : place + 1], array, budget, allowed)
        one.run(shortest, floor, quick=True)
        shortest, floor = one.state[0, 3:5].tolist()
    limit = shortest + shortest * budget.slack_percent // 100
    live = [mapped for mapped, cycles in zip(mappings, least, strict=True) if cycles <= limit]
    return live, shortest, floor


def _needed_bytes(
    product: Product, mappings: Sequence[Dataflow], array: PEArray, memory: Memory, allowed: Allowed
) -> int:  # fmt: skip
    """Return the bytes of buffer that the smallest tile needs under any mapping."""
    from dataflows.plans.cut_kernels import smallest_tile  # needs numba

    all_cuts = (cuts_of(product, mapped, array, allowed.sizes) for mapped in mappings)
    return min(int(smallest_tile(cuts.tables, cuts.extents, memory.stream)) for cuts in all_cuts)


@dataclass(slots=True)
class Contest:
    """A contest of the tilings of one product under some mappings; the kernel keeps how far it is in `state`."""

    product: Product
    placement: Placement
    mappings: Sequence[Dataflow]
    array: PEArray
    budget: BufferBudget
    cuts: Cuts
    memory: Memory
    rate: Rate
    named_orders: tuple[Order, ...]
    orders: Integers
    state: Any = None

    @classmethod
    def of(
        cls, product: Product, placement: Placement, mappings: Sequence[Dataflow], array: PEArray,
        budget: BufferBudget, allowed: Allowed = ALL,
    ) -> "Contest":  # fmt: skip
        """Return a contest that has not begun."""
        cuts = together([cuts_of(product, mapped, array, allowed.sizes) for mapped in mappings])
        orders = allowed.orders(placement)
        memory, rate = memory_of(placement, budget), rate_of(budget.channel)
        return cls(product, placement, mappings, array, budget, cuts, memory, rate, orders, _numbers(orders))

    def run(self, shortest: int = NO_LIMIT, floor: int = NO_LIMIT, quick: bool = False) -> Integers:
        """Find the tiling that wins, or with `quick` only one that is soon measured and seldom much slower.

        Parameters
        ----------
        shortest, floor : int
            What is known of the least time already.

        Returns
        -------
        int64[10, tiles]
            The tiles of the winner; none where nothing fits, and with `quick`.
        """
        from dataflows.plans.candidate_heap import KEY
        from dataflows.plans.contest import BY_BYTES, DONE, LONGEST_LIST, QUICK, contest, new_state  # needs numba

        known = shortest < NO_LIMIT or self.budget.slack_percent is None
        stage = QUICK if quick or not known else BY_BYTES
        self.state = state = new_state(stage, shortest, floor, DONE if quick else BY_BYTES)
        lists, facts = (
            np.empty((2, LONGEST_LIST + 2, KEY), np.int64),
            facts_of(self.cuts.extents, self.memory, self.rate),
        )
        loads = stores = NO_TABLE
        while True:
            tiles: Integers = contest(
                state, lists, *self.cuts.tables, facts, self.rate.of_a_byte, self.orders, loads, stores
            )
            if state[0, 0] == DONE:
                return tiles
            candidate = self.candidate(state[1, :2].tolist())
            self._learn_pass(candidate)
            if self.rate.asked:
                loads, stores = self._transfer_cycles(candidate)

    def chosen(self, tiles: Integers) -> Chosen:
        """Return what won, whose tiles these are."""
        _, _, _, best, *_, of_best, _ = self.state.tolist()
        time, moved, passed, _, compute, loaded = of_best
        candidate = self.candidate(best)
        folds = Folds(*self.cuts.tables.mappings[candidate.mapping, -len(Folds._fields) :].tolist())
        return Chosen(
            self.tiling(candidate), self.mappings[candidate.mapping], time, moved, passed, compute, loaded,
            folds.fill_cycles, folds.drain_cycles, tiles,
        )  # fmt: skip

    def candidate(self, at: Sequence[int]) -> Candidate:
        """Return the candidate at a place of a mapping."""
        rest, mapping = at[:2]
        _, _, _, groupings, _, channelings, _, filterings, *_ = self.cuts.tables.mappings[mapping].tolist()
        rest, group = divmod(rest, groupings)
        rest, order = divmod(rest, len(ORDERS))
        rest, filters = divmod(rest, filterings)
        space, channels = divmod(rest, channelings)
        return Candidate(mapping, space, group, channels, filters, order)

    def tiling(self, candidate: Candidate) -> Tiling:
        """Return a candidate as a tiling."""
        tables = self.cuts.tables
        _, _, groups, _, channels, _, filters, _, more, *_ = tables.mappings[candidate.mapping].tolist()
        images, rows = tables.more[:2, more + candidate.space].tolist()
        sizes = tables.cuts[0]
        return Tiling(
            int(sizes[groups + candidate.group]), images, rows, int(sizes[channels + candidate.channels]),
            int(sizes[filters + candidate.filters]), self.named_orders[candidate.order],
        )  # fmt: skip

    def _learn_pass(self, candidate: Candidate) -> None:
        """Note what a pass over the ifmap brings to the array in the candidate's tiles."""
        tables = self.cuts.tables
        at = int(tables.mappings[candidate.mapping, 8]) + candidate.space
        if tables.more[7, at] < 0:
            mapped, rows = self.mappings[candidate.mapping], int(tables.more[1, at])
            tables.more[7, at] = _ifmap_pass(self.product, mapped, self.array, rows)

    def _transfer_cycles(self, candidate: Candidate) -> tuple[Integers, Integers]:
        """Ask the channel what the loads and the stores of each kind of tile take; see `tiling_time`."""
        asked = KindsOfTransfers.of(self.product, self.placement, self.budget.widths, self.tiling(candidate))
        return costs_of_kinds(asked, self.budget.channel)


@lru_cache(maxsize=64)
def _numbers(orders: tuple[Order, ...]) -> Integers:
    return np.array([[AXES.index(axis) for axis in order] for order in orders], dtype=np.int64)


def memory_of(placement: Placement, budget: BufferBudget) -> Memory:
    """Return what a placement and a budget say, as the kernel reads it."""
    word, ports = budget.word_bytes, budget.ports
    ifmap, filter_, result = placement.ifmap, placement.filter, placement.result
    stream = StreamBytes(
        word * from_dram(ifmap), word * from_dram(filter_), word * (result == "dram"), budget.partial_sum_bytes
    )
    places = (ifmap.place, filter_.place, result)
    passing = (word * ifmap.tensors, word * filter_.tensors, word)
    sram = MemoryBytes(*(size * (place == "predictor_sram") for size, place in zip(passing, places, strict=True)))
    buffer = MemoryBytes(*(size - other for size, other in zip(passing, sram, strict=True)))
    widths = MemoryWidths(
        *(NO_LIMIT if width is None else width for width in (ports.buffer_bytes, ports.predictor_sram_bytes))
    )
    slack = -1 if budget.slack_percent is None else budget.slack_percent
    return Memory(stream, buffer, sram, widths, budget.capacity_bytes, slack)


def facts_of(extents: Extents, memory: Memory, rate: Rate) -> Integers:
    """Return numbers as the kernel takes them, since a tuple of tuples takes long to pass."""
    parts = (extents, memory.stream, memory.buffer, memory.sram, memory.widths, memory[4:], rate[1:])
    return np.array([number for part in parts for number in part], np.int64)


def rate_of(channel: Channel) -> Rate:
    """Return a channel as the kernel reads it."""
    of_a_byte, of_a_transfer = channel.least_cycles
    return Rate(float(of_a_byte), int(of_a_transfer), *(channel.rate or (0, 1, 0)), int(channel.rate is None))


@lru_cache(maxsize=4096)
def _ifmap_pass(product: Product, dataflow: Dataflow, array: PEArray, rows: int) -> int:
    """Return the words that one pass over the ifmap brings to the array in tiles of so many rows."""
    # Groups share nothing, so equal tiles count as one of as many times the groups.
    nest, whole = LoopNest(product), whole_convolution(product)
    tiles = -(-nest.rows // rows)
    cut, one = np.array([rows, nest.rows - (tiles - 1) * rows]), np.ones(2, np.int64)
    parts = replace(
        whole, groups=np.array([tiles - 1, 1]) * whole.groups, images=whole.images * one, filters=one,
        channels=whole.channels * one, filter_rows=cut if nest.reduces_space else whole.filter_rows * one,
        rows=whole.rows * one if nest.reduces_space else cut,
    )  # fmt: skip
    return dataflow.traffic(array, parts, 0).ifmap_words
