"""Pipelines in the paper's steps (section 3.8): a stage's forward takes one, its backward two, nothing else counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from simulator.pipelines.engine import Run, run_batches
from simulator.pipelines.merging import lay_out, merged_queues
from simulator.pipelines.programme import Programme, build_programme
from simulator.pipelines.schedule import find_schedule, forward_only
from simulator.pipelines.work import unit_work

DEVICES = 4
MICRO_BATCHES = 4
BatchPhase = Literal["bp", "gp"]


@dataclass(frozen=True)
class UnitRun:
    """Batches that followed each other on a pipeline."""

    phases: tuple[BatchPhase, ...]
    programmes: tuple[Programme, ...]
    run: Run

    @property
    def steps(self) -> int:
        """From the first operation's start to the last one's end."""
        return self.run.cycles

    @property
    def messages(self) -> int:
        """Transfers between devices."""
        return sum(len(programme.messages) for programme in self.programmes)

    @property
    def flushes(self) -> int:
        """Times the pipeline is emptied: once for each batch that goes backward."""
        return sum(programme.goes_backward for programme in self.programmes)

    @property
    def idle_share(self) -> float:
        """Share of all devices' steps in which they have no operation."""
        busy = sum(one.end_cycle - one.start_cycle for one in self.run.executions)
        return 1 - busy / (DEVICES * self.steps)


def unit_run(schedule: str, phases: Sequence[BatchPhase]) -> UnitRun:
    """Run batches on four devices in four micro-batches under a shipped pipeline schedule."""
    found = find_schedule(schedule)
    orders, stages = found.orders(DEVICES, MICRO_BATCHES), found.stages(DEVICES)
    whole = build_programme(orders, stages, MICRO_BATCHES, found.one_at_a_time)
    ahead = build_programme(forward_only(orders), stages, MICRO_BATCHES, found.one_at_a_time)
    programmes = tuple(whole if phase == "bp" else ahead for phase in phases)
    run = run_batches([unit_work(one) for one in programmes], merged_queues([lay_out(one) for one in programmes]))
    return UnitRun(tuple(phases), programmes, run)
