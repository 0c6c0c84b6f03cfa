"""The exhibits of figures 17 to 19: thirteen networks, three data sets, LOW, Efficient and MAX under one dataflow."""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

from simulator.reproduce.assumptions import DATAFLOW as STUDIED_DATAFLOW
from simulator.reproduce.assumptions import SHAPES, SYSTOLIC, Variant
from simulator.reproduce.exhibit import Cell, Comparison, Exhibit, Picture, Table
from simulator.reproduce.job import Findings
from simulator.reproduce.jobs.design_comparison import DesignComparison
from simulator.reproduce.paper import DATASETS, DESIGNS, NETWORKS, targets, trace_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LETTERS = "abc"
_MORE_BANKS = "global_buffer.banks=80"  # 64 for the first array and 16 for the second


@dataclass(frozen=True)
class SpeedupFigure:
    """Speedups under one dataflow.

    Attributes
    ----------
    dataflow : str
        Name of ours.
    printed : str, optional
        The paper's name in `targets`; None where it has none.
    roomy : tuple of str
        Data sets on which MAX is also run with as many banks for its first array as Efficient has: where it is slower
        than Efficient, this tells whether the banks that the second array takes are the cause.
    """

    key: str
    rank: int
    dataflow: str
    printed: str | None
    title: str
    roomy: tuple[str, ...] = ()

    def jobs(self) -> list[DesignComparison]:
        """Return one comparison of the four designs for each network and data set, and those with more banks."""
        return [
            *(self._job(network, dataset) for network in NETWORKS for dataset in DATASETS),
            *(self._roomy_job(network, dataset) for network in NETWORKS for dataset in self.roomy),
            *(one.job("MobileNet-V2", "ImageNet") for one in self._mappings),
        ]

    def make(self, found: Findings) -> Exhibit:
        """Return bars for each network and design, averages and maxima beside the paper's, and every cycle count."""
        return Exhibit(
            text=self._text(found),
            comparisons=tuple(self._comparisons(found)),
            pictures=(
                Picture(
                    f"{self.key}-speedup",
                    f"Bars of the speedup of LOW, Efficient and MAX for thirteen networks, {self.dataflow}",
                    lambda: self._draw(found),
                ),
            ),
            tables=(self._summary(found), self._rows(found)),
        )

    def _job(self, network: str, dataset: str) -> DesignComparison:
        return DesignComparison(trace_name(network, dataset), self.dataflow)

    def _roomy_job(self, network: str, dataset: str) -> DesignComparison:
        return DesignComparison(trace_name(network, dataset), self.dataflow, ("baseline", "max"), (_MORE_BANKS,))

    @property
    def _mappings(self) -> tuple[Variant, ...]:
        """Arrays on which depthwise layers lie otherwise; where the study of assumptions has them."""
        return (*SHAPES, SYSTOLIC) if self.dataflow == STUDIED_DATAFLOW else ()

    def _speedups(self, found: Findings, dataset: str, design: str) -> list[float]:
        return [found[self._job(network, dataset)][design]["speedup"] for network in NETWORKS]

    def _comparisons(self, found: Findings) -> Iterator[Comparison]:
        if self.printed is None:
            return
        for what, choose in (("average", fmean), ("max", max)):
            for dataset, paper in targets()["speedup_over_bp"][self.printed].get(what, {}).items():
                ours = choose(self._speedups(found, dataset, "max"))
                yield Comparison(f"{what} speedup of MAX, {dataset}", paper, ours, self._reason(found, dataset, what))

    def _reason(self, found: Findings, dataset: str, what: str) -> str:
        best = max(NETWORKS, key=lambda network: found[self._job(network, dataset)]["max"]["speedup"])
        if what == "average" or best != "MobileNet-V2" or not self._mappings or dataset != "ImageNet":
            return ""
        others = {one.value: found[one.job(best, dataset)]["max"]["speedup"] for one in self._mappings}
        listed = ", ".join(f"{name} {speedup:.3f}" for name, speedup in others.items())
        return (
            f"ours is {best}'s. Its depthwise layers make it hang on the array's shape, which the paper does "
            f"not state: 180 PEs as {listed}"
        )

    def _text(self, found: Findings) -> str:
        ideal = {dataset: found[self._job("VGG13", dataset)]["max"]["ideal_speedup"] for dataset in DATASETS}
        listed = ", ".join(f"{value:.4f} on {dataset}" for dataset, value in ideal.items())
        exceptions = list(self._out_of_order(found))
        order = "LOW <= Efficient <= MAX holds for every network and data set."
        if exceptions:
            count = len(NETWORKS) * len(DATASETS)
            order = (
                f"LOW <= Efficient <= MAX holds but for {len(exceptions)} of {count}: " + "; ".join(exceptions) + "."
            )
            order += self._cause_of_exceptions(found)
        return (
            f"Whole runs of 90 epochs under the paper's schedule, batch 128. With BW = 2 FW and a predictor that costs "
            f"nothing the speedup would be {listed}: a network passes it only where its backward costs more than twice "
            f"its forward.\n\n{order}"
        )

    def _cause_of_exceptions(self, found: Findings) -> str:
        """Say how many of the studied exceptions are gone when the second array takes no banks of the first's."""
        behind = gone = 0
        for dataset in self.roomy:
            for network in NETWORKS:
                run = found[self._job(network, dataset)]
                if run["max"]["speedup"] < run["efficient"]["speedup"]:
                    behind += 1
                    roomy = found[self._roomy_job(network, dataset)]["max"]["cycles"]
                    gone += roomy <= run["efficient"]["cycles"]
        if not behind:
            return ""
        return (
            f"\n\nIn `max` 16 of the 64 banks serve the second array. With 80 banks, so that the first array has as "
            f"many as Efficient's, MAX is at least as fast as Efficient in {gone} of these {behind} on "
            f"{' and '.join(self.roomy)}: smaller tiles suit the rows of this dataflow less."
        )

    def _out_of_order(self, found: Findings) -> Iterator[str]:
        for dataset in DATASETS:
            for network in NETWORKS:
                run = found[self._job(network, dataset)]
                low, efficient, most = (run[design]["speedup"] for design in DESIGNS)
                if low > efficient:
                    yield f"{network} on {dataset}, LOW {low:.4f} over Efficient {efficient:.4f}"
                if efficient > most:
                    yield f"{network} on {dataset}, Efficient {efficient:.4f} over MAX {most:.4f}"

    def _summary(self, found: Findings) -> Table:
        rows: list[tuple[Cell, ...]] = []
        for dataset in DATASETS:
            for design, name in DESIGNS.items():
                values = self._speedups(found, dataset, design)
                causes: dict[str, list[float]] = {}
                for network in NETWORKS:
                    for cause, change in found[self._job(network, dataset)][design]["causes"]:
                        causes.setdefault(cause, []).append(change)
                rows.append((
                    dataset, name, fmean(values), min(values), max(values), *(fmean(one) for one in causes.values()),
                ))  # fmt: skip
        return Table(
            f"{self.key}-averages", "Speedups of thirteen networks, and what each cause is worth in the mean",
            ("data set", "design", "average", "least", "most", "backward is not twice forward", "weight updates",
             "predictor", "memory"),
            tuple(rows), digits=4,
        )  # fmt: skip

    def _rows(self, found: Findings) -> Table:
        rows = []
        for dataset in DATASETS:
            for network in NETWORKS:
                run = found[self._job(network, dataset)]
                for design in ("baseline", *DESIGNS):
                    one = run[design]
                    batches = {phase: values["cycles"] for phase, values in one["phases"].items()}
                    rows.append((dataset, network, design, one["cycles"], one["speedup"], one["ideal_speedup"],
                                 one["backward_ratio"], *(batches[phase] for phase in ("warm_up", "bp", "gp")),
                                 one["energy_pj"], one["memory_energy_pj"]))  # fmt: skip
        return Table(
            f"{self.key}-speedup", "Every run",
            ("data set", "network", "design", "cycles", "speedup", "ideal speedup", "backward over forward",
             "cycles of a Warm Up batch", "cycles of a BP batch", "cycles of a GP batch", "energy_pj",
             "memory_energy_pj"),
            tuple(rows), shown=False,
        )  # fmt: skip

    def _draw(self, found: Findings) -> "Figure":
        from simulator.reproduce.charts import grouped_bars

        panels, marks = {}, {}
        for letter, dataset in zip(LETTERS, DATASETS, strict=True):
            title = f"({letter}) {dataset}"
            series = {name: self._speedups(found, dataset, design) for design, name in DESIGNS.items()}
            panels[title] = {name: [*values, fmean(values)] for name, values in series.items()}
            if self.printed is not None:
                paper = targets()["speedup_over_bp"][self.printed]["average"][dataset]
                marks[title] = [("the paper's average of MAX", paper)]
        return grouped_bars(panels, [*NETWORKS, "average"], "speedup", marks, floor=1.0)
