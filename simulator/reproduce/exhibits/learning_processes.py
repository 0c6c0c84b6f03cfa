"""Figure 3: gradient descent, its stochastic and its mini-batch form, and ADA-GP on four equal layers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from simulator.outputs.charts.chart import Timeline, timelines
from simulator.reproduce.exhibit import Cell, Exhibit
from simulator.reproduce.exhibits.four_layers import DRAWN, four_layer_timeline
from simulator.reproduce.jobs.job import Findings
from simulator.reproduce.page import PagedExhibit, page
from simulator.studies.four_layers import CYCLES_A_STEP, LAYERS, four_layers
from workloads.schedule import Phase


@dataclass(frozen=True, slots=True)
class Process:
    """A learning process: its name, the inputs of a batch, and the design and phase in which batches run."""

    name: str
    batch: int
    design: str
    phase: Phase

    @property
    def alpha(self) -> Fraction:
        """Predictor's forward over a layer's; nothing without a predictor."""
        return Fraction(0) if self.design == "baseline" else DRAWN

    def steps(self) -> Fraction:
        """Return the steps of a batch, an input's forward through a layer being one."""
        return self._scaled(four_layers(self.design, self.phase, self.alpha).cycles)

    def updates(self) -> list[Fraction]:
        """Return for each layer the step of a batch in which its weights change."""
        ops = four_layers(self.design, self.phase, self.alpha).ops
        found = {op.task.layer: op.end_cycle for op in ops if op.task.pass_ == "update"}
        return [self._scaled(found[layer]) for layer in range(LAYERS)]

    def timeline(self, batches: int) -> Timeline:
        """Return so many batches one after the other."""
        one = four_layer_timeline("", self.design, [self.phase] * batches, self.alpha)
        boxes = tuple(replace(box, start=box.start * self.batch, end=box.end * self.batch) for box in one.boxes)
        title = f"{self.name}: {float(batches * self.steps()):g} steps, {batches} updates of each layer"
        return replace(one, title=title, boxes=boxes)

    def _scaled(self, cycles: int) -> Fraction:
        return Fraction(cycles * self.batch, CYCLES_A_STEP)


class LearningProcesses(PagedExhibit):
    """Timelines of the processes of the page, and when weights change in each."""

    def make(self, found: Findings) -> Exhibit:
        """Return the timelines and the table of updates."""
        inputs = self.page.constants["inputs"]
        processes = [Process(**entry) for entry in self.page.constants["processes"]]
        *_, mini, ada_gp = processes
        return Exhibit(
            self.page.text(
                steps=float(inputs // mini.batch * mini.steps()), first=float(ada_gp.updates()[0]),
                first_mini=float(mini.updates()[0]), alpha=str(ada_gp.alpha),
            ),
            pictures=(
                self.page.picture("timeline", timelines([one.timeline(inputs // one.batch) for one in processes])),
            ),
            tables=(self.page.table("updates", _rows(processes, inputs)),),
        )  # fmt: skip


def _rows(processes: Sequence[Process], inputs: int) -> list[tuple[Cell, ...]]:
    rows: list[tuple[Cell, ...]] = []
    for one in processes:
        batches, updates = inputs // one.batch, one.updates()
        rows.append((one.name, one.batch, batches, float(batches * one.steps()), batches, float(updates[0]),
                     float(updates[-1])))  # fmt: skip
    return rows


EXHIBITS = (LearningProcesses(page("fig3")),)
