"""Why a speedup is not the ideal one: what each cause takes from it, by the runs' own rows."""

from collections.abc import Iterable
from dataclasses import dataclass

from simulator.phases.stages import PHASE_RULES
from simulator.run.results import LayerRow, Results, RunResult
from workloads.schedule import Phase

_BACKWARD = ("dgrad", "wgrad")


@dataclass(frozen=True, slots=True)
class Cause:
    """One step from the ideal speedup to the simulated one; `speedup` is what holds after it."""

    name: str
    speedup: float
    change: float


def backward_ratio(results: Results) -> float:
    """Return compute cycles of backward over forward in a baseline batch that trains."""
    assert results.baseline is not None
    phase = next(phase.phase for phase in results.baseline.phases if PHASE_RULES[phase.phase].trains)
    rows = _phase_rows(results.baseline, phase)
    return _compute(rows, _BACKWARD) / _compute(rows, ("forward",))


def ideal_speedup(run: RunResult) -> float:
    """Return the speedup of the run's sequence with BW = 2 FW and a predictor that costs nothing."""
    if run.design == "baseline":
        return 1.0
    # Steps of one layer with BW = 2 FW (paper, section 3.7); the baseline goes backward in every batch that trains.
    before = sum((3 if PHASE_RULES[phase.phase].trains else 1) * phase.batches for phase in run.phases)
    steps = sum((3 if PHASE_RULES[phase.phase].goes_backward else 1) * phase.batches for phase in run.phases)
    return before / steps


def explain(results: Results, run: RunResult) -> list[Cause]:
    """Take apart the difference between ideal and simulated speedup.

    Each cause is added to those before it, in cycles of both the baseline and the run, so the last
    speedup is the simulated one:

    1. the network's own ratio of backward to forward instead of 2;
    2. weight updates, which no batch escapes;
    3. the predictor, less what a second array hides of it (and of updates): then all compute is there;
    4. memory: everything that waits for DRAM, the predictor's loads and stores among it, or for the ports of banks.

    Raises
    ------
    ValueError
        If the results hold no baseline.
    """
    if results.baseline is None:
        raise ValueError("explaining a speedup takes a baseline")
    baseline = results.baseline
    layer_passes = ("forward", *_BACKWARD)
    steps = [
        ("backward is not twice forward", _total(baseline, layer_passes) / _total(run, layer_passes)),
        ("weight updates", _total(baseline, (*layer_passes, "update")) / _total(run, (*layer_passes, "update"))),
        ("predictor", _all_compute(baseline) / _all_compute(run)),
        ("memory", baseline.total_cycles / run.total_cycles),
    ]
    causes = []
    before = ideal_speedup(run)
    for name, speedup in steps:
        causes.append(Cause(name, speedup, speedup - before))
        before = speedup
    return causes


def _total(run: RunResult, passes: tuple[str, ...]) -> int:
    return sum(row.count * row.compute_cycles for row in run.rows if row.pass_ in passes)


def _all_compute(run: RunResult) -> int:
    return sum(phase.batches * phase.compute_cycles_per_batch for phase in run.phases)


def _phase_rows(run: RunResult, phase: Phase) -> list[LayerRow]:
    return [row for row in run.rows if row.phase == phase and row.pass_]


def _compute(rows: Iterable[LayerRow], passes: tuple[str, ...]) -> int:
    return sum(row.compute_cycles for row in rows if row.pass_ in passes)
