"""What keeps a pipeline from its speedup in steps: the cycles of its operations changed, one cause after the other."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from statistics import fmean
from typing import Any

from simulator.pipelines.composition import Composer
from simulator.pipelines.operation import UNIT_STEPS, Kind
from simulator.pipelines.results import PipelineRun
from simulator.pipelines.work import BatchWork
from workloads.schedule import Phase, Schedule

Works = Mapping[Phase, BatchWork]
# Of equal stages in which a backward is just twice a forward; large, so that no rounding is seen.
_UNIT_CYCLES = 1000


def nothing_once_a_batch(works: Works) -> dict[Phase, BatchWork]:
    """Return batches whose last micro-batch carries no update and no predictor."""
    return {kind: replace(work, cycles=_each_as_the_first(work)) for kind, work in works.items()}


def equal_stages(works: Works) -> dict[Phase, BatchWork]:
    """Return, of batches with nothing once a batch, those whose stages all take the mean stage's cycles."""
    changed = {}
    for kind, work in works.items():
        totals: dict[Kind, list[int]] = {}
        for one, cycles in zip(work.programme.placed, _each_as_the_first(work), strict=True):
            totals.setdefault(one.operation.kind, []).append(cycles)
        means = {what: round(fmean(cycles)) for what, cycles in totals.items()}
        changed[kind] = replace(work, cycles=tuple(means[one.operation.kind] for one in work.programme.placed))
    return changed


def in_steps(works: Works) -> dict[Phase, BatchWork]:
    """Return batches of equal stages whose backward takes twice their forward."""
    return {
        kind: replace(
            work, cycles=tuple(_UNIT_CYCLES * UNIT_STEPS[one.operation.kind] for one in work.programme.placed)
        )
        for kind, work in works.items()
    }


def _each_as_the_first(work: BatchWork) -> tuple[int, ...]:
    """Return the cycles of operations, each as that of the first micro-batch that its device takes through its stage.

    Updates and the predictor run with the last (`simulator.pipelines.stage_times`), so a device needs two at least.
    """
    first: dict[tuple[int, int, Kind], int] = {}
    for queue in work.programme.queues:
        for index in queue:
            one = work.programme.placed[index]
            first.setdefault((one.device, one.operation.stage, one.operation.kind), work.cycles[index])
    return tuple(first[one.device, one.operation.stage, one.operation.kind] for one in work.programme.placed)


# Each with what those before it changed: the last is the paper's unit steps.
EXPERIMENTS: dict[str, Callable[[Works], Works]] = {
    "nothing_once_a_batch": nothing_once_a_batch,
    "equal_stages": equal_stages,
    "in_steps": in_steps,
}


def compared(run: PipelineRun, baseline: PipelineRun, training: Mapping[str, Schedule]) -> dict[str, Any]:
    """Return a run beside the baseline's as plain data.

    Parameters
    ----------
    training : dict of Schedule
        Sequences of batches by name; cycles of a batch are the same in all. The experiments use the first.

    Returns
    -------
    dict
        `cycles` and `speedup` by sequence, the speedups of `experiments`, and `kinds` of batches with their cycles.
    """

    def cycles(one: PipelineRun, schedule: Schedule, change: Callable[[Works], Works] = lambda works: works) -> int:
        return Composer(change({kind.kind: kind.work for kind in one.kinds})).cycles(schedule, one.kind_of)

    def speedup(schedule: Schedule, change: Callable[[Works], Works]) -> float:
        return cycles(baseline, schedule, change) / cycles(run, schedule, change)

    totals = {name: cycles(run, schedule) for name, schedule in training.items()}
    first = next(iter(training.values()))
    return {
        "cycles": totals,
        "speedup": {name: cycles(baseline, training[name]) / total for name, total in totals.items()},
        "experiments": {name: speedup(first, change) for name, change in EXPERIMENTS.items()},
        "kinds": {
            kind.kind: {"cycles_alone": kind.cycles_alone, "cycles_in_a_row": kind.cycles_in_a_row}
            for kind in run.kinds
        },
    }
