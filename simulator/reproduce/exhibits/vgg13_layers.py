"""Figure 16: VGG13 layer by layer under ADA-GP-Efficient, by phase, beside the baseline."""

from collections.abc import Sequence

from simulator.outputs.charts.chart import Chart, Stacks
from simulator.reproduce.exhibit import Exhibit
from simulator.reproduce.jobs.job import Findings, Plain
from simulator.reproduce.jobs.layer_cycles import LayerCycles
from simulator.reproduce.page import PagedExhibit, page
from simulator.reproduce.paper import trace_name

# As figure 8 has them.
JOBS = {
    dataset: LayerCycles(trace_name("VGG13", dataset), designs=("baseline", "efficient", "max"))
    for dataset in ("CIFAR10", "ImageNet")
}
PHASES = {"warm_up": "Warm Up", "bp": "Phase BP", "gp": "Phase GP"}


class LayerRun:
    """Cycles of one layer in the whole run: the baseline's, Efficient's by phase, and of these the predictor's.

    `ratio` is a baseline batch's backward, with the update, over its forward; `without_predictor` is the speedup had
    the predictor cost nothing.
    """

    def __init__(self, layer: str, found: Plain) -> None:
        def cycles(phase: Plain, kind: str = "") -> int:
            passes = phase["layers"][layer].items()
            return int(phase["batches"] * sum(cycles for name, cycles in passes if name.startswith(kind)))

        own, base = found["efficient"]["phases"], found["baseline"]["phases"]
        passes = base["bp"]["layers"][layer]
        self.layer = layer
        self.baseline = sum(map(cycles, base.values()))
        self.phases = {name: cycles(phase) for name, phase in own.items()}
        self.efficient = sum(self.phases.values())
        self.predictor = sum(cycles(phase, "predictor") for phase in own.values())
        self.predictor_share = self.predictor / self.efficient
        self.ratio = (sum(passes.values()) - passes["forward"]) / passes["forward"]
        self.speedup = self.baseline / self.efficient
        self.without_predictor = self.baseline / (self.efficient - self.predictor)


def layer_runs(found: Plain) -> list[LayerRun]:
    """Return every layer in the order of the forward pass."""
    return [LayerRun(layer, found) for layer in found["baseline"]["phases"]["bp"]["layers"]]


class Vgg13Layers(PagedExhibit):
    """Stacked bars for each layer; the paper gives no heights, so there is no number to compare."""

    requires = tuple(JOBS.values())

    def make(self, found: Findings) -> Exhibit:
        """Return the bars, and every layer's cycles."""
        runs = {dataset: layer_runs(found[job]) for dataset, job in JOBS.items()}
        totals = {dataset: sum(one.baseline for one in layers) for dataset, layers in runs.items()}
        every = [(dataset, one) for dataset, layers in runs.items() for one in layers]
        speedups = (
            (dataset, one.layer, one.baseline / totals[dataset], one.ratio, one.predictor_share, one.speedup,
             one.without_predictor)
            for dataset, one in every
        )  # fmt: skip
        cycles = (
            (dataset, one.layer, one.baseline, *(one.phases[phase] for phase in PHASES), one.predictor)
            for dataset, one in every
        )
        return Exhibit(
            self.page.text(layers="\n\n".join(self._said(dataset, layers) for dataset, layers in runs.items())),
            pictures=(self.page.picture("vgg13", _draw(runs)),),
            tables=(self.page.table("speedups", speedups), self.page.table("vgg13", cycles)),
        )

    def _said(self, dataset: str, layers: Sequence[LayerRun]) -> str:
        total, own = sum(one.baseline for one in layers), sum(one.efficient for one in layers)
        largest = max(layers, key=lambda layer: layer.baseline)
        said = self.page.say(
            "layers", dataset=dataset, gain=total / own, share=sum(one.predictor for one in layers) / own,
            best=max(layers, key=lambda layer: layer.speedup), worst=min(layers, key=lambda layer: layer.speedup),
            first=layers[0], largest=largest, largest_share=largest.baseline / total,
        )  # fmt: skip
        slower = [one for one in layers if one.speedup < 1]
        if slower:
            share = 100 * sum(one.baseline for one in slower) / total
            said += self.page.say("slower", listed=", ".join(one.layer for one in slower), share=share)
        return said


def _draw(runs: dict[str, list[LayerRun]]) -> Chart:
    panels = [
        Stacks(
            f"VGG13, {dataset}; the number is the layer's speedup", "cycles of the run, 10^12",
            [one.layer for one in layers], "baseline", [one.baseline / 1e12 for one in layers], "efficient",
            {f"Efficient, {name}": [one.phases[phase] / 1e12 for one in layers] for phase, name in PHASES.items()},
            [f"{one.speedup:.2f}x" for one in layers],
        ) for dataset, layers in runs.items()
    ]  # fmt: skip
    return Chart(panels)


EXHIBITS = (Vgg13Layers(page("fig16")),)
