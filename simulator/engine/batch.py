"""A batch as a SimPy process: it goes from step to step, and the step kernel runs each step.

What SimPy does, and what it does not do:

- Between steps SimPy keeps the time. A step begins at ``env.now``; the kernel returns its cycles, and the process waits
  for them in one timeout. The last timeout is the barrier, in which the DRAM makes the refreshes that it still owes.
- Within a step SimPy does nothing. The kernel keeps the time of arrays, tiles and the DRAM channel, in integers.
- `--exact` uses no kernel. There every load, stream and store is a SimPy process (`exact.py`, `step_processes.py`).
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import simpy

from dataflows.actions import ActionCounts
from dataflows.integers import Integers
from dataflows.plans.plan import Plan
from simulator.dram.idle import idle_counts
from simulator.dram.model import DramModel
from simulator.engine.step_kernel import CHANNEL, PlanTimes, RefreshRules, TileTimes, run_step_kernel
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
    """When the tiles of an op were loaded, streamed and stored, and what they moved; laid out where they are asked for.

    Attributes
    ----------
    op : int
        Its place in `BatchRun.ops`.
    step_start : int
        The cycle of the batch in which their step begins.
    records : [tiles] of TILE_TIMES
        As the kernel ran them, in cycles of the step.
    plans : tuple of Plan
        Those of the op.
    """

    op: int
    step_start: int
    records: Any
    plans: tuple[Plan, ...]

    @property
    def times(self) -> Integers:
        """Start and end of load (on the channel), stream and store, in cycles of the batch: int64[tiles, 6]."""
        return np.stack([self.records[name] for name in TileTimes._fields[:6]], axis=1) + self.step_start

    @property
    def load_bytes(self) -> Integers:
        """What each tile's load reads from DRAM."""
        return np.concatenate([plan.load_bytes for plan in self.plans])

    @property
    def store_bytes(self) -> Integers:
        """What each tile's store writes to DRAM."""
        return np.concatenate([plan.store_bytes for plan in self.plans])


@dataclass(frozen=True)
class BatchRun:
    """One batch as it ran; `idle_counts` is what the DRAM does in it that belongs to no transfer."""

    cycles: int
    idle_counts: ActionCounts
    ops: tuple[OpRun, ...]
    tiles: tuple[TileRuns, ...]

    def busy_cycles(self, array: int) -> int:
        """Cycles in which an array has an op, stalled or not."""
        return sum(op.cycles for op in self.ops if op.array == array)


def run_batch(
    steps: Sequence[Step], works: Sequence[list[StepWork]], dram: DramModel, frequency_hz: int, launch_cycles: int = 0
) -> BatchRun:
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
    launch_cycles : int
        What passes before the first step.
    """
    env = simpy.Environment()
    merged = [merge(task_works) for task_works in works]
    for work in merged:
        work.check_ports()
    flats = flatten(merged, dram, frequency_hz)
    refresh = dram.refresh(frequency_hz)
    rules = RefreshRules.of(refresh)
    channel = np.zeros(1, CHANNEL)[0]
    runs: list[_StepRun] = []

    def batch() -> Generator[simpy.Event, Any, None]:
        channel["free"] = -launch_cycles  # it has been so since the batch began
        yield env.timeout(launch_cycles)
        for flat in flats:
            channel["batch_cycles"] = env.now
            plan_times, tile_times, transfers = run_step_kernel(
                flat.plan_begin, flat.tile_begin, flat.plans, flat.tiles, rules, channel
            )
            runs.append(_StepRun(int(env.now), flat, plan_times, tile_times, transfers))
            cycles = int(plan_times["end"].max(initial=0))
            channel["free"] -= cycles
            yield env.timeout(cycles)
        if refresh is not None:
            free = int(channel["free"])
            made = refresh.due(int(env.now) + max(0, free))
            yield env.timeout(refresh.cycles_at_barrier(int(env.now), free, int(channel["refreshes"])))
            channel["refreshes"] = made

    env.process(batch())
    env.run()
    ops: list[OpRun] = []
    tiles: list[TileRuns] = []
    for step, task_works, run in zip(steps, works, runs, strict=True):
        _take_apart(step, task_works, run, dram.active_ranks, ops, tiles)
    made = None if refresh is None else int(channel["refreshes"])
    idle = idle_counts(dram, frequency_hz, *_transfers(runs), batch_cycles=int(env.now), made=made)
    return BatchRun(cycles=int(env.now), idle_counts=idle, ops=tuple(ops), tiles=tuple(tiles))


@dataclass(frozen=True, slots=True)
class _StepRun:
    """A step as the kernel ran it, from the cycle `start` of the batch on; see `run_step_kernel`."""

    start: int
    flat: FlatWork
    plan_times: Any
    tile_times: Any
    transfers: Any


def _transfers(runs: Sequence[_StepRun]) -> tuple[Integers, Integers, Integers]:
    """Return the starts and ends of a batch's transfers in order, and how long each held the channel."""
    none = np.zeros(0, np.int64)
    starts, ends = (
        np.concatenate([none, *(run.transfers[name] + run.start for run in runs)]) for name in ("start", "end")
    )
    return starts, ends, np.concatenate([none, *(run.transfers["held"] for run in runs)])


def _take_apart(
    step: Step, task_works: Sequence[StepWork], run: _StepRun, active_ranks: int, ops: list[OpRun],
    tiles: list[TileRuns],
) -> None:  # fmt: skip
    """Append a step's ops and tiles."""
    borders = run.flat.tile_begin.tolist()
    arrays = [0] * len(step.first) + [1] * len(step.second)
    plans = [PlanTimes(*row) for row in run.plan_times.tolist()]
    last_plan = 0
    for task, array, task_work in zip((*step.first, *step.second), arrays, task_works, strict=True):
        first_plan, last_plan = last_plan, last_plan + len(task_work.plans)
        mine = plans[first_plan:last_plan]
        tables = run.flat.tables[first_plan:last_plan]
        held_cycles = sum(table.held_cycles for table in tables)
        compute, waits = task_work.compute_cycles, task_work.port_wait_cycles
        ops.append(OpRun(
            task=task,
            array=array,
            start_cycle=run.start + mine[0].start,
            end_cycle=run.start + mine[-1].end,
            compute_cycles=compute,
            stall_load_cycles=sum(plan.stall_load for plan in mine),
            stall_store_cycles=sum(plan.stall_store for plan in mine),
            stall_other_array_cycles=sum(plan.stall_other_array for plan in mine),
            stall_buffer_port_cycles=waits,
            pipeline_cycles=compute + waits - sum(table.stream_cycles for table in tables),
            dram_cycles=held_cycles,
            counts=task_work.counts._replace(
                dram_activates=sum(table.activates for table in tables),
                dram_active_rank_cycles=active_ranks * held_cycles,
            ),
        ))  # fmt: skip
        tiles.append(TileRuns(
            op=len(ops) - 1,
            step_start=run.start,
            records=run.tile_times[borders[first_plan] : borders[last_plan]],
            plans=task_work.plans,
        ))  # fmt: skip
