"""Figures 17 to 19 and output stationary: thirteen networks, three data sets, three designs under one dataflow."""

from collections.abc import Iterator
from statistics import fmean

from simulator.outputs.charts.chart import Bars, Chart
from simulator.reproduce.exhibit import Cell, Comparison, Exhibit
from simulator.reproduce.jobs.design_comparison import DesignComparison
from simulator.reproduce.jobs.job import Findings
from simulator.reproduce.page import PagedExhibit, pages
from simulator.reproduce.paper import DATASETS, DESIGNS, NETWORKS, targets, trace_name

PAIRS = [(network, dataset) for dataset in DATASETS for network in NETWORKS]
_MORE_BANKS = "global_buffer.banks=80"  # 64 for the first array and 16 for the second


class Speedups(PagedExhibit):
    """Speedups under the page's dataflow.

    On the page's `roomy` data sets MAX also runs with as many banks for its first array as Efficient has. Where MAX is
    slower than Efficient, this shows whether the banks of the second array are the cause.
    """

    def jobs(self) -> list[DesignComparison]:
        """Return one comparison of the four designs for each network and data set, and those with more banks."""
        roomy = [self._roomy(*pair) for pair in PAIRS if pair[1] in self.page.constants["roomy"]]
        return [*(self._job(*pair) for pair in PAIRS), *roomy]

    def make(self, found: Findings) -> Exhibit:
        """Return bars for each network and design, averages and maxima beside the paper's, and every cycle count."""
        ideal = {dataset: found[self._job("VGG13", dataset)]["max"]["ideal_speedup"] for dataset in DATASETS}
        listed = ", ".join(f"{value:.4f} on {dataset}" for dataset, value in ideal.items())
        return Exhibit(
            self.page.text(listed=listed, order=self._order(found)),
            tuple(self._comparisons(found)),
            (self.page.picture("speedup", self._draw(found)),),
            (self.page.table("averages", self._averages(found)), self.page.table("speedup", self._rows(found))),
        )

    def _job(self, network: str, dataset: str) -> DesignComparison:
        return DesignComparison(trace_name(network, dataset), self.page.constants["dataflow"])

    def _roomy(self, network: str, dataset: str) -> DesignComparison:
        trace, dataflow = trace_name(network, dataset), self.page.constants["dataflow"]
        return DesignComparison(trace, dataflow, ("baseline", "max"), (_MORE_BANKS,))

    def _speedups(self, found: Findings, dataset: str, design: str) -> list[float]:
        return [found[self._job(network, dataset)][design]["speedup"] for network in NETWORKS]

    def _comparisons(self, found: Findings) -> Iterator[Comparison]:
        paper = targets()["speedup_over_bp"].get(self.page.constants["printed"], {})
        for what, choose in (("average", fmean), ("max", max)):
            for dataset, published in paper.get(what, {}).items():
                values = dict(zip(NETWORKS, self._speedups(found, dataset, "max"), strict=True))
                best = max(values, key=lambda network: values[network])
                reason = self.page.say("unexplained", best=best) if what == "max" else ""
                constant = choose([found[self._job(network, dataset)]["max"]["ideal_speedup"] for network in NETWORKS])
                title = f"{what} speedup of MAX, {dataset}"
                yield Comparison(title, published, choose(values.values()), reason, constant=constant)
        if paper:
            title, held = "runs with LOW <= Efficient <= MAX", sum(self._in_order(found, *pair) for pair in PAIRS)
            yield Comparison(title, len(PAIRS), held, "" if held == len(PAIRS) else self.page.say("order"), digits=0)

    def _in_order(self, found: Findings, network: str, dataset: str) -> bool:
        run = found[self._job(network, dataset)]
        return run["low"]["speedup"] <= run["efficient"]["speedup"] <= run["max"]["speedup"]

    def _order(self, found: Findings) -> str:
        """Say where LOW <= Efficient <= MAX does not hold, and whether banks are the cause."""
        exceptions, behind = [], []
        for pair in PAIRS:
            run = found[self._job(*pair)]
            speedups = {design: run[design]["speedup"] for design in DESIGNS}
            for less, more in (("low", "efficient"), ("efficient", "max")):
                if speedups[less] > speedups[more]:
                    names = [f"{DESIGNS[one].removeprefix('ADA-GP-')} {speedups[one]:.4f}" for one in (less, more)]
                    exceptions.append(f"{' on '.join(pair)}, {' over '.join(names)}")
            if speedups["max"] < speedups["efficient"] and pair[1] in self.page.constants["roomy"]:
                behind.append(found[self._roomy(*pair)]["max"]["cycles"] <= run["efficient"]["cycles"])
        if not exceptions:
            return self.page.say("order_holds")
        said = self.page.say("exceptions", count=len(exceptions), of=len(PAIRS), listed="; ".join(exceptions))
        return said + (self.page.say("banks", gone=sum(behind), behind=len(behind)) if behind else "")

    def _averages(self, found: Findings) -> Iterator[tuple[Cell, ...]]:
        for dataset in DATASETS:
            for design, name in DESIGNS.items():
                values = self._speedups(found, dataset, design)
                causes: dict[str, list[float]] = {}
                for network in NETWORKS:
                    for cause, change in found[self._job(network, dataset)][design]["causes"]:
                        causes.setdefault(cause, []).append(change)
                yield dataset, name, fmean(values), min(values), max(values), *map(fmean, causes.values())

    def _rows(self, found: Findings) -> Iterator[tuple[Cell, ...]]:
        for network, dataset in PAIRS:
            for design, run in found[self._job(network, dataset)].items():
                yield (dataset, network, design, run["cycles"], run["speedup"], run["ideal_speedup"],
                       run["backward_ratio"], *(run["phases"][phase]["cycles"] for phase in ("warm_up", "bp", "gp")),
                       run["energy_pj"], run["memory_energy_pj"])  # fmt: skip

    def _draw(self, found: Findings) -> Chart:
        panels = []
        for letter, dataset in zip("abc", DATASETS, strict=True):
            speedups = {name: self._speedups(found, dataset, design) for design, name in DESIGNS.items()}
            paper = targets()["speedup_over_bp"].get(self.page.constants["printed"])
            marks = [("the paper's average of MAX", paper["average"][dataset])] if paper else []
            panels.append(Bars(f"({letter}) {dataset}", "speedup", NETWORKS, speedups, marks, floor=1.0))
        return Chart(panels)


EXHIBITS = tuple(Speedups(one) for one in pages("speedups"))
