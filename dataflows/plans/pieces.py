"""Plans of equal pieces: element-wise work and plain transfers. Their time needs no table of the pieces."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from dataflows.actions import ActionCounts
from dataflows.arrays.job import ceil_div
from dataflows.plans.channel import Channel
from dataflows.plans.memory_ports import MemoryPorts
from dataflows.plans.origin import Origin
from dataflows.plans.plan import BufferBudget, Integers, Plan
from dataflows.plans.transfers import Transfers


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


def plan_of_runs(
    runs: Sequence[Run], fill_cycles: int, drain_cycles: int, counts: ActionCounts, ports: MemoryPorts, origin: Origin
) -> Plan:
    """Return the plan of pieces."""
    repeats = np.array([run.repeats for run in runs], np.int64)
    stream = np.repeat(np.array([run.stream_cycles for run in runs], np.int64), repeats)
    loads = _transfers([run.loads for run in runs], repeats, write=False)
    stores = _transfers([run.stores for run in runs], repeats, write=True)
    return Plan(loads, stores, stream, stream * 0, fill_cycles, drain_cycles, counts, ports, origin)


def time_of_runs(
    runs: Sequence[Run], fill_cycles: int, drain_cycles: int, counts: ActionCounts, budget: BufferBudget
) -> tuple[int, int]:
    """Return what the plan of pieces takes with the channel to itself, and how many they are."""
    from dataflows.plans.lone_time import lone_cycles  # needs numba

    if not runs:
        return 0, 0
    first, rest = runs[0], runs[0].repeats - 1
    runs = [first._replace(repeats=1), *([first._replace(repeats=rest)] if rest else ()), *runs[1:]]
    loads = _cycles([run.loads for run in runs], False, budget.channel)
    stores = _cycles([run.stores for run in runs], True, budget.channel)
    # See `MemoryPorts.wait_cycles`: the first piece fills the array in its window.
    windows = [run.stream_cycles for run in runs]
    windows[0] += fill_cycles
    whole = sum(window * run.repeats for window, run in zip(windows, runs, strict=True))
    array_side = counts.buffer_read_bytes + counts.buffer_write_bytes - counts.dram_read_bytes - counts.dram_write_bytes
    sram_side = counts.predictor_sram_read_bytes + counts.predictor_sram_write_bytes
    buffer, sram = budget.ports.buffer_bytes, budget.ports.predictor_sram_bytes
    table = []
    for load, store, window, run in zip(loads, stores, windows, runs, strict=True):
        needed, moved = window, (sum(run.loads), sum(run.stores))
        if window and buffer is not None:
            needed = max(needed, ceil_div(ceil_div(array_side * window, whole) + sum(moved), buffer))
        elif buffer is not None:
            load, store = (
                max(cycles, ceil_div(each, buffer)) for cycles, each in zip((load, store), moved, strict=True)
            )
        if window and sram is not None:
            needed = max(needed, ceil_div(ceil_div(sram_side * window, whole), sram))
        table.append((load, store, moved[1] > 0, run.stream_cycles + needed - window, 0, run.repeats))
    columns = np.array(table, dtype=np.int64).T.copy()
    return int(lone_cycles(*columns, fill_cycles, drain_cycles)), int(columns[5].sum())


def _transfers(parts: Sequence[tuple[int, ...]], repeats: Integers, write: bool) -> Transfers:
    """Return transfers of contiguous tensors, each so many times."""
    size = np.repeat(np.array(parts, np.int64).reshape(len(parts), len(parts[0]) if parts else 1).T, repeats, axis=1)
    return Transfers((size > 0).astype(np.int64), size, size, write)


def _cycles(parts: Sequence[tuple[int, ...]], write: bool, channel: Channel) -> Sequence[int]:
    """Return what a transfer of each run holds the channel."""
    if channel.rate is None:
        cycles: list[int] = channel.transfer_cycles(_transfers(parts, np.ones(len(parts), np.int64), write)).tolist()
        return cycles
    numerator, denominator, latency = channel.rate
    moved = (sum(each) for each in parts)
    return [-(-size * numerator // denominator) + (latency if size else 0) for size in moved]
