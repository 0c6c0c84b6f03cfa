"""Figure 20: speedup of ADA-GP over GPipe, DAPPLE and Chimera."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

from simulator.reproduce.exhibit import Cell, Comparison, Exhibit, Picture, Table
from simulator.reproduce.job import Findings, Plain
from simulator.reproduce.jobs.pipeline_comparison import PipelineComparison
from simulator.reproduce.paper import DESIGNS, NETWORKS, targets, trace_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# By the paper's name: the shipped schedule, and the panel's letter.
PIPELINES = {"GPipe": ("gpipe", "a"), "DAPPLE": ("dapple", "b"), "Chimera": ("chimera", "c")}
FIGURE, WHOLE = "one-to-one", "paper"  # training schedules


@dataclass(frozen=True)
class PipelineSpeedup:
    """Thirteen networks on ImageNet, four devices, four micro-batches, weight stationary."""

    key: str = "fig20"
    rank: int = 200
    title: str = "Figure 20: speedup of ADA-GP over GPipe, DAPPLE and Chimera"

    def jobs(self) -> list[PipelineComparison]:
        """Return one job a network, with all schedules."""
        return [self._job(network) for network in NETWORKS]

    def make(self, found: Findings) -> Exhibit:
        """Return bars for each network and design, averages and maxima beside the paper's, and what is missing."""
        return Exhibit(
            text=self._text(found),
            comparisons=tuple(self._comparisons(found)),
            pictures=(
                Picture(
                    "fig20-speedup",
                    "Bars of the speedup of LOW, Efficient and MAX over three pipelines, GP and BP in turn",
                    lambda: self._draw(found, FIGURE),
                ),
                Picture(
                    "fig20-whole-run",
                    "The same over the paper's own schedule of 90 epochs with Warm Up",
                    lambda: self._draw(found, WHOLE),
                ),
            ),
            tables=(self._summary(found), self._causes(found), self._rows(found)),
        )

    def _job(self, network: str) -> PipelineComparison:
        schedules = tuple(schedule for schedule, _ in PIPELINES.values())
        return PipelineComparison(trace_name(network, "ImageNet"), "ws", schedules, (FIGURE, WHOLE))

    def _runs(self, found: Findings, pipeline: str, design: str) -> list[dict[str, Plain]]:
        return [found[self._job(network)][PIPELINES[pipeline][0]][design] for network in NETWORKS]

    def _speedups(self, found: Findings, pipeline: str, design: str, training: str) -> list[float]:
        return [run["speedup"][training] for run in self._runs(found, pipeline, design)]

    def _comparisons(self, found: Findings) -> Iterator[Comparison]:
        for what, choose in (("average", fmean), ("max", max)):
            for pipeline in PIPELINES:
                paper = targets()["pipelines"][pipeline]["speedup"][what]
                values = self._speedups(found, pipeline, "max", FIGURE)
                runs = self._runs(found, pipeline, "max")
                if what == "max":  # the experiments with that network alone
                    runs = [runs[values.index(max(values))]]
                yield Comparison(
                    f"{what} speedup of MAX over {pipeline}, GP and BP in turn", paper, choose(values), _reason(runs)
                )

    def _text(self, found: Findings) -> str:
        whole = ", ".join(
            f"{fmean(self._speedups(found, pipeline, 'max', WHOLE)):.3f} over {pipeline}" for pipeline in PIPELINES
        )
        return (
            "Four devices, four micro-batches of 32, `ws`, free links. The paper's numbers are those of GP and BP in "
            "turn without Warm Up (`configs/schedules/one-to-one.yaml`): in steps 42/25 = 1.68 and 32/20 = 1.60 are "
            "the most that this can give with BW = 2 FW, and these are the figure's largest bars. The text does not "
            "say so. The first picture and the comparisons are of this schedule.\n\n"
            f"Over a whole run of 90 epochs as the paper trains (10 of Warm Up, then 4:1, 3:1, 2:1 and 1:1) MAX gives "
            f"{whole} in the mean: the second picture.\n\n"
            f"{self._order(found)}"
        )

    def _order(self, found: Findings) -> str:
        """Return where Efficient is ahead of MAX, and how much of that is there without a predictor."""
        names, gaps, gaps_without = [], [], []
        for pipeline in PIPELINES:
            pairs = zip(self._runs(found, pipeline, "efficient"), self._runs(found, pipeline, "max"), strict=True)
            for network, (efficient, most) in zip(NETWORKS, pairs, strict=True):
                gap = efficient["speedup"][FIGURE] - most["speedup"][FIGURE]
                if gap > 0:
                    names.append(f"{network} over {pipeline}")
                    gaps.append(gap)
                    free = [one["experiments"]["nothing_once_a_batch"] for one in (efficient, most)]
                    gaps_without.append(free[0] - free[1])
        if not names:
            return "MAX is ahead of Efficient everywhere."
        return (
            f"Efficient is ahead of MAX in {len(names)} of {len(PIPELINES) * len(NETWORKS)} runs, by {fmean(gaps):.4f} "
            f"in the mean, and with predictor and updates taken away by {fmean(gaps_without):.4f}: "
            f"{', '.join(names)}. A device does one operation at a time, so a stage's last prediction delays the next "
            "operation, and MAX's second array has half of the PEs (see figure 8 for alpha of VGG's linear layers)."
        )

    def _summary(self, found: Findings) -> Table:
        rows: list[tuple[Cell, ...]] = []
        for pipeline in PIPELINES:
            for design, label in DESIGNS.items():
                turn, whole = (self._speedups(found, pipeline, design, one) for one in (FIGURE, WHOLE))
                rows.append((pipeline, label, fmean(turn), min(turn), max(turn), fmean(whole), min(whole), max(whole)))
        columns = (
            "pipeline", "design", "GP and BP in turn: average", "least", "most", "whole run with Warm Up: average",
            "least", "most",
        )  # fmt: skip
        return Table("fig20-averages", "Speedups of thirteen networks", columns, tuple(rows))

    def _causes(self, found: Findings) -> Table:
        rows: list[tuple[Cell, ...]] = []
        for pipeline in PIPELINES:
            for design, label in DESIGNS.items():
                runs = self._runs(found, pipeline, design)
                rows.append((pipeline, label, *_experiments(runs)))
        columns = (
            "pipeline", "design", "as simulated", "no predictor, no updates", "and equal stages",
            "and backward twice forward",
        )  # fmt: skip
        title = "What is missing to the speedup in steps: averages, one cause after the other taken away"
        return Table("fig20-causes", title, columns, tuple(rows))

    def _rows(self, found: Findings) -> Table:
        rows: list[tuple[Cell, ...]] = []
        for pipeline in PIPELINES:
            for design in ("baseline", *DESIGNS):
                for network, run in zip(NETWORKS, self._runs(found, pipeline, design), strict=True):
                    kinds, more = run["kinds"], run["experiments"]
                    rows.append((
                        pipeline, network, design, run["cycles"][FIGURE], run["speedup"][FIGURE], run["cycles"][WHOLE],
                        run["speedup"][WHOLE], *more.values(), kinds["bp"]["cycles_alone"],
                        kinds["gp"]["cycles_in_a_row"] if "gp" in kinds else None,
                    ))  # fmt: skip
        columns = (
            "pipeline", "network", "design", "cycles, GP and BP in turn", "speedup", "cycles of the whole run",
            "its speedup", "speedup without predictor and updates", "and with equal stages",
            "and backward twice forward", "cycles of a BP batch", "cycles of one more GP batch",
        )  # fmt: skip
        return Table("fig20-speedup", "Every run", columns, tuple(rows), shown=False)

    def _draw(self, found: Findings, training: str) -> "Figure":
        from simulator.reproduce.charts import grouped_bars

        panels, marks = {}, {}
        for pipeline, (_, letter) in PIPELINES.items():
            title = f"({letter}) over {pipeline}" + (", whole run with Warm Up" if training == WHOLE else "")
            panels[title] = {
                label: [*values, fmean(values)]
                for design, label in DESIGNS.items()
                for values in [self._speedups(found, pipeline, design, training)]
            }
            paper = targets()["pipelines"][pipeline]["speedup"]
            marks[title] = [
                ("the paper's average of MAX", paper["average"]), ("the paper's largest of MAX", paper["max"]),
            ]  # fmt: skip
        return grouped_bars(panels, [*NETWORKS, "average"], "speedup", marks, floor=1.0)


def _experiments(runs: Sequence[dict[str, Plain]]) -> list[float]:
    """Return the mean speedup as simulated and in each experiment."""
    return [
        fmean(run["speedup"][FIGURE] for run in runs),
        *(fmean(run["experiments"][name] for run in runs) for name in runs[0]["experiments"]),
    ]


def _reason(runs: Sequence[dict[str, Plain]]) -> str:
    _, free, equal, steps = _experiments(runs)
    return (
        f"without predictor and updates {free:.3f}, with equal stages besides {equal:.3f}, with BW = 2 FW besides "
        f"{steps:.3f}"
    )


EXHIBIT = PipelineSpeedup()
