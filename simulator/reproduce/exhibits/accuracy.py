"""Table 1: accuracy of ADA-GP and of backpropagation."""

from collections.abc import Iterator, Sequence
from statistics import fmean, stdev

from simulator.outputs.charts.chart import Bars, Chart, Lines
from simulator.reproduce.accuracy_arithmetic import average_gain, best_gain, gains, said_gains, signs
from simulator.reproduce.exhibit import Cell, Comparison, Exhibit
from simulator.reproduce.jobs.job import Findings, Plain
from simulator.reproduce.jobs.target_costs import TargetCosts
from simulator.reproduce.page import PagedExhibit, page
from simulator.reproduce.paper import DATASETS, targets
from workloads.control_runs import ControlRuns
from workloads.trace import Trace, load_trace

JOB = TargetCosts("digits-cnn", targets=(0.92, 0.95))
COMMAND = "adagp-sim train reference resnet50-cifar10 --data FOLDER --checkpoint FILE --plateau"
SHOWN_EPOCHS = (10, 22, 45)  # the end of Warm Up, the start of 1:1, half of the run


class AccuracyTable(PagedExhibit):
    """The paper's numbers as the paper's; ours are of the data at hand alone."""

    requires = (JOB,)

    def make(self, found: Findings) -> Exhibit:
        """Return the paper's table with its gains, and the reference run beside its controls."""
        trace, costs = load_trace(JOB.trace), found[JOB]
        runs = {one.name.replace("-", "_"): one for one in trace.controls}
        counted = [
            f"{dataset} {better} better, {equal} equal, {worse} worse, {average_gain(dataset):+.2f} points"
            for dataset in DATASETS for better, equal, worse in [signs(dataset)]
        ]  # fmt: skip
        text = self.page.text(
            counted="; ".join(counted), command=COMMAND, network=trace.network, epochs=trace.schedule.epoch_count,
            seeds=len(runs["ada_gp"].test_accuracy), costs="; ".join(self._cheapest(costs)),
            **{name: fmean(_final(one)) for name, one in runs.items()},
        )  # fmt: skip
        epochs = {"network": trace.network, "epochs": [f"mean, epoch {epoch}" for epoch in SHOWN_EPOCHS]}
        seeds = [f"seed {number}" for number in range(len(runs["bp"].test_accuracy))]
        return Exhibit(
            text,
            tuple(self._comparisons()),
            (self.page.picture("gains", _draw_gains()), self.page.picture("digits", _draw_accuracies(trace))),
            (
                self.page.table("paper", _paper_rows()),
                self.page.table("gains", _gain_rows()),
                self.page.table("digits-accuracy", _accuracy_rows(trace), seeds=seeds, count=trace.schedule.epoch_count,
                                **epochs),
                self.page.table("digits-costs", _cost_rows(costs), network=trace.network),
            ),
        )  # fmt: skip

    def _comparisons(self) -> Iterator[Comparison]:
        for dataset, what, said, computed in said_gains():
            which = "average" if what == "average" else "greatest"
            reason = self.page.say("not_ours", dataset=dataset, computed=computed)
            yield Comparison(f"{which} gain in accuracy on {dataset}, points", said, None, reason, digits=2)

    def _cheapest(self, costs: Plain) -> Iterator[str]:
        for target, ways in costs.items():
            ours, theirs = (_cheapest(ways, predicted) for predicted in (True, False))
            if ours is not None and theirs is not None:
                yield self.page.say("cost", target=100 * float(target), ours=ours, theirs=theirs)


def _cheapest(costs: Sequence[Plain], predicted: bool) -> Plain | None:
    """Return the way with the fewest cycles among ADA-GP's designs, or among the controls; None if none gets there."""
    found = [one for one in costs if one["cycles"] is not None and (one["gp_batches"] == "predicted") == predicted]
    return min(found, key=lambda one: one["cycles"], default=None)


def _means(runs: ControlRuns) -> list[float]:
    """Return the mean accuracy over seeds in per cent, epoch by epoch."""
    return [100 * fmean(values) for values in zip(*runs.test_accuracy, strict=True)]


def _final(runs: ControlRuns) -> list[float]:
    """Return each seed's last accuracy in per cent."""
    return [100 * row[-1] for row in runs.test_accuracy]


def _accuracy_rows(trace: Trace) -> Iterator[tuple[Cell, ...]]:
    plain = next(runs for runs in trace.controls if runs.gp_batches == "backpropagated")
    for runs in trace.controls:
        final, means = _final(runs), _means(runs)
        gaps = [mine - theirs for mine, theirs in zip(final, _final(plain), strict=True)]
        yield (runs.title, *final, fmean(final), stdev(final) if len(final) > 1 else None, fmean(gaps),
               *(means[epoch - 1] for epoch in SHOWN_EPOCHS))  # fmt: skip


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
    begin, unit = SHOWN_EPOCHS[0], "test accuracy, per cent"
    later = {title: points[begin - 1 :] for title, points in curves.items()}
    panels = {"all epochs": curves, f"from epoch {begin}, Warm Up's last": later}
    return Chart([Lines(title, "epoch", unit, lines) for title, lines in panels.items()], columns=2)


EXHIBITS = (AccuracyTable(page("table1")),)
