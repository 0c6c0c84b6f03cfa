"""Plan products, element-wise updates and plain transfers: from what is asked to tiles and counts."""

from dataclasses import replace
from functools import lru_cache
from math import isqrt

import numpy as np

from dataflows.actions import ActionCounts
from dataflows.array import PEArray
from dataflows.arrays.job import ceil_div
from dataflows.dataflow import Dataflow
from dataflows.plans.layout import Pieces
from dataflows.plans.loopnest import extents
from dataflows.plans.placement import Operand, Placement
from dataflows.plans.plan import BufferBudget, Integers, Plan, TileTooLargeError
from dataflows.plans.tile_sequence import TileSequence, tile_sequence
from dataflows.plans.tiling import choose_tiling
from dataflows.plans.transfers import Transfers, contiguous, together
from workloads.passes import Product

NOTHING = Operand("dram", 0)


@lru_cache(maxsize=16384)
def plan_product(
    product: Product, placement: Placement, dataflow: Dataflow, array: PEArray, budget: BufferBudget
) -> Plan:
    """Plan one product on an array.

    Raises
    ------
    TileTooLargeError
        If not even the smallest tile fits in the buffer.
    """
    tiles = plan_tiles(product, placement, dataflow, array, budget)
    timing = dataflow.timing(array, tiles.parts)
    finished = int((tiles.result_words * tiles.finished).sum())
    traffic = dataflow.traffic(array, tiles.parts, finished)

    word, sums = budget.word_bytes, budget.partial_sum_bytes
    stored = placement.result == "dram"
    loads = together(
        [
            _transfers(tiles.image_pieces, tiles.image_new * _from_dram(placement.image), word, write=False),
            _transfers(tiles.filter_pieces, tiles.filter_new * _from_dram(placement.filter), word, write=False),
            _transfers(tiles.result_pieces, tiles.sums_loaded, sums, write=False),
        ],
        write=False,
    )
    stores = together(
        [
            _transfers(tiles.result_pieces, tiles.finished * stored, word, write=True),
            _transfers(tiles.result_pieces, tiles.sums_stored, sums, write=True),
        ],
        write=True,
    )
    loaded_bytes, stored_bytes = int(loads.moved_bytes.sum()), int(stores.moved_bytes.sum())

    # What a tile leaves unfinished waits in the buffer for the next one; the rest need not leave the accumulators.
    waiting = int((tiles.result_words * (1 - tiles.finished)).sum())
    held = traffic.partial_sum_writes - waiting if traffic.accumulated else 0
    reads = {"buffer": (traffic.partial_sum_reads - held) * sums + stored_bytes, "predictor_sram": 0}
    writes = {"buffer": (traffic.partial_sum_writes - held) * sums + loaded_bytes, "predictor_sram": 0}
    for operand, words in ((placement.image, traffic.image_words), (placement.filter, traffic.filter_words)):
        reads[_held_in(operand)] += words * word * operand.tensors
    writes["predictor_sram" if placement.result == "predictor_sram" else "buffer"] += finished * word
    counts = ActionCounts(
        macs=product.macs,
        adds=0 if traffic.sums_return else traffic.partial_sum_reads,
        register_reads=traffic.register_reads,
        register_writes=traffic.register_writes,
        scratchpad_reads=traffic.scratchpad_reads,
        scratchpad_writes=traffic.scratchpad_writes,
        array_network_bytes=(traffic.image_words + traffic.filter_words + finished) * word
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
        budget.ports,
    )  # fmt: skip


def _from_dram(operand: Operand) -> int:
    """Return how many tensors of an operand are loaded."""
    return operand.tensors * (operand.place == "dram")


def _transfers(pieces: Pieces, times: Integers, element_bytes: int, write: bool) -> Transfers:
    """Return pieces of tensors as patterns; `times` tensors of each tile, 0 for none."""
    # several tensors lie one after the other, so that pieces never overlap
    distance = np.maximum(pieces.distance, pieces.words)
    tables = (pieces.count * times, pieces.words * element_bytes, distance * element_bytes)
    segments, size, stride = (np.asarray(table).reshape(1, -1) for table in tables)
    return Transfers(segments, size, stride, write)


def _held_in(operand: Operand) -> str:
    """Return the memory from which the array reads an operand; what comes from DRAM lies in the buffer then."""
    return "predictor_sram" if operand.place == "predictor_sram" else "buffer"


def plan_tiles(
    product: Product, placement: Placement, dataflow: Dataflow, array: PEArray, budget: BufferBudget
) -> TileSequence:
    """Return the tiles of one product; of the cuts that several granularities give, by the rule that chooses among cuts.

    Raises
    ------
    TileTooLargeError
        If not even the smallest tile fits in the buffer.
    """
    options = dict.fromkeys((dataflow.granularity(array, product), *dataflow.further_granularities(array, product)))
    budgets = [budget]
    if budget.slack_percent is not None and any(granularity.space is not None for granularity in options):
        # By this granularity the search only estimates a cut's time: what it takes for the fastest is held against its
        # choice (VGG16 on ImageNet, rs: 3.5 % fewer cycles).
        budgets.append(replace(budget, slack_percent=0))
    cuts = dict.fromkeys(
        choose_tiling(product, placement, granularity, one) for granularity in options for one in budgets
    )
    sequences = [tile_sequence(product, cut) for cut in cuts]
    if len(sequences) == 1:
        return sequences[0]
    moved = [_moved_bytes(tiles, placement, budget) for tiles in sequences]
    cycles = [
        max(int((timing.stream_cycles + timing.gap_cycles).sum()), (size >> 10) * budget.mebibyte_cycles >> 10)
        for timing, size in zip((dataflow.timing(array, tiles.parts) for tiles in sequences), moved, strict=True)
    ]
    slack = budget.slack_percent
    limit = max(cycles) if slack is None else min(cycles) + min(cycles) * slack // 100
    return min((one for one in zip(moved, cycles, sequences, strict=True) if one[1] <= limit), key=lambda one: one[:2])[
        2
    ]


def _moved_bytes(tiles: TileSequence, placement: Placement, budget: BufferBudget) -> int:
    words = (
        tiles.image_words * tiles.image_new * _from_dram(placement.image)
        + tiles.filter_words * tiles.filter_new * _from_dram(placement.filter)
        + tiles.result_words * tiles.finished * (placement.result == "dram")
    )
    sums = tiles.result_words * (tiles.sums_loaded + tiles.sums_stored)
    return int((words * budget.word_bytes + sums * budget.partial_sum_bytes).sum())


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
    passing = 2 * word * sum(o.tensors for o in (*reads, *writes) if o.place == "dram")
    if budget.capacity_bytes < passing:
        raise TileTooLargeError(passing, budget.capacity_bytes)
    pieces = 1
    if passing:  # as for products, the first load is exposed, and so is the channel's overhead for each piece
        loaded = word * words * sum(o.tensors for o in reads if o.place == "dram")
        pieces = max(
            ceil_div(words * passing, budget.capacity_bytes), isqrt(loaded // max(1, budget.transfer_overhead_bytes))
        )
    sizes = extents(words, ceil_div(words, max(1, pieces)))
    ports_in = array.input_port_words_per_cycle + array.weight_port_words_per_cycle
    stream = np.maximum.reduce([
        -(-sizes * (macs_per_word + adds_per_word) // array.pes),
        -(-sizes * words_in // ports_in),
        -(-sizes * words_out // array.output_port_words_per_cycle),
    ])  # fmt: skip
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
    loads = together([contiguous(sizes * word * _from_dram(o), write=False) for o in reads], write=False)
    stores = together([contiguous(sizes * word * _from_dram(o), write=True) for o in (*writes, NOTHING)], write=True)
    return Plan(loads, stores, stream, stream * 0, 1, 2, counts, budget.ports)


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
    pieces = ceil_div(2 * word * (read_words + written_words), budget.capacity_bytes - 2 * word)
    pieces = max(1, pieces, isqrt(read_words * word // max(1, budget.transfer_overhead_bytes)))
    # the bytes, like the operations, are dealt out evenly over the pieces
    share = np.arange(pieces + 1)
    reads, writes, work = (np.diff(share * total // pieces) for total in (read_words, written_words, operations))
    stream = -(-np.maximum.reduce([reads, writes, work]) // lanes)
    counts = ActionCounts(
        adds=operations,
        buffer_read_bytes=(read_words + written_words) * word,
        buffer_write_bytes=(read_words + written_words) * word,
        dram_read_bytes=read_words * word,
        dram_write_bytes=written_words * word,
    )
    loads, stores = contiguous(reads * word, write=False), contiguous(writes * word, write=True)
    return Plan(loads, stores, stream, stream * 0, 1, 1, counts, budget.ports)


@lru_cache(maxsize=16384)
def plan_transfer(load_bytes: int, store_bytes: int, budget: BufferBudget) -> Plan:
    """Plan a transfer between DRAM and buffer with no arithmetic, in pieces of half the buffer."""
    piece = max(1, budget.capacity_bytes // 2)
    loads = extents(load_bytes, piece) if load_bytes else np.zeros(0, dtype=np.int64)
    stores = extents(store_bytes, piece) if store_bytes else np.zeros(0, dtype=np.int64)
    load = np.concatenate([loads, np.zeros(len(stores), dtype=np.int64)])
    store = np.concatenate([np.zeros(len(loads), dtype=np.int64), stores])
    counts = ActionCounts(
        buffer_read_bytes=store_bytes,
        buffer_write_bytes=load_bytes,
        dram_read_bytes=load_bytes,
        dram_write_bytes=store_bytes,
    )
    nothing = np.zeros(len(load), dtype=np.int64)
    return Plan(
        contiguous(load, write=False), contiguous(store, write=True), nothing, nothing, 0, 0, counts, budget.ports
    )


def _bytes_by_place(operands: tuple[Operand, ...], words: int, word_bytes: int) -> dict[str, int]:
    totals = {"dram": 0, "buffer": 0, "predictor_sram": 0}
    for operand in operands:
        totals[operand.place] += words * word_bytes * operand.tensors
    return totals
