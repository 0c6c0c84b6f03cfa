"""Why a speedup is not the ideal one: what each cause is worth, from the runs' own rows."""

from collections.abc import Iterable
from dataclasses import dataclass

from simulator.results import LayerRow, Results, RunResult
from workloads.schedule import Phase

_BACKWARD = ("dgrad", "wgrad")
_PREDICTOR = "predictor_"
# Steps of one layer with BW = 2 FW (paper, section 3.7) and a predictor that costs nothing.
_IDEAL_STEPS: dict[Phase, int] = {"warm_up": 3, "bp": 3, "gp": 1, "dni": 3}


@dataclass(frozen=True, slots=True)
class Cause:
    """One step from the ideal speedup to the simulated one; `speedup` is what holds after it."""

    name: str
    speedup: float
    change: float


def backward_ratio(results: Results) -> float:
    """Return compute cycles of backward over forward in a baseline batch."""
    assert results.baseline is not None
    rows = _phase_rows(results.baseline, results.baseline.phases[0].phase)
    return _compute(rows, _BACKWARD) / _compute(rows, ("forward",))


def ideal_speedup(run: RunResult) -> float:
    """Return the speedup of the run's sequence with BW = 2 FW and a predictor that costs nothing."""
    if run.design == "baseline":
        return 1.0
    batches = sum(phase.batches for phase in run.phases)
    return 3 * batches / sum(_IDEAL_STEPS[phase.phase] * phase.batches for phase in run.phases)


def explain(results: Results, run: RunResult) -> list[Cause]:
    """Take apart the difference between ideal and simulated speedup.

    Each cause is added to those before it, in cycles of both the baseline and the run, so the last
    speedup is the simulated one:

    1. the network's own ratio of backward to forward instead of 2;
    2. weight updates, which no batch escapes;
    3. what the predictor adds to the critical path (for MAX: what the second array cannot hide);
    4. stalls on memory.

    Raises
    ------
    ValueError
        If the results hold no baseline.
    """
    if results.baseline is None:
        raise ValueError("explaining a speedup takes a baseline")
    base = [(phase.batches, _phase_rows(results.baseline, phase.phase)) for phase in results.baseline.phases]
    own = [(phase, _phase_rows(run, phase.phase)) for phase in run.phases]
    layer_passes = ("forward", *_BACKWARD)
    base_layers = sum(batches * _compute(rows, layer_passes) for batches, rows in base)
    base_updates = sum(batches * _compute(rows, ("update",)) for batches, rows in base)
    layers = sum(phase.batches * _compute(rows, layer_passes) for phase, rows in own)
    first = [
        (phase, [row for row in rows if row.array == 0 and not row.pass_.startswith(_PREDICTOR)]) for phase, rows in own
    ]
    updates = sum(phase.batches * _compute(rows, ("update",)) for phase, rows in first)
    exposed = sum(phase.batches * (phase.cycles_per_batch - sum(row.cycles for row in rows)) for phase, rows in first)

    steps = [
        ("backward is not twice forward", base_layers / layers),
        ("weight updates", (base_layers + base_updates) / (layers + updates)),
        ("predictor", (base_layers + base_updates) / (layers + updates + exposed)),
        ("memory stalls", results.baseline.total_cycles / run.total_cycles),
    ]
    causes = []
    before = ideal_speedup(run)
    for name, speedup in steps:
        causes.append(Cause(name, speedup, speedup - before))
        before = speedup
    return causes


def _phase_rows(run: RunResult, phase: Phase) -> list[LayerRow]:
    return [row for row in run.rows if row.phase == phase and row.pass_]


def _compute(rows: Iterable[LayerRow], passes: tuple[str, ...]) -> int:
    return sum(row.compute_cycles for row in rows if row.pass_ in passes)
