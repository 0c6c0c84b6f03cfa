"""Batches in SimPy: steps between barriers, each advanced by the step kernel.

SimPy does three things here. Its clock carries the batch from step to step: a step begins at ``env.now`` and its end
is a timeout. Its last timeout is the barrier, with the refreshes that the DRAM still owes. And its processes are what
`--exact` runs on (`simulator/engine/exact.py`). Within a step the kernel keeps the time.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import simpy

from dataflows.actions import ActionCounts
from dataflows.plans.plan import Integers
from simulator.dram.model import DramModel
from simulator.engine.step_kernel import run_step_kernel
from simulator.engine.work import FlatWork, StepWork, flatten, merge
from simulator.phases.design import Step, Task


@dataclass(frozen=True)
class OpRun:
    """One op as it ran; cycles count from the batch's start.

    ``end_cycle - start_cycle`` = compute_cycles and the four stalls. Of the compute cycles, `pipeline_cycles` pass
    while the array's pipeline fills, waits for the next fold's words between tiles, or drains.
    """

    task: Task
    array: int
    start_cycle: int
    end_cycle: int
    compute_cycles: int
    stall_load_cycles: int
    stall_store_cycles: int
    stall_other_array_cycles: int
    stall_buffer_port_cycles: int
    pipeline_cycles: int
    dram_cycles: int
    counts: ActionCounts

    @property
    def cycles(self) -> int:
        """Cycles from start to end."""
        return self.end_cycle - self.start_cycle


@dataclass(frozen=True)
class TileRuns:
    """When each tile of an op was loaded, streamed and stored: int64[tiles, 6], from the batch's start."""

    op: int
    times: Integers


@dataclass(frozen=True)
class BatchRun:
    """One batch as it ran; `refreshes` of the DRAM are those that came due in it."""

    cycles: int
    refreshes: int
    ops: tuple[OpRun, ...]
    tiles: tuple[TileRuns, ...]

    def busy_cycles(self, array: int) -> int:
        """Cycles in which an array has an op, stalled or not."""
        return sum(op.cycles for op in self.ops if op.array == array)


def run_batch(steps: Sequence[Step], works: Sequence[list[StepWork]], dram: DramModel, frequency_hz: int) -> BatchRun:
    """Simulate one batch.

    Parameters
    ----------
    steps : sequence of Step
        What runs between barriers.
    works : sequence of list of StepWork
        The plans of each step's tasks: one entry a task (the first array's, then the second's), in which only
        that array has plans.
    dram : DramModel
        What a transfer costs.
    frequency_hz : int
        The arrays' clock.
    """
    env = simpy.Environment()
    merged = [merge(task_works) for task_works in works]
    for work in merged:
        work.check_ports()
    flats = flatten(merged, dram, frequency_hz)
    refresh = dram.refresh(frequency_hz)
    refreshes = np.zeros(3, np.int64) if refresh is None else refresh.numbers
    channel = np.zeros(3, np.int64)  # as the step kernel wants it
    runs: list[_StepRun] = []

    def batch() -> Generator[simpy.Event, Any, None]:
        for flat in flats:
            channel[0] = env.now
            plan_times, tile_times = run_step_kernel(
                flat.plan_begin, flat.tile_begin, flat.load_cycles, flat.store_cycles, flat.stores,
                flat.stream_cycles, flat.gap_cycles, flat.fill_cycles, flat.drain_cycles, refreshes, channel,
            )  # fmt: skip
            runs.append(_StepRun(int(env.now), flat, plan_times, tile_times))
            cycles = int(plan_times[:, 1].max(initial=0))
            channel[1] -= cycles
            yield env.timeout(cycles)
        if refresh is not None:
            made = refresh.due(int(env.now) + max(0, int(channel[1])))
            yield env.timeout(refresh.cycles_at_barrier(int(env.now), int(channel[1]), int(channel[2])))
            channel[2] = made

    env.process(batch())
    env.run()
    ops: list[OpRun] = []
    tiles: list[TileRuns] = []
    for step, task_works, run in zip(steps, works, runs, strict=True):
        _take_apart(step, task_works, run, ops, tiles)
    return BatchRun(cycles=int(env.now), refreshes=int(channel[2]), ops=tuple(ops), tiles=tuple(tiles))


@dataclass(frozen=True, slots=True)
class _StepRun:
    """A step as the kernel ran it, from the cycle `start` of the batch on."""

    start: int
    flat: FlatWork
    plan_times: Integers
    tile_times: Integers


def _take_apart(
    step: Step, task_works: Sequence[StepWork], run: _StepRun, ops: list[OpRun], tiles: list[TileRuns]
) -> None:
    """Append a step's ops and tiles."""
    flat = run.flat
    # sums up to each tile, so that an op's is a difference
    held = _sums(flat.load_cycles + flat.store_cycles)
    opened = _sums(flat.load_activates + flat.store_activates)
    streamed = _sums(flat.stream_cycles)
    arrays = [0] * len(step.first) + [1] * len(step.second)
    times, borders = run.plan_times.tolist(), flat.tile_begin.tolist()
    last_plan = 0
    for task, array, task_work in zip((*step.first, *step.second), arrays, task_works, strict=True):
        first_plan, last_plan = last_plan, last_plan + len(task_work.plans)
        mine = times[first_plan:last_plan]
        begin, end = borders[first_plan], borders[last_plan]
        held_cycles = held[end] - held[begin]
        compute, waits = task_work.compute_cycles, task_work.port_wait_cycles
        channel_use = ActionCounts(dram_activates=opened[end] - opened[begin], dram_active_cycles=held_cycles)
        ops.append(OpRun(
            task=task,
            array=array,
            start_cycle=run.start + mine[0][0],
            end_cycle=run.start + mine[-1][1],
            compute_cycles=compute,
            stall_load_cycles=sum(row[2] for row in mine),
            stall_store_cycles=sum(row[3] for row in mine),
            stall_other_array_cycles=sum(row[4] for row in mine),
            stall_buffer_port_cycles=waits,
            pipeline_cycles=compute + waits - (streamed[end] - streamed[begin]),
            dram_cycles=held_cycles,
            counts=task_work.counts + channel_use,
        ))  # fmt: skip
        tiles.append(TileRuns(op=len(ops) - 1, times=run.tile_times[begin:end] + run.start))


def _sums(values: Integers) -> list[int]:
    """Return the sum of the first 0, 1, 2, ... values."""
    return [0, *np.cumsum(values).tolist()]
