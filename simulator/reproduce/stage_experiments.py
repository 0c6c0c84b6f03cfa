"""What keeps a pipeline from its speedup in steps: the cycles of its operations changed, one cause after the other."""

from collections.abc import Mapping
from dataclasses import replace
from statistics import fmean

from simulator.pipelines.operation import UNIT_STEPS, Kind
from simulator.pipelines.work import BatchWork
from workloads.schedule import Phase

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
