"""The exhibits of figures 10 to 12: ADA-GP over a pipeline schedule, four devices, four micro-batches, in steps."""

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from simulator.reproduce.exhibit import Cell, Comparison, Exhibit, Picture, Table
from simulator.reproduce.job import Findings, Job
from simulator.reproduce.paper import targets
from simulator.reproduce.timelines import Timeline
from simulator.reproduce.unit_pipelines import BatchPhase, unit_run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROWS: tuple[tuple[BatchPhase, ...], ...] = (
    ("bp",), ("gp",), ("gp", "gp"), ("gp", "gp", "gp"), ("bp", "bp"), ("gp", "bp"), ("bp", "gp"), ("bp", "gp", "gp"),
    ("bp", "gp", "bp"), ("bp", "gp", "gp", "bp"),
)  # fmt: skip


@dataclass(frozen=True)
class PipelineTimeline:
    """One pipeline schedule; `name` is the paper's, `schedule` the shipped one's."""

    key: str
    rank: int
    name: str
    schedule: str
    title: str

    def jobs(self) -> list[Job]:
        """Return nothing: steps take no simulating."""
        return []

    def make(self, found: Findings) -> Exhibit:
        """Return the phases and their changes as timelines, and the steps that the paper counts."""
        paper = targets()["pipelines"]
        one, two = paper[self.name]["steps_per_batch"], paper[self.name]["steps_two_batches_gp_to_bp"]
        delay = paper["phase_change_extra_delay"]
        return Exhibit(
            text=self._text(),
            comparisons=(
                Comparison("steps of a batch in Phase BP", one, self._steps("bp"), digits=0),
                Comparison("steps of two batches, GP then BP", two, self._steps("gp", "bp"), digits=0),
                Comparison("steps that the change from BP to GP adds", delay, self.delay_to_gp(), digits=0),
                Comparison("steps that the change from GP to BP adds", delay, self.delay_to_bp(), digits=0),
            ),
            pictures=(
                Picture(
                    f"{self.key}-timeline",
                    f"Four devices under {self.name}: a batch in Phase BP, three in Phase GP, BP then GP, GP then BP",
                    self._draw,
                ),
            ),
            tables=(self._table(),),
        )

    def delay_to_gp(self) -> int:
        """Return what two GP batches take behind a BP batch beyond what they take alone."""
        return self._steps("bp", "gp", "gp") - self._steps("bp") - self._steps("gp", "gp")

    def delay_to_bp(self) -> int:
        """Return what a BP batch behind two GP batches takes beyond a row of GP batches and a BP batch alone."""
        pace = self._steps("gp", "gp", "gp") - self._steps("gp", "gp")
        return self._steps("gp", "gp", "bp") - 2 * pace - self._steps("bp")

    def _steps(self, *phases: BatchPhase) -> int:
        return unit_run(self.schedule, phases).steps

    def _text(self) -> str:
        pace = self._steps("gp", "gp", "gp") - self._steps("gp", "gp")
        before, after = self._steps("bp", "bp"), self._steps("gp", "bp")
        ratio = Fraction(before, after)
        return (
            "Unit steps: a stage's forward of a micro-batch takes one, its backward two; predictor and links are free. "
            f"A GP batch enters a stage as soon as the batch before has left it, so each more of them takes "
            f"{pace} steps and no device idles between them. Two BP batches take {before} steps, GP and BP {after}: "
            f"{before}/{after} = {float(ratio):.2f}, which is figure 20's largest speedup.\n\n"
            "A change of phase adds nothing: BP, then n GP batches, then BP takes two BP batches and "
            f"{pace} n steps. Synchronisation: a GP batch has no flush and half of the messages (nothing comes back), "
            "so a 1:1 schedule has half of the flushes, as the paper says, and three quarters of the messages."
        )

    def timelines(self) -> tuple[Timeline, ...]:
        """Return the panels of the picture."""
        panels: tuple[tuple[str, tuple[BatchPhase, ...]], ...] = (
            ("(a) Phase BP", ("bp",)), ("(b) Phase GP, three batches", ("gp", "gp", "gp")),
            ("(c) from Phase BP to Phase GP", ("bp", "gp", "gp")), ("(d) from Phase GP to Phase BP", ("gp", "bp")),
        )  # fmt: skip
        runs = [(title, unit_run(self.schedule, phases)) for title, phases in panels]
        return tuple(run.timeline(f"{title}: {run.steps} steps") for title, run in runs)

    def _table(self) -> Table:
        rows: list[tuple[Cell, ...]] = []
        for phases in ROWS:
            run = unit_run(self.schedule, phases)
            rows.append((" ".join(phase.upper() for phase in phases), run.steps, run.flushes, run.messages,
                         run.idle_share))  # fmt: skip
        columns = ("batches", "steps", "flushes", "messages", "idle share of the devices")
        return Table(f"{self.key}-steps", "Rows of batches on idle devices", columns, tuple(rows))

    def _draw(self) -> "Figure":
        from simulator.reproduce.gantt import gantt

        return gantt(self.timelines())
