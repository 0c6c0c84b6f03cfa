"""Batches in SimPy: steps between barriers, each advanced by the step kernel."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import simpy

from dataflows.actions import ActionCounts
from dataflows.plan import Integers
from simulator.design import Step, Task
from simulator.dram.model import DramModel
from simulator.dram.refresh import Refresh
from simulator.engine.step_kernel import run_step_kernel
from simulator.engine.work import StepWork, flatten


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
    ops: list[OpRun] = []
    tiles: list[TileRuns] = []
    refresh = dram.refresh(frequency_hz)
    channel = np.zeros(3, np.int64)  # as the step kernel wants it

    def batch() -> Generator[simpy.Event, Any, None]:
        for step, task_works in zip(steps, works, strict=True):
            channel[0] = env.now
            cycles = _run_step(step, task_works, dram, frequency_hz, refresh, channel, ops, tiles)
            channel[1] -= cycles
            yield env.timeout(cycles)
        if refresh is not None:
            made = refresh.due(int(env.now) + max(0, int(channel[1])))
            yield env.timeout(refresh.cycles_at_barrier(int(env.now), int(channel[1]), int(channel[2])))
            channel[2] = made

    env.process(batch())
    env.run()
    return BatchRun(cycles=int(env.now), refreshes=int(channel[2]), ops=tuple(ops), tiles=tuple(tiles))


def merge(works: Sequence[StepWork]) -> StepWork:
    """Lay the plans of several tasks end to end."""
    return StepWork(
        first=tuple(plan for work in works for plan in work.first),
        second=tuple(plan for work in works for plan in work.second),
    )


def _run_step(
    step: Step, task_works: Sequence[StepWork], dram: DramModel, frequency_hz: int, refresh: Refresh | None,
    channel: Integers, ops: list[OpRun], tiles: list[TileRuns],
) -> int:  # fmt: skip
    """Run one step, append its ops and tiles, and return its cycles."""
    now = int(channel[0])
    work = merge(task_works)
    work.check_ports()
    flat = flatten(work, dram, frequency_hz)
    plan_times, tile_times = run_step_kernel(
        flat.plan_begin, flat.tile_begin, flat.load_cycles, flat.store_cycles, flat.stores,
        flat.stream_cycles, flat.gap_cycles, flat.fill_cycles, flat.drain_cycles,
        np.zeros(3, np.int64) if refresh is None else refresh.numbers, channel,
    )  # fmt: skip
    first_plan = 0
    for array, tasks in enumerate((step.first, step.second)):
        for task, task_work in zip(tasks, task_works[:len(step.first)] if array == 0 else task_works[len(step.first):],
                                   strict=True):  # fmt: skip
            plans = task_work.plans
            span = slice(first_plan, first_plan + len(plans))
            first_plan += len(plans)
            begin, end = int(flat.tile_begin[span.start]), int(flat.tile_begin[span.stop])
            counts = ActionCounts()
            for plan in plans:
                counts += plan.counts
            held = int(flat.load_cycles[begin:end].sum() + flat.store_cycles[begin:end].sum())
            opened = int(flat.load_activates[begin:end].sum() + flat.store_activates[begin:end].sum())
            counts += ActionCounts(dram_activates=opened, dram_active_cycles=held)
            ops.append(OpRun(
                task=task,
                array=array,
                start_cycle=now + int(plan_times[span.start, 0]),
                end_cycle=now + int(plan_times[span.stop - 1, 1]),
                compute_cycles=sum(plan.compute_cycles for plan in plans),
                stall_load_cycles=int(plan_times[span, 2].sum()),
                stall_store_cycles=int(plan_times[span, 3].sum()),
                stall_other_array_cycles=int(plan_times[span, 4].sum()),
                stall_buffer_port_cycles=sum(int(plan.port_wait_cycles.sum()) for plan in plans),
                pipeline_cycles=sum(plan.compute_cycles - int(plan.stream_cycles.sum()) for plan in plans),
                dram_cycles=held,
                counts=counts,
            ))  # fmt: skip
            tiles.append(TileRuns(op=len(ops) - 1, times=tile_times[begin:end] + now))
    return int(plan_times[:, 1].max(initial=0))
