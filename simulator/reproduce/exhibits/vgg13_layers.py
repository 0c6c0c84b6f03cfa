"""Figure 16: VGG13 layer by layer under ADA-GP-Efficient, by phase, beside the baseline."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.reproduce.exhibit import Cell, Exhibit, Picture, Table
from simulator.reproduce.job import Findings, Plain
from simulator.reproduce.jobs.layer_cycles import LayerCycles
from simulator.reproduce.paper import trace_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DATASETS = ("CIFAR10", "ImageNet")
PHASES = {"warm_up": "Warm Up", "bp": "Phase BP", "gp": "Phase GP"}


@dataclass(frozen=True, slots=True)
class LayerRun:
    """Cycles of one layer in the whole run: the baseline's, Efficient's by phase, and of these the predictor's.

    Attributes
    ----------
    forward, backward : int
        Of a baseline batch; backward with the update.
    """

    layer: str
    baseline: int
    phases: dict[str, int]
    predictor: int
    forward: int
    backward: int

    @property
    def efficient(self) -> int:
        """Cycles under Efficient."""
        return sum(self.phases.values())

    @property
    def speedup(self) -> float:
        """The baseline's cycles over Efficient's."""
        return self.baseline / self.efficient

    @property
    def speedup_without_predictor(self) -> float:
        """As `speedup`, had the predictor cost nothing."""
        return self.baseline / (self.efficient - self.predictor)

    @property
    def predictor_share(self) -> float:
        """Share of the predictor in Efficient's cycles."""
        return self.predictor / self.efficient


def layer_runs(found: Plain) -> list[LayerRun]:
    """Return every layer in the order of the forward pass."""
    own, base = found["efficient"]["phases"], found["baseline"]["phases"]
    runs = []
    for layer, passes in base["bp"]["layers"].items():
        runs.append(LayerRun(
            layer=layer,
            baseline=sum(one["batches"] * sum(one["layers"][layer].values()) for one in base.values()),
            phases={name: one["batches"] * sum(one["layers"][layer].values()) for name, one in own.items()},
            predictor=sum(
                one["batches"] * cycles
                for one in own.values()
                for name, cycles in one["layers"][layer].items()
                if name.startswith("predictor")
            ),
            forward=passes["forward"],
            backward=sum(cycles for name, cycles in passes.items() if name != "forward"),
        ))  # fmt: skip
    return runs


@dataclass(frozen=True)
class Vgg13Layers:
    """Stacked bars for each layer; the paper gives no heights, so there is no number to compare."""

    key: str = "fig16"
    rank: int = 160
    title: str = "Figure 16: VGG13 layer by layer, ADA-GP-Efficient"

    def jobs(self) -> list[LayerCycles]:
        """Return Efficient and the baseline on the two data sets."""
        return [_job(dataset) for dataset in DATASETS]

    def make(self, found: Findings) -> Exhibit:
        """Return the bars, and every layer's cycles."""
        runs = {dataset: layer_runs(found[_job(dataset)]) for dataset in DATASETS}
        return Exhibit(
            text="\n\n".join((
                "Cycles of the whole run by layer, weight stationary. The paper's figure has bars without numbers.",
                *(_text(dataset, layers) for dataset, layers in runs.items()),
            )),
            pictures=(
                Picture(
                    "fig16-vgg13",
                    "For each layer of VGG13 a bar of the baseline's cycles, and one of Efficient's by phase",
                    lambda: _draw(runs),
                ),
            ),
            tables=(
                Table(
                    "fig16-speedups", "What each layer gains",
                    ("data set", "layer", "share of the baseline", "backward over forward", "predictor's share",
                     "speedup", "speedup with a free predictor"),
                    tuple(_speedups(runs)), digits=4,
                ),
                Table(
                    "fig16-vgg13", "Cycles of each layer",
                    ("data set", "layer", "baseline", *PHASES.values(), "of these the predictor's"),
                    tuple(_cycles(runs)), shown=False,
                ),
            ),
        )  # fmt: skip


def _job(dataset: str) -> LayerCycles:
    return LayerCycles(trace_name("VGG13", dataset), designs=("baseline", "efficient"))


def _text(dataset: str, layers: list[LayerRun]) -> str:
    best = max(layers, key=lambda layer: layer.speedup)
    worst = min(layers, key=lambda layer: layer.speedup)
    largest = max(layers, key=lambda layer: layer.baseline)
    total = sum(layer.baseline for layer in layers)
    own = sum(layer.efficient for layer in layers)
    slower = [layer.layer for layer in layers if layer.speedup < 1]
    first = layers[0]
    ratio = {one.layer: one.backward / one.forward for one in layers}
    share = sum(one.predictor for one in layers) / own
    text = (
        f"**{dataset}.** The run gains {total / own:.3f}; its predictor takes {share:.1%} of it. {best.layer} gains "
        f"most, {best.speedup:.3f}: the predictor is {best.predictor_share:.2%} of its cycles, its backward "
        f"{ratio[best.layer]:.2f} of its forward. {worst.layer} gains least, {worst.speedup:.3f}: the predictor is "
        f"{worst.predictor_share:.1%}; with a free one it would gain {worst.speedup_without_predictor:.3f}. "
        f"{first.layer} needs no gradient of its input, so its backward is {ratio[first.layer]:.2f} of its forward "
        f"and a free predictor would bring {first.speedup_without_predictor:.3f}. {largest.layer} is the largest, "
        f"{largest.baseline / total:.1%} of the baseline."
    )
    if slower:
        share = sum(layer.baseline for layer in layers if layer.speedup < 1) / total
        text += f" Slower than the baseline: {', '.join(slower)}, together {100 * share:.2g} % of its cycles."
    return text


def _speedups(runs: dict[str, list[LayerRun]]) -> Iterator[tuple[Cell, ...]]:
    for dataset, layers in runs.items():
        total = sum(one.baseline for one in layers)
        for one in layers:
            yield (dataset, one.layer, one.baseline / total, one.backward / one.forward, one.predictor_share,
                   one.speedup, one.speedup_without_predictor)  # fmt: skip


def _cycles(runs: dict[str, list[LayerRun]]) -> Iterator[tuple[Cell, ...]]:
    for dataset, layers in runs.items():
        for one in layers:
            yield (dataset, one.layer, one.baseline, *(one.phases[phase] for phase in PHASES), one.predictor)


def _draw(runs: dict[str, list[LayerRun]]) -> "Figure":
    import matplotlib.pyplot as plt
    import numpy as np

    from simulator.reproduce.charts import BLUE, GREEN, GREY, ORANGE, legend, tidy

    figure, grid = plt.subplots(len(runs), 1, figsize=(11, 3.6 * len(runs)), layout="constrained", squeeze=False)
    for axes, (dataset, layers) in zip(grid[:, 0], runs.items(), strict=True):
        places, width = np.arange(len(layers)), 0.4
        axes.bar(places - width / 2, [one.baseline / 1e12 for one in layers], width, color=GREY, label="baseline")
        bottom = np.zeros(len(layers))
        for (phase, name), colour in zip(PHASES.items(), (BLUE, ORANGE, GREEN), strict=True):
            heights = np.array([one.phases[phase] / 1e12 for one in layers])
            axes.bar(places + width / 2, heights, width, bottom=bottom, color=colour, label=f"Efficient, {name}")
            bottom += heights
        for place, one in zip(places, layers, strict=True):
            top = max(one.baseline, one.efficient) / 1e12
            axes.annotate(f"{one.speedup:.2f}x", (place, top), (0, 3), textcoords="offset points", ha="center",
                          fontsize=8)  # fmt: skip
        axes.margins(y=0.12)
        axes.set_title(f"VGG13, {dataset}; the number is the layer's speedup", fontsize=10)
        axes.set_ylabel("cycles of the run, 10^12")
        axes.set_xticks(places, [one.layer for one in layers], rotation=30, ha="right")
        tidy(axes)
    legend(figure, grid[:, 0])
    return figure


EXHIBIT = Vgg13Layers()
