"""Plans of equal pieces: element-wise work and plain transfers. Their time needs no table of the pieces."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from dataflows.actions import ActionCounts
from dataflows.arrays.job import ceil_div
from dataflows.plans.budget import BufferBudget
from dataflows.plans.channel import Channel
from dataflows.plans.origin import Origin
from dataflows.plans.plan import Plan
from dataflows.plans.transfers import LateTransfers, TransferChoices, Transfers


class Run(NamedTuple):
    """Equal pieces, one after the other.

    Attributes
    ----------
    repeats : int
        How many.
    loads, stores : tuple of int
        Bytes of the tensors that each loads and stores.
    stream_cycles : int
        Of each.
    """

    repeats: int
    loads: tuple[int, ...]
    stores: tuple[int, ...]
    stream_cycles: int


class Row(NamedTuple):
    """What each piece of a run does: cycles on the channel, bytes, cycles of stream and of waiting for ports."""

    load_cycles: int
    store_cycles: int
    load_bytes: int
    store_bytes: int
    stream_cycles: int
    wait_cycles: int
    repeats: int


def plan_of_runs(
    runs: Sequence[Run], fill_cycles: int, drain_cycles: int, counts: ActionCounts, budget: BufferBudget, origin: Origin
) -> Plan:
    """Return the plan of pieces."""
    rows = _rows(runs, fill_cycles, counts, budget)
    table = np.array(rows, np.int64).reshape(-1, len(Row._fields)).T
    load_bytes, store_bytes, stream, waits = np.repeat(table[2:6], table[6], axis=1)
    which = np.repeat(np.arange(len(runs)), [run.repeats for run in runs])
    plan = Plan(
        LateTransfers(load_bytes, False, partial(_kinds, [run.loads for run in runs], False), which),
        LateTransfers(store_bytes, True, partial(_kinds, [run.stores for run in runs], True), which),
        stream, stream * 0, fill_cycles, drain_cycles, counts, budget.ports, origin,
    )  # fmt: skip
    busy = sum(row.stream_cycles * row.repeats for row in rows)
    plan.__dict__.update(port_wait_cycles=waits, compute_cycles=fill_cycles + busy + drain_cycles if rows else 0)
    return plan


def time_of_runs(
    runs: Sequence[Run], fill_cycles: int, drain_cycles: int, counts: ActionCounts, budget: BufferBudget
) -> tuple[int, int]:
    """Return what the plan of pieces takes with the channel to itself, and how many they are."""
    from dataflows.plans.lone_time import lone_cycles  # needs numba

    rows = _rows(runs, fill_cycles, counts, budget)
    if not rows:
        return 0, 0
    table = np.array(
        [(one.load_cycles, one.store_cycles, one.store_bytes > 0, one.stream_cycles + one.wait_cycles, 0, one.repeats)
         for one in rows], np.int64,
    ).T.copy()  # fmt: skip
    return int(lone_cycles(*table, fill_cycles, drain_cycles)), sum(one.repeats for one in rows)


def _rows(runs: Sequence[Run], fill_cycles: int, counts: ActionCounts, budget: BufferBudget) -> list[Row]:
    """Return what pieces do, the first one by itself: it fills the array in its window (`MemoryPorts.wait_cycles`)."""
    if not runs:
        return []
    if runs[0].repeats > 1:
        first, rest = runs[0]._replace(repeats=1), runs[0]._replace(repeats=runs[0].repeats - 1)
        runs = [first, rest, *runs[1:]]
    loads = _cycles([run.loads for run in runs], False, budget.channel)
    stores = _cycles([run.stores for run in runs], True, budget.channel)
    array_side = counts.buffer_read_bytes + counts.buffer_write_bytes - counts.dram_read_bytes - counts.dram_write_bytes
    sram_side = counts.predictor_sram_read_bytes + counts.predictor_sram_write_bytes
    buffer, sram = budget.ports.buffer_bytes, budget.ports.predictor_sram_bytes
    whole = fill_cycles + sum(run.stream_cycles * run.repeats for run in runs)
    found, window_before = [], fill_cycles
    for load, store, run in zip(loads, stores, runs, strict=True):
        window = needed = run.stream_cycles + window_before
        window_before = 0
        load_bytes, store_bytes = sum(run.loads), sum(run.stores)
        if window and buffer is not None:
            needed = max(needed, ceil_div(ceil_div(array_side * window, whole) + load_bytes + store_bytes, buffer))
        elif buffer is not None:
            load, store = max(load, ceil_div(load_bytes, buffer)), max(store, ceil_div(store_bytes, buffer))
        if window and sram is not None:
            needed = max(needed, ceil_div(ceil_div(sram_side * window, whole), sram))
        found.append(Row(load, store, load_bytes, store_bytes, run.stream_cycles, needed - window, run.repeats))
    return found


def _transfers(parts: Sequence[tuple[int, ...]], write: bool) -> Transfers:
    """Return a transfer of contiguous tensors for each run."""
    size = np.array(parts, np.int64).reshape(len(parts), len(parts[0]) if parts else 1).T
    return Transfers((size > 0).astype(np.int64), size, size, write)


def _kinds(parts: Sequence[tuple[int, ...]], write: bool) -> TransferChoices:
    """Return the transfers of runs, which are all that differ."""
    return _transfers(parts, write).different()[0]


def _cycles(parts: Sequence[tuple[int, ...]], write: bool, channel: Channel) -> Sequence[int]:
    """Return what a transfer of each run holds the channel."""
    if channel.rate is None:
        cycles: list[int] = channel.transfer_cycles(_transfers(parts, write)).tolist()
        return cycles
    numerator, denominator, latency = channel.rate
    moved = [sum(each) for each in parts]
    return [-(-size * numerator // denominator) + (latency if size else 0) for size in moved]
