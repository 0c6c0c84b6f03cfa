"""Plan products, element-wise updates and plain transfers: from what is asked to tiles and counts."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from heapq import heapify, heappop, heapreplace

import numpy as np

from dataflows.actions import ActionCounts
from dataflows.array import PEArray
from dataflows.arrays.job import ceil_div
from dataflows.dataflow import Dataflow
from dataflows.plans.choice import FASTEST, NO_LIMIT, Contest, Criteria, Key, Measured
from dataflows.plans.loopnest import extents
from dataflows.plans.origin import LaneOrigin, ProductOrigin, TransferOrigin, VectorOrigin
from dataflows.plans.placement import Operand, Placement
from dataflows.plans.plan import BufferBudget, Plan, TileTooLargeError
from dataflows.plans.streams import from_dram, load_transfers, store_transfers
from dataflows.plans.tile_sequence import tile_sequence
from dataflows.plans.tiling import Row, Tiling, TilingSearch
from dataflows.plans.transfers import contiguous, together
from workloads.passes import Product

NO_TILES = np.zeros(0, dtype=np.int64)


@lru_cache(maxsize=16384)
def plan_product(
    product: Product, placement: Placement, dataflow: Dataflow, array: PEArray, budget: BufferBudget
) -> Plan:
    """Plan one product on an array: of all its tilings the one that the rule of `dataflows.plans.choice` takes.

    Raises
    ------
    TileTooLargeError
        If not even the smallest tile fits in the buffer.
    """
    return choose_tiling(product, placement, dataflow, array, budget).plan


@dataclass(frozen=True, slots=True)
class Tiled:
    """A plan of a product, with the tiling and the mapping behind it."""

    plan: Plan
    tiling: Tiling
    mapped: Dataflow


def choose_tiling(
    product: Product, placement: Placement, dataflow: Dataflow, array: PEArray, budget: BufferBudget
) -> Tiled:
    """Choose among all tilings of a product under all mappings of a dataflow.

    Raises
    ------
    TileTooLargeError
        If not even the smallest tile fits in the buffer.
    """
    return best_of([TilingSearch(product, placement, one, array, budget) for one in dataflow.mapped(array, product)])


def best_of(searches: Sequence[TilingSearch]) -> Tiled:
    """Choose among the candidates of some searches, which differ in their mapping alone.

    Raises
    ------
    TileTooLargeError
        If not even the smallest tile fits in the buffer.
    """
    product, placement, array, budget = (
        searches[0].product, searches[0].placement, searches[0].array, searches[0].budget,
    )  # fmt: skip
    contest = Contest(
        partial(_listing, searches), lambda candidate: searches[candidate[0]].measure(candidate[1]),
        partial(_quick, searches),
    )  # fmt: skip
    best = contest.winner(budget.slack_percent)
    if best is None:
        raise TileTooLargeError(min(search.needed_bytes for search in searches), budget.capacity_bytes)
    search = searches[best[0]]
    tiling, expected = search.tiling(best[1]), contest.measured[best]
    plan = plan_tiled(product, placement, search.dataflow, array, budget, tiling)
    if Measured.of(plan, expected.values[0]) != expected:
        raise AssertionError(f"{search.dataflow.name}: the granularity of {array} does not give the timing of {tiling}")
    return Tiled(plan, tiling, search.dataflow)


def _listing(
    searches: Sequence[TilingSearch], criteria: Criteria, most_time: int
) -> Iterator[tuple[Key, tuple[int, Row]]]:
    """Merge the lists of all mappings; one whose bound has not come up yet is not looked through."""
    heads: list[tuple[Key, int, Row | None]] = [
        ((search.least_time if criteria == FASTEST else 0,), index, None)
        for index, search in enumerate(searches)
        if search.least_time <= most_time
    ]
    lists = [search.candidates(criteria, most_time) for search in searches]
    heapify(heads)
    while heads:
        key, index, row = heads[0]
        if row is not None:
            yield key, (index, row)
        following = next(lists[index], None)
        if following is None:
            heappop(heads)
        else:
            heapreplace(heads, (following[0], index, following[1]))


def _quick(searches: Sequence[TilingSearch]) -> tuple[int, tuple[int, Row]] | None:
    """Look for a fast tiling of few tiles under each mapping that may have one."""
    found, bound, shortest = None, NO_LIMIT, NO_LIMIT
    for index, search in enumerate(searches):
        if search.least_time >= shortest:
            bound = min(bound, search.least_time)
            continue
        one = search.quick()
        if one is not None:
            least, time, row = one
            bound = min(bound, least)
            if time < shortest:
                found, shortest = (index, row), time
    return None if found is None else (bound, found)


def plan_tiled(
    product: Product, placement: Placement, dataflow: Dataflow, array: PEArray, budget: BufferBudget, tiling: Tiling
) -> Plan:
    """Plan one product on an array by a given tiling."""
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
    """Return the memory from which the array reads an operand; what comes from DRAM lies in the buffer then."""
    return "predictor_sram" if operand.place == "predictor_sram" else "buffer"


@lru_cache(maxsize=16384)
def plan_elementwise(
    words: int,
    macs_per_word: int,
    reads: tuple[Operand, ...],
    writes: tuple[Operand, ...],
    array: PEArray,
    budget: BufferBudget,
    adds_per_word: int = 0,
) -> Plan:
    """Plan arithmetic on `words` elements, such as an optimizer's, with every PE a lane of its own.

    All operands enter through the input and the weight port, results leave through the output port;
    the narrowest of PEs, ports in and ports out sets the pace. One cycle latches the operands, two
    more (multiplier and adder) finish the last ones.

    Raises
    ------
    TileTooLargeError
        If the buffer cannot hold one element of every operand twice.
    """
    word = budget.word_bytes
    words_in, words_out = sum(o.tensors for o in reads), sum(o.tensors for o in writes)
    loaded, stored = ([word * from_dram(o) for o in some] for some in (reads, writes))
    held = 2 * sum(loaded + stored)
    if budget.capacity_bytes < held:
        raise TileTooLargeError(held, budget.capacity_bytes)
    ports_in = array.input_port_words_per_cycle + array.weight_port_words_per_cycle
    read, written = _bytes_by_place(reads, words, word), _bytes_by_place(writes, words, word)
    counts = ActionCounts(
        macs=words * macs_per_word,
        adds=words * adds_per_word,
        array_network_bytes=words * (words_in + words_out) * word,
        buffer_read_bytes=read["buffer"] + read["dram"] + written["dram"],
        buffer_write_bytes=written["buffer"] + written["dram"] + read["dram"],
        predictor_sram_read_bytes=read["predictor_sram"],
        predictor_sram_write_bytes=written["predictor_sram"],
        dram_read_bytes=read["dram"],
        dram_write_bytes=written["dram"],
    )

    pace = (
        (macs_per_word + adds_per_word, array.pes),
        (words_in, ports_in),
        (words_out, array.output_port_words_per_cycle),
    )

    def plan_of(pieces: int) -> Plan:
        sizes = extents(words, ceil_div(words, pieces))
        stream = np.maximum.reduce([-(-sizes * each // width) for each, width in pace])
        loads, stores = (
            together([contiguous(sizes * size, write) for size in (*of_each, 0)], write)
            for of_each, write in ((loaded, False), (stored, True))
        )
        origin = LaneOrigin(words, (macs_per_word + adds_per_word, words_in, words_out), array, sizes)
        return Plan(loads, stores, stream, stream * 0, 1, 2, counts, budget.ports, origin)

    pieces = [count for count in _piece_counts(words) if ceil_div(words, count) * held <= budget.capacity_bytes]
    busy = max(words * each // width for each, width in pace)
    return _fastest(words, pieces, busy, counts, plan_of, budget)


@lru_cache(maxsize=16384)
def plan_vector(operations: int, read_words: int, written_words: int, lanes: int, budget: BufferBudget) -> Plan:
    """Plan operations of a vector unit, which takes and gives a word a lane and cycle; one cycle latches, one finishes.

    Raises
    ------
    TileTooLargeError
        If the buffer cannot hold a word of each operand twice.
    """
    word = budget.word_bytes
    if budget.capacity_bytes < 4 * word:
        raise TileTooLargeError(4 * word, budget.capacity_bytes)
    counts = ActionCounts(
        adds=operations,
        buffer_read_bytes=(read_words + written_words) * word,
        buffer_write_bytes=(read_words + written_words) * word,
        dram_read_bytes=read_words * word,
        dram_write_bytes=written_words * word,
    )

    def plan_of(pieces: int) -> Plan:
        # the bytes, like the operations, are dealt out evenly over the pieces
        share = np.arange(pieces + 1)
        reads, writes, work = (np.diff(share * total // pieces) for total in (read_words, written_words, operations))
        shares = np.maximum.reduce([reads, writes, work])
        stream = -(-shares // lanes)
        loads, stores = contiguous(reads * word, write=False), contiguous(writes * word, write=True)
        return Plan(
            loads, stores, stream, stream * 0, 1, 1, counts, budget.ports, VectorOrigin(operations, lanes, shares)
        )

    most = max(read_words, written_words, operations)
    least = ceil_div(2 * word * (read_words + written_words), budget.capacity_bytes - 2 * word)
    pieces = [count for count in _piece_counts(max(most, least)) if count >= least]
    return _fastest(most, pieces, most // lanes, counts, plan_of, budget)


@lru_cache(maxsize=16384)
def plan_transfer(load_bytes: int, store_bytes: int, budget: BufferBudget) -> Plan:
    """Plan a transfer between DRAM and buffer with no arithmetic, in pieces of at most half the buffer."""
    counts = ActionCounts(
        buffer_read_bytes=store_bytes,
        buffer_write_bytes=load_bytes,
        dram_read_bytes=load_bytes,
        dram_write_bytes=store_bytes,
    )

    def plan_of(pieces: int) -> Plan:
        loads, stores = (
            extents(size, ceil_div(size, pieces)) if size else NO_TILES for size in (load_bytes, store_bytes)
        )
        load, store = np.append(loads, stores * 0), np.append(loads * 0, stores)
        nothing = load * 0
        return Plan(
            contiguous(load, write=False),
            contiguous(store, write=True),
            nothing,
            nothing,
            0,
            0,
            counts,
            budget.ports,
            TransferOrigin(load_bytes, store_bytes, nothing),
        )

    most = max(1, max(load_bytes, store_bytes))
    least = ceil_div(most, max(1, budget.capacity_bytes // 2))
    pieces = [count for count in _piece_counts(most) if count >= least]
    return _fastest(most, pieces, 0, counts, plan_of, budget)


def _piece_counts(most: int) -> list[int]:
    """Return 1, 2, 4, 8, ... and `most`; which they are does not depend on the machine."""
    return [*(1 << power for power in range((most - 1).bit_length())), most]


def _fastest(
    words: int, pieces: list[int], busy: int, counts: ActionCounts, plan_of: Callable[[int], Plan], budget: BufferBudget
) -> Plan:
    """Return the fastest of the plans that cut `words` into so many pieces, all of the same counts.

    `busy` is the least that the arithmetic takes.
    """
    of_a_byte, of_a_transfer = budget.channel.least_cycles
    word = budget.word_bytes
    loaded, stored = counts.dram_read_bytes, counts.dram_write_bytes
    passed = loaded + stored, counts.buffer_read_bytes + counts.buffer_write_bytes

    def bound(count: int) -> int:
        """Return the longest of: the channel's time; all loads, then the last piece; the first load, then all work."""
        size = ceil_div(words, count)
        tiles = ceil_div(words, size)
        last = (words - (tiles - 1) * size) / words
        # Where words are dealt out over more pieces than there are words, some pieces move nothing, the first of all.
        loads, stores = (moved * of_a_byte + min(tiles, moved // word) * of_a_transfer for moved in (loaded, stored))
        first = loaded // word // count * word
        first_load = first * of_a_byte + (of_a_transfer if first else 0)
        return max(int(loads + stores), int(loads + last * (busy + stored * of_a_byte)),
                   int(first_load + max(busy, tiles - 1)))  # fmt: skip

    bounds = sorted((bound(count), *passed, count) for count in pieces)

    def listing(criteria: Criteria, most_time: int) -> Iterator[tuple[Key, int]]:
        return iter((key, key[-1]) for key in bounds)

    plans: dict[int, Plan] = {}

    def measure(count: int) -> Measured:
        plan = plans[count] = plan_of(count)
        return Measured.of(plan, plan.cycles_alone(budget.channel))

    contest = Contest(listing, measure, lambda: None)
    best = contest.first(FASTEST)
    assert best is not None  # there is at least one number of pieces
    return plans[best]


def _bytes_by_place(operands: tuple[Operand, ...], words: int, word_bytes: int) -> dict[str, int]:
    totals = {"dram": 0, "buffer": 0, "predictor_sram": 0}
    for operand in operands:
        totals[operand.place] += words * word_bytes * operand.tensors
    return totals
