"""Figures 7 to 9: timelines of four equal layers, and what the paper's alpha is on the machine as it is."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from statistics import fmean
from typing import Any

from simulator.engine.batch import OpRun
from simulator.outputs.charts.chart import Box, BoxKind, Chart, Timeline, timelines
from simulator.reproduce.exhibit import Cell, Comparison, Exhibit, Table
from simulator.reproduce.jobs.job import Findings, Plain
from simulator.reproduce.jobs.layer_cycles import LayerCycles
from simulator.reproduce.page import PagedExhibit, page
from simulator.reproduce.paper import DESIGNS, targets
from simulator.studies.four_layers import ALPHAS, CYCLES_A_STEP, LAYERS, four_layers, paper_steps, steps_of
from workloads.passes import Pass
from workloads.schedule import Phase

MEASURED = ("efficient", "max")
ALPHA = "\N{GREEK SMALL LETTER ALPHA}"
DRAWN = Fraction(1, 4)  # alpha of the pictures: large enough to be seen
_BOXES: dict[Pass, tuple[BoxKind, str]] = {
    "forward": ("forward", "FW"), "dgrad": ("backward", "BW"), "wgrad": ("backward", "BW"),
    "predictor_forward": ("predictor's forward", ALPHA), "predictor_backward": ("predictor's backward", f"2{ALPHA}"),
}  # fmt: skip


class Baseline(PagedExhibit):
    """Figure 7: one batch, forward through all layers and then backward."""

    def make(self, found: Findings) -> Exhibit:
        """Return the timeline and its steps."""
        paper = targets()["timeline_4_layers"]
        one, two = (float(steps_of("baseline", ["bp"] * batches, Fraction(0))) for batches in (1, 2))
        return Exhibit(
            self.page.text(),
            (
                Comparison("steps of a batch", paper["baseline_steps_per_batch"], one, kind="identity"),
                Comparison("steps of two batches", paper["baseline_two_batches"], two, kind="identity"),
            ),
            (self.page.picture("timeline", _draw(["baseline"], ["bp"], Fraction(0))),),
        )


class Phases(PagedExhibit):
    """Rows of batches in a phase of ADA-GP, for several alphas, on each design."""

    def make(self, found: Findings) -> Exhibit:
        """Return the timelines and their steps for several alphas."""
        # LOW is drawn as Efficient would be: transfers, in which they differ, take no step here
        return Exhibit(
            self.text(found),
            tuple(one for row in self.page.constants["batches"] for one in _comparisons(row)),
            (self.page.picture("timeline", _draw(["efficient", "max"], self.page.constants["drawn"], DRAWN)),),
            self.tables(found),
        )

    def text(self, found: Findings) -> str:
        """Return the page's text."""
        return self.page.text()

    def tables(self, found: Findings) -> tuple[Table, ...]:
        """Return the steps of each row."""
        return tuple(_step_table(self.key, row) for row in self.page.constants["batches"])


class PhaseBp(Phases):
    """Figure 8, and alpha on our machine: the predictor's forward over its layer's."""

    def jobs(self) -> list[LayerCycles]:
        """Return the networks whose alpha is shown."""
        return [LayerCycles(trace, designs=("baseline", *MEASURED)) for trace in self.page.constants["traces"]]

    def text(self, found: Findings) -> str:
        """Return the page's text, with alpha of each network."""
        said = []
        for job in self.jobs():
            layers = _predicted(found[job]["efficient"])
            each, slower = _alphas(layers), _alphas(_predicted(found[job]["max"]))
            said.append(self.page.say(
                "alpha", trace=job.trace, mean=fmean(each), layers=len(each), least=min(each), most=max(each),
                whole=_whole(layers), above=sum(one >= 1 for one in each), slower=sum(one >= 1 for one in slower),
            ))  # fmt: skip
        return self.page.text(said="".join(said))

    def tables(self, found: Findings) -> tuple[Table, ...]:
        """Return alpha by network and design, the steps, and alpha of every layer."""
        runs = {(job.trace, design): found[job] for job in self.jobs() for design in MEASURED}
        layers = {cell: _predicted(run[cell[1]]) for cell, run in runs.items()}
        summary = (
            (trace, DESIGNS[design], *_summary(rows), *_steps(runs[trace, design], design))
            for (trace, design), rows in layers.items()
        )
        every = (
            (*cell, *row.values(), row["predictor_forward"] / row["forward"])
            for cell, rows in layers.items()
            for row in rows
        )
        return self.page.table("alpha", summary), *super().tables(found), self.page.table("alpha-layers", every)


def _predicted(run: Plain) -> list[dict[str, Any]]:
    """Return each layer with a predictor: its cycles in Phase BP, stalls included, by kind of pass."""
    return [
        {
            "layer": layer, "forward": passes["forward"], "backward": passes.get("dgrad", 0) + passes.get("wgrad", 0),
            "predictor_forward": passes["predictor_forward"], "predictor_backward": passes["predictor_backward"],
        }
        for layer, passes in run["phases"]["bp"]["layers"].items()
        if "predictor_forward" in passes
    ]  # fmt: skip


def _alphas(layers: Sequence[dict[str, Any]]) -> list[float]:
    return [layer["predictor_forward"] / layer["forward"] for layer in layers]


def _whole(layers: Sequence[dict[str, Any]]) -> float:
    """Return alpha of all layers together, weighted by their length."""
    return sum(layer["predictor_forward"] for layer in layers) / sum(layer["forward"] for layer in layers)


def _summary(layers: Sequence[dict[str, Any]]) -> tuple[Cell, ...]:
    each, backward = _alphas(layers), fmean(one["predictor_backward"] / one["predictor_forward"] for one in layers)
    return len(each), fmean(each), min(each), max(each), _whole(layers), backward


def _steps(run: Plain, design: str) -> list[float]:
    """Return a batch's cycles in BP and in GP, in twelfths of the baseline's batch: the paper's step."""
    step = run["baseline"]["phases"]["bp"]["cycles"]
    return [12 * run[design]["phases"][phase]["cycles"] / step for phase in ("bp", "gp")]


def _comparisons(row: Plain) -> list[Comparison]:
    formula = targets()["timeline_4_layers"][row["paper"]]
    return [
        Comparison(f"steps of {row['what']}, Efficient, alpha = {alpha}", float(paper_steps(formula, alpha)),
                   float(steps_of("efficient", row["phases"], alpha)), kind="identity")
        for alpha in ALPHAS
    ]  # fmt: skip


def _step_table(key: str, row: Plain) -> Table:
    """Return every design's steps beside the paper's formula and the one that holds for MAX, as exact fractions."""
    paper, by_hand = targets()["timeline_4_layers"][row["paper"]], row["by_hand"]
    rows: list[tuple[Cell, ...]] = []
    for alpha in ALPHAS:
        steps = {design: steps_of(design, row["phases"], alpha) for design in ("baseline", *DESIGNS)}
        exact = (alpha, steps["baseline"], steps["low"], steps["efficient"], paper_steps(paper, alpha), steps["max"],
                 paper_steps(by_hand, alpha))  # fmt: skip
        gains = [float(steps["baseline"] / steps[design]) for design in ("efficient", "max")]
        rows.append((*map(str, exact), *gains))
    columns = ("alpha", "baseline", "LOW", "Efficient", f"paper: {paper}", "MAX", f"by hand: {by_hand}",
               "speedup of Efficient", "of MAX")  # fmt: skip
    return Table(f"{key}-{row['table']}", f"Steps of {row['what']} as exact fractions", columns, tuple(rows))


def _draw(designs: Sequence[str], phases: Sequence[Any], alpha: Fraction) -> Chart:
    panels = []
    for design in designs:
        what = "" if design == "baseline" else f", {len(phases)} batches" if len(phases) > 1 else ", a batch"
        steps = float(steps_of(design, phases, alpha))
        title = f"{DESIGNS.get(design, 'Baseline')}{what}: {steps:g} steps" + (
            f" for {ALPHA} = {alpha}" if alpha else ""
        )
        panels.append(four_layer_timeline(title, design, phases, alpha))
    return timelines(panels)


def four_layer_timeline(title: str, design: str, phases: Sequence[Phase], alpha: Fraction) -> Timeline:
    """Return batches one after the other: a row a layer, the last on top as in the paper, one a second array."""
    boxes: list[Box] = []
    begin = Fraction(0)
    for batch, phase in enumerate(phases):
        run = four_layers(design, phase, alpha)
        boxes += [_box(op, begin, batch) for op in run.ops if op.cycles]
        begin += Fraction(run.cycles, CYCLES_A_STEP)
    rows = [f"layer {number}" for number in range(LAYERS, 0, -1)]
    if any(box.row == LAYERS for box in boxes):
        rows.append("second array")
    return Timeline(title, tuple(rows), tuple(_joined(boxes)))


def _box(op: OpRun, begin: Fraction, batch: int) -> Box:
    kind, label = _BOXES[op.task.pass_]
    if label in ("FW", "BW"):
        label += str(op.task.layer + 1)
    start, end = (float(begin + Fraction(cycle, CYCLES_A_STEP)) for cycle in (op.start_cycle, op.end_cycle))
    row = LAYERS if op.array else LAYERS - 1 - op.task.layer  # beside the layers: it runs at the same time
    return Box(row, start, end, kind, label, batch)


def _joined(boxes: Sequence[Box]) -> list[Box]:
    """Return boxes with the two halves of a backward pass as one."""
    joined: list[Box] = []
    for box in sorted(boxes, key=lambda box: (box.batch, box.row, box.start)):
        last = joined[-1] if joined else box
        if (last.batch, last.row, last.label, last.end) == (box.batch, box.row, box.label, box.start):
            joined[-1] = replace(last, end=box.end)
        else:
            joined.append(box)
    return joined


EXHIBITS = (Baseline(page("fig7")), PhaseBp(page("fig8")), Phases(page("fig9")))
