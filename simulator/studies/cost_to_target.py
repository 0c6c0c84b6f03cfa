"""What a training costs until it reaches an accuracy: ADA-GP on each design, its controls on the baseline.

A cheaper batch that learns less is no gain, so cycles and energy are counted to the end of the first epoch whose
test accuracy, in the mean over seeds, is the target's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import floor
from statistics import fmean
from typing import Literal

from simulator.phases.stages import layer_facts
from simulator.run.results import PhaseResult, Results, RunResult
from workloads.control_runs import ControlRuns, GpBatches
from workloads.foundation.errors import InputError
from workloads.schedule import Phase
from workloads.trace import Trace

Quantity = Literal["cycles", "energy_pj"]
# Means of accuracies with four digits differ from the exact means in the last bits only.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Cost:
    """What one way to train costs on a design; None where it never reaches the target.

    Attributes
    ----------
    epochs : int or None
        The first epoch, from 1, whose mean accuracy over seeds is at least the target.
    epochs_by_seed : tuple of int or None
        The same of each seed alone.
    cycles_ratio, energy_ratio : float or None
        Over those of backpropagation on every batch.
    """

    name: str
    title: str
    gp_batches: GpBatches
    design: str
    dataflow: str
    epochs: int | None
    epochs_by_seed: tuple[int | None, ...]
    cycles: int | None = None
    seconds: float | None = None
    energy_pj: float | None = None
    cycles_ratio: float | None = None
    energy_ratio: float | None = None


@dataclass(frozen=True, slots=True)
class CostToTarget:
    """Costs to one accuracy; `chosen` tells whether it was asked for or is the default."""

    target_accuracy: float
    chosen: bool
    costs: tuple[Cost, ...]

    def cheapest(self, quantity: Quantity, ada_gp: bool) -> Cost | None:
        """Return the cheapest of ADA-GP's costs, or of the others; None where none reaches the target."""
        reached = [one for one in self.costs if one.epochs is not None and (one.gp_batches == "predicted") == ada_gp]
        return min(reached, key=lambda one: getattr(one, quantity), default=None)


def measured_runs(trace: Trace) -> tuple[ControlRuns, ...]:
    """Return whose accuracies a trained trace holds: its controls', or ADA-GP's own alone; else nothing."""
    if trace.provenance.origin != "trained":
        return ()
    if trace.controls or not trace.metrics:
        return trace.controls
    own = tuple(row.test_accuracy for row in trace.metrics)
    return (ControlRuns(name="ada-gp", title="ADA-GP", gp_batches="predicted", test_accuracy=(own,)),)


def check_target(trace: Trace, target: float) -> None:
    """Refuse a target that is no share, or a trace that holds no accuracies.

    Raises
    ------
    InputError
        Naming the option.
    """
    option = "--target-accuracy"
    if not 0 < target <= 1:
        raise InputError(option, "", f"is {target:g}", "give a share above 0 and at most 1, such as 0.95")
    if trace.provenance.origin != "trained":
        problem = f"the trace of {trace.network} was {trace.provenance.origin}, not trained, so it has no accuracies"
        raise InputError(option, "", problem, "give a trained trace, such as digits-cnn")
    if not measured_runs(trace):
        problem = f"the trace of {trace.network} has no accuracies, or those of another run"
        raise InputError(option, "", problem, "leave out --schedule and --batch-size, or train with them")


def default_target(trace: Trace) -> float | None:
    """Return the highest whole per cent that every run of a trained trace reaches in the mean; None without one."""
    best = [max(_means(runs)) for runs in measured_runs(trace)]
    share = floor(100 * min(best, default=0.0) + _ROUNDING) / 100
    return share or None


def cost_to_target(results: Results, target: float | None = None) -> CostToTarget | None:
    """Return what each way to train costs to a target, by default `default_target`'s; None if there is none.

    ADA-GP costs what its batches cost, on each design but the baseline. Its controls need no predictor and run on the
    baseline, if it is among the results: a true batch is a BP batch, and a GP batch what `gp_batches` says of it.

    Raises
    ------
    InputError
        If a target is given that is no share, or the trace has no accuracies.
    """
    trace = results.trace
    if target is not None:
        check_target(trace, target)
    wanted = default_target(trace) if target is None else target
    if wanted is None:
        return None
    baselines = [results.baseline] if results.baseline is not None else []
    designs = [run for run in results.runs if run.design != "baseline"]
    costs = [
        _cost(runs, run, trace, wanted)
        for runs in measured_runs(trace)
        for run in (designs if runs.gp_batches == "predicted" else baselines)
    ]
    return CostToTarget(wanted, target is not None, tuple(_beside_backpropagation(costs)))


def _means(runs: ControlRuns) -> list[float]:
    return [fmean(values) for values in zip(*runs.test_accuracy, strict=True)]


def _first(accuracies: Sequence[float], target: float) -> int | None:
    """Return the first epoch, from 1, with at least the target."""
    return next((epoch for epoch, value in enumerate(accuracies, start=1) if value >= target - _ROUNDING), None)


def _cost(runs: ControlRuns, run: RunResult, trace: Trace, target: float) -> Cost:
    epochs = _first(_means(runs), target)
    seeds = tuple(_first(row, target) for row in runs.test_accuracy)
    head = (runs.name, runs.title, runs.gp_batches, run.design, run.dataflow, epochs, seeds)
    if epochs is None:
        return Cost(*head)
    batches = _batches(run, trace, runs.gp_batches)
    counts = trace.schedule.counts_until(epochs)
    cycles = sum(count * batches[phase][0] for phase, count in counts.items())
    energy = sum(count * batches[phase][1] for phase, count in counts.items())
    return Cost(*head, cycles=cycles, seconds=cycles / run.spec.frequency_hz, energy_pj=energy)


def _batches(run: RunResult, trace: Trace, gp_batches: GpBatches) -> Mapping[Phase, tuple[int, float]]:
    """Return cycles and energy of a batch of each phase."""
    found = {phase.phase: (phase.cycles_per_batch, phase.energy_pj_per_batch) for phase in run.phases}
    if "gp" in found and gp_batches == "left_out":
        found["gp"] = (0, 0.0)
    elif "gp" in found and gp_batches == "updated_only":
        found["gp"] = _forward_and_update(run, run.phase("gp"), trace)
    return found


def _forward_and_update(run: RunResult, phase: PhaseResult, trace: Trace) -> tuple[int, float]:
    """Return cycles and energy of a baseline batch's forward passes and of the updates of predicted layers.

    The forward pass runs whole, as in training: batch norm's statistics follow it. What costs by time (leakage, idle
    DRAM and its refreshes) is taken in proportion to the cycles.
    """
    facts = zip(trace.mac_layers, layer_facts(trace), strict=True)
    predicted = {layer.id for layer, fact in facts if fact.predicted}
    rows = [row for row in run.rows if row.phase == phase.phase]
    ran = [
        row for row in rows
        if row.pass_ in ("forward", "vector_forward") or (row.pass_ == "update" and row.layer in predicted)
    ]  # fmt: skip
    cycles = sum(row.cycles for row in ran)
    by_time = sum(row.energy.total for row in rows if row.array is None) * cycles / phase.cycles_per_batch
    return cycles, sum(row.energy.total for row in ran) + by_time


def _beside_backpropagation(costs: Sequence[Cost]) -> list[Cost]:
    plain = next((one for one in costs if one.gp_batches == "backpropagated"), None)
    if plain is None or plain.cycles is None or plain.energy_pj is None:
        return list(costs)
    return [
        one if one.cycles is None or one.energy_pj is None else
        replace(one, cycles_ratio=one.cycles / plain.cycles, energy_ratio=one.energy_pj / plain.energy_pj)
        for one in costs
    ]  # fmt: skip
