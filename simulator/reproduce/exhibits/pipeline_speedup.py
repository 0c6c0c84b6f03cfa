"""Figure 20: speedup of ADA-GP over GPipe, DAPPLE and Chimera."""

from collections.abc import Iterator, Sequence
from statistics import fmean

from simulator.outputs.charts.chart import Bars, Chart
from simulator.reproduce.exhibit import Cell, Comparison, Exhibit
from simulator.reproduce.jobs.job import Findings, Plain
from simulator.reproduce.jobs.pipeline_comparison import PipelineComparison
from simulator.reproduce.page import PagedExhibit, page
from simulator.reproduce.paper import DESIGNS, NETWORKS, targets, trace_name
from simulator.reproduce.run_arithmetic import pipeline_speedup

PIPELINES = {"GPipe": "gpipe", "DAPPLE": "dapple", "Chimera": "chimera"}  # the paper's name, the shipped schedule's
FIGURE, WHOLE = "one-to-one", "paper"  # training schedules
JOBS = {
    network: PipelineComparison(
        trace_name(network, "ImageNet"), schedules=tuple(PIPELINES.values()), training_schedules=(FIGURE, WHOLE)
    )
    for network in NETWORKS
}


class PipelineSpeedup(PagedExhibit):
    """Thirteen networks on ImageNet, four devices, four micro-batches, weight stationary."""

    requires = tuple(JOBS.values())

    def make(self, found: Findings) -> Exhibit:
        """Return bars for each network and design, averages and maxima beside the paper's, and what is missing."""
        means = {name: fmean(_speedups(found, name, "max", WHOLE)) for name in PIPELINES}
        whole = ", ".join(f"{mean:.3f} over {name}" for name, mean in means.items())
        return Exhibit(
            self.page.text(whole=whole, order=self._order(found)),
            tuple(self._comparisons(found)),
            (
                self.page.picture("speedup", _draw(found, FIGURE, "")),
                self.page.picture("whole-run", _draw(found, WHOLE, ", whole run with Warm Up")),
            ),
            (
                self.page.table("averages", _averages(found)),
                self.page.table("causes", _causes(found)),
                self.page.table("speedup", _rows(found)),
            ),
        )

    def _comparisons(self, found: Findings) -> Iterator[Comparison]:
        for what, choose in (("average", fmean), ("max", max)):
            for pipeline in PIPELINES:
                stated = targets()["pipelines"][pipeline]
                one, two = stated["steps_per_batch"], stated["steps_two_batches_gp_to_bp"]
                values, those = _speedups(found, pipeline, "max", FIGURE), _runs(found, pipeline, "max")
                if what == "max":  # the experiments with that network alone
                    those = [those[values.index(max(values))]]
                _, free, equal, steps = _experiments(those)
                reason = self.page.say("reason", free=free, equal=equal, steps=steps)
                title = f"{what} speedup of MAX over {pipeline}, GP and BP in turn"
                constant = pipeline_speedup(0.5, one, two - one)
                yield Comparison(title, stated["speedup"][what], choose(values), reason, constant=constant)

    def _order(self, found: Findings) -> str:
        """Say where Efficient is ahead of MAX, and how much of that is there without a predictor."""
        gaps: dict[str, tuple[float, float]] = {}
        for pipeline in PIPELINES:
            pairs = zip(NETWORKS, _runs(found, pipeline, "efficient"), _runs(found, pipeline, "max"), strict=True)
            for network, efficient, most in pairs:
                gap = efficient["speedup"][FIGURE] - most["speedup"][FIGURE]
                free = [one["experiments"]["nothing_once_a_batch"] for one in (efficient, most)]
                if gap > 0:
                    gaps[f"{network} over {pipeline}"] = gap, free[0] - free[1]
        if not gaps:
            return self.page.say("order_holds")
        gap, without = map(fmean, zip(*gaps.values(), strict=True))
        return self.page.say("order", count=len(gaps), of=len(PIPELINES) * len(NETWORKS), gap=gap, without=without,
                             listed=", ".join(gaps))  # fmt: skip


def _runs(found: Findings, pipeline: str, design: str) -> list[dict[str, Plain]]:
    return [found[job][PIPELINES[pipeline]][design] for job in JOBS.values()]


def _speedups(found: Findings, pipeline: str, design: str, training: str) -> list[float]:
    return [run["speedup"][training] for run in _runs(found, pipeline, design)]


def _experiments(runs: Sequence[dict[str, Plain]]) -> list[float]:
    """Return the mean speedup as simulated and in each experiment."""
    simulated = fmean(run["speedup"][FIGURE] for run in runs)
    return [simulated, *(fmean(run["experiments"][name] for run in runs) for name in runs[0]["experiments"])]


def _averages(found: Findings) -> Iterator[tuple[Cell, ...]]:
    for pipeline in PIPELINES:
        for design, label in DESIGNS.items():
            turn, whole = (_speedups(found, pipeline, design, one) for one in (FIGURE, WHOLE))
            yield pipeline, label, *(choose(values) for values in (turn, whole) for choose in (fmean, min, max))


def _causes(found: Findings) -> Iterator[tuple[Cell, ...]]:
    for pipeline in PIPELINES:
        for design, label in DESIGNS.items():
            yield pipeline, label, *_experiments(_runs(found, pipeline, design))


def _rows(found: Findings) -> Iterator[tuple[Cell, ...]]:
    for pipeline in PIPELINES:
        for design in ("baseline", *DESIGNS):
            for network, run in zip(NETWORKS, _runs(found, pipeline, design), strict=True):
                kinds = run["kinds"]
                yield (
                    pipeline, network, design, run["cycles"][FIGURE], run["speedup"][FIGURE], run["cycles"][WHOLE],
                    run["speedup"][WHOLE], *run["experiments"].values(), kinds["bp"]["cycles_alone"],
                    kinds["gp"]["cycles_in_a_row"] if "gp" in kinds else None,
                )  # fmt: skip


def _draw(found: Findings, training: str, suffix: str) -> Chart:
    panels = []
    for letter, pipeline in zip("abc", PIPELINES, strict=True):
        speedups = {label: _speedups(found, pipeline, design, training) for design, label in DESIGNS.items()}
        paper = targets()["pipelines"][pipeline]["speedup"]
        marks = [("the paper's average of MAX", paper["average"]), ("the paper's largest of MAX", paper["max"])]
        panels.append(Bars(f"({letter}) over {pipeline}{suffix}", "speedup", NETWORKS, speedups, marks, floor=1.0))
    return Chart(panels)


EXHIBITS = (PipelineSpeedup(page("fig20")),)
