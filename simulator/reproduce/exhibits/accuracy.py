"""Table 1: accuracy of ADA-GP and of backpropagation."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

from simulator.outputs.charts.chart import Bars, Chart, Lines
from simulator.reproduce.accuracy_arithmetic import average_gain, best_gain, gains, said_gains, signs
from simulator.reproduce.exhibit import Cell, Comparison, Exhibit, Table
from simulator.reproduce.jobs.job import Findings, Plain
from simulator.reproduce.jobs.target_costs import TargetCosts
from simulator.reproduce.page import Page, PagedExhibit, page
from simulator.reproduce.paper import DATASETS, targets
from workloads.control_runs import ControlRuns, shown_epochs
from workloads.trace import Trace, load_trace

COMMAND = "adagp-sim train reference resnet50-cifar10 --data FOLDER --checkpoint FILE --plateau"


@dataclass(frozen=True)
class TrainedRun:
    """A shipped trained trace beside its controls; the page names them, and the accuracies whose costs are shown."""

    name: str
    job: TargetCosts

    def trace(self) -> Trace:
        """Return the trace."""
        return load_trace(self.job.trace)

    def figures(self, page: Page, costs: Plain) -> dict[str, object]:
        """Return what the page's text says of it: means of final accuracies by control, and what accuracies cost."""
        trace = self.trace()
        means = {runs.name.replace("-", "_"): fmean(_final(runs)) for runs in trace.controls}
        return {
            "network": trace.network, "epochs": trace.schedule.epoch_count,
            "seeds": len(trace.controls[0].test_accuracy), "costs": "; ".join(_cheapest_ways(page, costs)), **means,
        }  # fmt: skip

    def tables(self, page: Page, costs: Plain) -> Iterator[Table]:
        """Give its accuracies and its costs."""
        trace = self.trace()
        epochs = _shown(trace)
        seeds = [f"seed {number}" for number in range(len(trace.controls[0].test_accuracy))]
        yield page.table(
            f"{self.name}-accuracy", _accuracy_rows(trace, epochs), network=trace.network, seeds=seeds,
            epochs=[f"mean, epoch {epoch}" for epoch in epochs], count=trace.schedule.epoch_count,
        )  # fmt: skip
        yield page.table(f"{self.name}-costs", _cost_rows(costs), network=trace.network)


class AccuracyTable(PagedExhibit):
    """The paper's numbers as the paper's; ours are of the data at hand alone."""

    def __init__(self, page: Page) -> None:
        super().__init__(page)
        self.runs = [
            TrainedRun(name, TargetCosts(one["trace"], targets=tuple(one["targets"])))
            for name, one in page.constants["runs"].items()
        ]
        self.requires = tuple(run.job for run in self.runs)

    def make(self, found: Findings) -> Exhibit:
        """Return the paper's table with its gains, and the trained runs beside their controls."""
        counted = [
            f"{dataset} {better} better, {equal} equal, {worse} worse, {average_gain(dataset):+.2f} points"
            for dataset in DATASETS for better, equal, worse in [signs(dataset)]
        ]  # fmt: skip
        figures = {run.name: run.figures(self.page, found[run.job]) for run in self.runs}
        return Exhibit(
            self.page.text(counted="; ".join(counted), command=COMMAND, **figures),
            tuple(self._comparisons()),
            (
                self.page.picture("gains", _draw_gains()),
                *(self.page.picture(run.name, _draw_accuracies(run.trace())) for run in self.runs),
            ),
            (
                self.page.table("paper", _paper_rows()),
                self.page.table("gains", _gain_rows()),
                *(table for run in self.runs for table in run.tables(self.page, found[run.job])),
            ),
        )

    def _comparisons(self) -> Iterator[Comparison]:
        for dataset, what, said, computed in said_gains():
            which = "average" if what == "average" else "greatest"
            reason = self.page.say("not_ours", dataset=dataset, computed=computed)
            yield Comparison(f"{which} gain in accuracy on {dataset}, points", said, None, reason, digits=2)


def _cheapest_ways(page: Page, costs: Plain) -> Iterator[str]:
    for target, ways in costs.items():
        ours, theirs = (_cheapest(ways, predicted) for predicted in (True, False))
        if ours is not None and theirs is not None:
            yield page.say("cost", target=100 * float(target), ours=ours, theirs=theirs)


def _cheapest(costs: Sequence[Mapping[str, Any]], predicted: bool) -> Mapping[str, Any] | None:
    """Return the way with the fewest cycles among ADA-GP's designs, or among the controls; None if none gets there."""
    found = [one for one in costs if one["cycles"] is not None and (one["gp_batches"] == "predicted") == predicted]
    return min(found, key=lambda one: one["cycles"], default=None)


def _shown(trace: Trace) -> list[int]:
    """Return the epochs whose means a table has: not the first, where all runs are one, nor the last."""
    return shown_epochs(trace.schedule.epoch_count)[1:-1]


def _means(runs: ControlRuns) -> list[float]:
    """Return the mean accuracy over seeds in per cent, epoch by epoch."""
    return [100 * fmean(values) for values in zip(*runs.test_accuracy, strict=True)]


def _final(runs: ControlRuns) -> list[float]:
    """Return each seed's last accuracy in per cent."""
    return [100 * row[-1] for row in runs.test_accuracy]


def _accuracy_rows(trace: Trace, epochs: Sequence[int]) -> Iterator[tuple[Cell, ...]]:
    plain = next(runs for runs in trace.controls if runs.name == "bp")
    for runs in trace.controls:
        final, means = _final(runs), _means(runs)
        gaps = [mine - theirs for mine, theirs in zip(final, _final(plain), strict=True)]
        yield (runs.title, *final, fmean(final), stdev(final) if len(final) > 1 else None, fmean(gaps),
               *(means[epoch - 1] for epoch in epochs))  # fmt: skip


def _cost_rows(costs: Plain) -> Iterator[tuple[Cell, ...]]:
    for target, ways in costs.items():
        for way in ways:
            joules = None if way["energy_pj"] is None else way["energy_pj"] / 1e12
            yield (100 * float(target), way["title"], way["design"], way["epochs"], way["cycles"], joules,
                   way["cycles_ratio"], way["energy_ratio"])  # fmt: skip


def _paper_rows() -> Iterator[tuple[Cell, ...]]:
    for network, row in targets()["accuracy_table_1"].items():
        yield network, *(cell for dataset in DATASETS for cell in (*row[dataset], gains(dataset)[network]))


def _gain_rows() -> Iterator[tuple[Cell, ...]]:
    said = {(dataset, what): value for dataset, what, value, _ in said_gains()}
    for dataset in DATASETS:
        yield (dataset, average_gain(dataset), said[dataset, "average"], *reversed(best_gain(dataset)),
               said.get((dataset, "max")), min(gains(dataset).values()), *signs(dataset))  # fmt: skip


def _draw_gains() -> Chart:
    series = {dataset: list(gains(dataset).values()) for dataset in DATASETS}
    title = "accuracy with ADA-GP less that of backpropagation"
    return Chart([Bars(title, "points of accuracy", list(targets()["accuracy_table_1"]), series, floor=-1.0)])


def _draw_accuracies(trace: Trace) -> Chart:
    curves = {runs.title: list(enumerate(_means(runs), start=1)) for runs in trace.controls}
    begin, unit = _shown(trace)[0], "test accuracy, per cent"
    later = {title: points[begin - 1 :] for title, points in curves.items()}
    panels = {"all epochs": curves, f"from epoch {begin}, Warm Up's last": later}
    return Chart([Lines(title, "epoch", unit, lines) for title, lines in panels.items()], columns=2)


EXHIBITS = (AccuracyTable(page("table1")),)
