"""Plan products, element-wise updates and plain transfers: from what is asked to tiles and counts."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np

from dataflows.actions import ActionCounts
from dataflows.array import PEArray
from dataflows.arrays.job import ceil_div
from dataflows.dataflow import Dataflow
from dataflows.integers import Integers
from dataflows.plans.budget import BufferBudget, TileTooLargeError
from dataflows.plans.choice import NO_LIMIT, Chosen, choose
from dataflows.plans.cut_tables import Sizes
from dataflows.plans.loopnest import extents
from dataflows.plans.origin import LaneOrigin, ProductOrigin, TransferOrigin, VectorOrigin
from dataflows.plans.pieces import Run, plan_of_runs, time_of_runs
from dataflows.plans.placement import Operand, Placement
from dataflows.plans.plan import Plan
from dataflows.plans.streams import from_dram
from dataflows.plans.tile_sequence import kinds_of_parts
from dataflows.plans.tiling import Tiling
from dataflows.plans.transfer_kinds import KindsOfTransfers, kinds_of_transfers
from dataflows.plans.transfers import LateTransfers, TransferChoices, contiguous
from dataflows.traffic import ArrayTraffic
from workloads.passes import Product


@lru_cache(maxsize=4096)
def plan_product(
    product: Product, placement: Placement, dataflow: Dataflow, array: PEArray, budget: BufferBudget
) -> Plan:
    """Plan one product on an array: of all its tilings the one that the rule of `dataflows.plans.contest` takes.

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
    return plan_of(product, placement, array, budget, choose(
        product, placement, dataflow.mapped(array, product), array, budget
    ))  # fmt: skip


def plan_of(product: Product, placement: Placement, array: PEArray, budget: BufferBudget, chosen: Chosen) -> Tiled:
    """Return the plan of a product by the tiling that was chosen."""
    results = product.macs // product.reduction
    traffic = _traffic(product, chosen.mapped, array, chosen.tiling.sizes)
    waiting = results * (chosen.tiling.loops(product)["reduction"] - 1)
    moved = chosen.loaded_bytes, chosen.dram_bytes - chosen.loaded_bytes
    counts = product_counts(product, placement, budget, traffic, results, waiting, moved)
    origin = ProductOrigin(product, placement, chosen.mapped, array, budget, chosen.tiling)
    if counts.buffer_read_bytes + counts.buffer_write_bytes != chosen.buffer_bytes:
        raise AssertionError(f"{chosen.mapped.name}: the granularity of {array} does not give {chosen.tiling}")
    stream, gap, load_bytes, store_bytes, waits, load_kinds, store_kinds = chosen.tiles[3:]
    plan = Plan(
        LateTransfers(load_bytes, False, partial(_transfers_of, origin, False), load_kinds),
        LateTransfers(store_bytes, True, partial(_transfers_of, origin, True), store_kinds), stream, gap,
        chosen.fill_cycles, chosen.drain_cycles, counts, budget.ports, origin,
    )  # fmt: skip
    plan.__dict__.update(port_wait_cycles=waits, compute_cycles=chosen.compute_cycles)  # known already
    return Tiled(plan, chosen.tiling, chosen.mapped)


@lru_cache(maxsize=4096)
def _traffic(product: Product, mapped: Dataflow, array: PEArray, sizes: Sizes) -> ArrayTraffic:
    """Return what passes between array and memories, which tells no order of loops and no place of an operand."""
    kinds, times = kinds_of_parts(product, sizes)
    return mapped.traffic(array, kinds, product.macs // product.reduction, times)


def _transfers_of(origin: ProductOrigin, stores: bool) -> TransferChoices:
    asked = KindsOfTransfers.of(origin.product, origin.placement, origin.budget.widths, origin.tiling)
    return kinds_of_transfers(asked)[stores]


def product_counts(
    product: Product,
    placement: Placement,
    budget: BufferBudget,
    traffic: ArrayTraffic,
    finished: int,
    waiting: int,
    moved_bytes: tuple[int, int],
) -> ActionCounts:
    """Return what a product's tiles do.

    Parameters
    ----------
    finished, waiting : int
        Results that leave for good, and psums that wait in the buffer for another tile.
    moved_bytes : (int, int)
        Loaded from DRAM, and stored to it.
    """
    word, sums, (loaded_bytes, stored_bytes) = budget.word_bytes, budget.partial_sum_bytes, moved_bytes
    # What a tile leaves unfinished waits in the buffer for the next one; the rest need not leave the accumulators.
    held = traffic.partial_sum_writes - waiting if traffic.accumulated else 0
    reads = {"buffer": (traffic.partial_sum_reads - held) * sums + stored_bytes, "predictor_sram": 0}
    writes = {"buffer": (traffic.partial_sum_writes - held) * sums + loaded_bytes, "predictor_sram": 0}
    for operand, words in ((placement.ifmap, traffic.ifmap_words), (placement.filter, traffic.filter_words)):
        reads[_held_in(operand)] += words * word * operand.tensors
    writes["predictor_sram" if placement.result == "predictor_sram" else "buffer"] += finished * word
    # What is held stays beside the array, so only the rest is on the wires between buffer and array.
    crossing = (traffic.partial_sum_reads - held) * traffic.sums_return + traffic.partial_sum_writes - held
    return traffic.inside + ActionCounts(
        macs=product.macs,
        adds=0 if traffic.sums_return else traffic.partial_sum_reads,
        array_network_bytes=(traffic.network_words + finished) * word + crossing * sums,
        buffer_read_bytes=reads["buffer"],
        buffer_write_bytes=writes["buffer"],
        accumulator_read_bytes=held * sums,
        accumulator_write_bytes=held * sums,
        predictor_sram_read_bytes=reads["predictor_sram"],
        predictor_sram_write_bytes=writes["predictor_sram"],
        dram_read_bytes=loaded_bytes,
        dram_write_bytes=stored_bytes,
    )


def _held_in(operand: Operand) -> str:
    """Return the memory from which the array reads an operand; what comes from DRAM lies in the buffer then."""
    return "predictor_sram" if operand.place == "predictor_sram" else "buffer"


@lru_cache(maxsize=4096)
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
    more (multiplier and adder) finish the last ones. Several arrays work as one with all their PEs and ports.

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
    ports_in = array.count * (array.input_port_words_per_cycle + array.weight_port_words_per_cycle)
    read, written = _bytes_by_place(reads, words, word), _bytes_by_place(writes, words, word)
    counts = ActionCounts(
        macs=words * macs_per_word,
        adds=words * adds_per_word,
        array_network_bytes=words * (words_in + words_out) * word,
        array_network_word_pitches=words * (words_in + words_out) * (array.rows + array.columns),
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
        (words_out, array.count * array.output_port_words_per_cycle),
    )
    busy = max(words * each // width for each, width in pace)

    def runs_of(pieces: int) -> list[Run]:
        size = ceil_div(words, pieces)
        before = ceil_div(words, size) - 1
        return [
            Run(count, tuple(part * each for each in (*loaded, 0)), tuple(part * each for each in (*stored, 0)),
                max(ceil_div(part * each, width) for each, width in pace))
            for count, part in ((before, size), (1, words - before * size)) if count
        ]  # fmt: skip

    def plan_of(pieces: int) -> Plan:
        origin = LaneOrigin(
            words, (macs_per_word + adds_per_word, words_in, words_out), array, extents(words, ceil_div(words, pieces))
        )
        return plan_of_runs(runs_of(pieces), 1, 2, counts, budget, origin)

    def time_of(pieces: int) -> tuple[int, int]:
        return time_of_runs(runs_of(pieces), 1, 2, counts, budget)

    pieces = [count for count in _piece_counts(words) if ceil_div(words, count) * held <= budget.capacity_bytes]
    return plan_of(_fastest(pieces, _least_time(words, busy, counts, budget), time_of))


@lru_cache(maxsize=4096)
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

    def time_of(pieces: int) -> tuple[int, int]:
        return plan_of(pieces).cycles_alone(budget.channel), pieces

    most = max(read_words, written_words, operations)
    least = ceil_div(2 * word * (read_words + written_words), budget.capacity_bytes - 2 * word)
    pieces = [count for count in _piece_counts(max(most, least)) if count >= least]
    bounds = _least_time_dealt(read_words, written_words, most, lanes, pieces, budget)
    return plan_of(_fastest(pieces, bounds.__getitem__, time_of))


@lru_cache(maxsize=4096)
def plan_transfer(load_bytes: int, store_bytes: int, budget: BufferBudget) -> Plan:
    """Plan a transfer between DRAM and buffer with no arithmetic, in pieces of at most half the buffer."""
    counts = ActionCounts(
        buffer_read_bytes=store_bytes,
        buffer_write_bytes=load_bytes,
        dram_read_bytes=load_bytes,
        dram_write_bytes=store_bytes,
    )

    def runs_of(pieces: int) -> list[Run]:
        return [
            Run(count, (0 if stored else part,), (part if stored else 0,), 0)
            for stored, whole in enumerate((load_bytes, store_bytes)) if whole
            for size in (ceil_div(whole, pieces),) for before in (ceil_div(whole, size) - 1,)
            for count, part in ((before, size), (1, whole - before * size)) if count
        ]  # fmt: skip

    def time_of(pieces: int) -> tuple[int, int]:
        return time_of_runs(runs_of(pieces), 0, 0, counts, budget)

    most = max(1, max(load_bytes, store_bytes))
    least = ceil_div(most, max(1, budget.capacity_bytes // 2))
    pieces = [count for count in _piece_counts(most) if count >= least]
    runs = runs_of(_fastest(pieces, _least_time(most, 0, counts, budget), time_of))
    nothing = np.zeros(sum(run.repeats for run in runs), np.int64)
    return plan_of_runs(runs, 0, 0, counts, budget, TransferOrigin(load_bytes, store_bytes, nothing))


def _piece_counts(most: int) -> list[int]:
    """Return 1, 2, 4, 8, ... and `most`; which they are does not depend on the machine."""
    return [*(1 << power for power in range((most - 1).bit_length())), most]


def _fastest(pieces: list[int], bound: Callable[[int], int], time_of: Callable[[int], tuple[int, int]]) -> int:
    """Return into how many pieces the fastest plan is cut; of equally fast ones that of the fewest tiles.

    Parameters
    ----------
    bound : callable
        Returns the least that a plan of so many pieces takes.
    time_of : callable
        Returns its time, and its number of tiles.
    """
    best, shortest = pieces[0], (NO_LIMIT, 0)
    for least in sorted((bound(count), count) for count in pieces):
        if shortest <= least:
            break
        time = time_of(least[1])
        if time < shortest:
            best, shortest = least[1], time
    return best


def _least_time(words: int, busy: int, counts: ActionCounts, budget: BufferBudget) -> Callable[[int], int]:
    """Return a bound of the time of `words` in equal pieces and a rest, by how many pieces they are.

    Parameters
    ----------
    busy : int
        The least that the arithmetic takes.
    """
    of_a_byte, of_a_transfer = budget.channel.least_cycles
    word = budget.word_bytes
    loaded, stored = counts.dram_read_bytes, counts.dram_write_bytes

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

    return bound


def _least_time_dealt(
    read_words: int, written_words: int, most: int, lanes: int, pieces: list[int], budget: BufferBudget
) -> dict[int, int]:
    """Return by number of pieces a bound of the time of words that are dealt out evenly over them.

    A piece's share of some words is their quotient or one more; the first piece's is the quotient, the last one's is
    rounded up. So all transfers take what two of them take, and none is asked twice.
    """
    count = np.array(pieces, np.int64)

    def on_channel(words: int, write: bool) -> tuple[Integers, Integers, Integers]:
        """Return cycles of the first transfer, of the last one, and of all."""
        share, longer = words // count, words % count
        sizes = np.concatenate([share, share + 1]) * budget.word_bytes
        less, more = np.split(budget.channel.transfer_cycles(contiguous(sizes, write)), 2)
        return less, np.where(longer > 0, more, less), less * (count - longer) + more * longer

    first_load, _, loads = on_channel(read_words, False)
    _, last_store, stores = on_channel(written_words, True)
    stream = -(-(most // count) // lanes)
    least = np.maximum(loads + stores, np.maximum(loads + stream, first_load + stream * count) + last_store)
    return dict(zip(pieces, least.tolist(), strict=True))


def _bytes_by_place(operands: tuple[Operand, ...], words: int, word_bytes: int) -> dict[str, int]:
    totals = {"dram": 0, "buffer": 0, "predictor_sram": 0}
    for operand in operands:
        totals[operand.place] += words * word_bytes * operand.tensors
    return totals
