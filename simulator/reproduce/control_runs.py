"""The reference run beside its controls: what the report shows of a trained trace's accuracies."""

from collections.abc import Sequence
from statistics import fmean, stdev
from typing import TYPE_CHECKING

from simulator.reproduce.exhibit import Cell, Table
from simulator.reproduce.job import Plain
from workloads.control_runs import ControlRuns
from workloads.trace import Trace

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ON_THE_WAY = (10, 22, 45)  # the end of Warm Up, the start of 1:1, half of the run


def mean_accuracies(runs: ControlRuns) -> list[float]:
    """Return the mean accuracy over seeds in per cent, epoch by epoch."""
    return [100 * fmean(values) for values in zip(*runs.test_accuracy, strict=True)]


def final_accuracies(runs: ControlRuns) -> list[float]:
    """Return each seed's last accuracy in per cent."""
    return [100 * row[-1] for row in runs.test_accuracy]


def accuracy_table(name: str, trace: Trace) -> Table:
    """Return the final accuracies of every run, and what the means are on the way."""
    plain = next(runs for runs in trace.controls if runs.gp_batches == "backpropagated")
    rows: list[tuple[Cell, ...]] = []
    for runs in trace.controls:
        final = final_accuracies(runs)
        gaps = [mine - theirs for mine, theirs in zip(final, final_accuracies(plain), strict=True)]
        means = mean_accuracies(runs)
        rows.append((
            runs.title, *final, fmean(final), stdev(final) if len(final) > 1 else None, fmean(gaps),
            *(means[epoch - 1] for epoch in ON_THE_WAY),
        ))  # fmt: skip
    seeds = tuple(f"seed {number}" for number in range(len(plain.test_accuracy)))
    columns = ("run", *seeds, "mean", "spread", "mean less backpropagation's",
               *(f"mean, epoch {epoch}" for epoch in ON_THE_WAY))  # fmt: skip
    title = f"{trace.network}, test accuracy in per cent after {trace.schedule.epoch_count} epochs"
    return Table(name, title, columns, tuple(rows), digits=2)


def cost_table(name: str, trace: Trace, costs: dict[str, list[Plain]]) -> Table:
    """Return what each way to train takes to each accuracy, ADA-GP by design."""
    rows: list[tuple[Cell, ...]] = [
        (100 * float(target), cost["title"], cost["design"], cost["epochs"], cost["cycles"],
         None if cost["energy_pj"] is None else cost["energy_pj"] / 1e12, cost["cycles_ratio"], cost["energy_ratio"])
        for target, found in costs.items()
        for cost in found
    ]  # fmt: skip
    columns = ("target, per cent", "run", "on", "epochs", "cycles", "energy, J", "cycles over backpropagation",
               "energy over backpropagation")  # fmt: skip
    return Table(name, f"{trace.network}: cost to an accuracy, in the mean of seeds", columns, tuple(rows), digits=4)


def cheapest(costs: Sequence[Plain], predicted: bool) -> Plain | None:
    """Return the way with the fewest cycles among ADA-GP's designs, or among the controls; None if none gets there."""
    found = [one for one in costs if one["cycles"] is not None and (one["gp_batches"] == "predicted") == predicted]
    return min(found, key=lambda one: one["cycles"], default=None)


def draw_accuracies(trace: Trace) -> "Figure":
    """Draw the mean accuracies over the epochs, and the last part of them larger."""
    from simulator.reproduce.error_curves import Curves, draw_curves

    lines = {runs.title: mean_accuracies(runs) for runs in trace.controls}
    begin = ON_THE_WAY[0]
    unseen = [None] * (begin - 1)
    later: dict[str, list[float | None]] = {title: [*unseen, *values[begin - 1 :]] for title, values in lines.items()}
    unit = "test accuracy, per cent"
    return draw_curves((Curves("all epochs", unit, lines), Curves(f"from epoch {begin}, Warm Up's last", unit, later)))
