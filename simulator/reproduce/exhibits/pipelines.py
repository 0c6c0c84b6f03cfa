"""Figures 10 to 12: ADA-GP over a pipeline schedule, four devices, four micro-batches, in steps."""

from fractions import Fraction

from simulator.outputs.charts.chart import Box, BoxKind, Chart, Timeline, timelines
from simulator.reproduce.exhibit import Comparison, Exhibit
from simulator.reproduce.jobs.job import Findings
from simulator.reproduce.page import PagedExhibit, pages
from simulator.reproduce.paper import targets
from simulator.studies.unit_pipelines import DEVICES, MICRO_BATCHES, BatchPhase, UnitRun, unit_run

ROWS = ("bp", "gp", "gp gp", "gp gp gp", "bp bp", "gp bp", "bp gp", "bp gp gp", "bp gp bp", "bp gp gp bp")
# In each panel of the picture a row of batches.
PANELS = {
    "(a) Phase BP": "bp", "(b) Phase GP, three batches": "gp gp gp", "(c) from Phase BP to Phase GP": "bp gp gp",
    "(d) from Phase GP to Phase BP": "gp bp",
}  # fmt: skip
_DELAY = "phase_change_extra_delay"


class PipelineTimeline(PagedExhibit):
    """One pipeline schedule; the page has the paper's name of it, and the shipped one's."""

    def make(self, found: Findings) -> Exhibit:
        """Return the phases and their changes as timelines, and the steps that the paper counts."""
        paper, delay = targets()["pipelines"][self.page.constants["name"]], targets()["pipelines"][_DELAY]
        runs = {batches: self._run(batches) for batches in (*ROWS, "gp gp bp")}
        steps = {batches: run.steps for batches, run in runs.items()}
        pace = steps["gp gp gp"] - steps["gp gp"]
        numbers = {
            "steps of a batch in Phase BP": (paper["steps_per_batch"], steps["bp"]),
            "steps of two batches, GP then BP": (paper["steps_two_batches_gp_to_bp"], steps["gp bp"]),
            # what two GP batches take behind a BP batch beyond what they take alone
            "steps that the change from BP to GP adds": (delay, steps["bp gp gp"] - steps["bp"] - steps["gp gp"]),
            # what a BP batch behind two GP batches takes beyond a row of GP batches and a BP batch alone
            "steps that the change from GP to BP adds": (delay, steps["gp gp bp"] - 2 * pace - steps["bp"]),
        }
        before, after = steps["bp bp"], steps["gp bp"]
        shown = ((batches.upper(), runs[batches]) for batches in ROWS)
        rows = ((batches, run.steps, run.flushes, run.messages, run.idle_share) for batches, run in shown)
        return Exhibit(
            self.page.text(pace=pace, before=before, after=after, ratio=float(Fraction(before, after))),
            tuple(Comparison(what, *pair, digits=0, kind="identity") for what, pair in numbers.items()),
            (self.page.picture("timeline", self._draw()),),
            (self.page.table("steps", rows),),
        )

    def _run(self, batches: str) -> UnitRun:
        phases: list[BatchPhase] = ["gp" if phase == "gp" else "bp" for phase in batches.split()]
        return unit_run(self.page.constants["schedule"], phases)

    def _draw(self) -> Chart:
        runs = {title: self._run(batches) for title, batches in PANELS.items()}
        return timelines([timeline(f"{title}: {run.steps} steps", run) for title, run in runs.items()])


def timeline(title: str, run: UnitRun) -> Timeline:
    """Return a row a device; the numbers in the boxes are micro-batches, counted on over the batches."""
    boxes = []
    for done in run.run.executions:
        one = run.programmes[done.batch].placed[done.index]
        kind: BoxKind = "backward"
        if one.operation.kind == "forward":
            kind = "forward, Phase GP" if run.phases[done.batch] == "gp" else "forward, Phase BP"
        label = str(done.batch * MICRO_BATCHES + one.operation.micro_batch + 1)
        boxes.append(Box(one.device, done.start_cycle, done.end_cycle, kind, label, done.batch))
    return Timeline(title, tuple(f"device {device + 1}" for device in range(DEVICES)), tuple(boxes))


EXHIBITS = tuple(PipelineTimeline(one) for one in pages("pipelines"))
