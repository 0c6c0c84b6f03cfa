"""Figure 7: the baseline's timeline of four layers."""

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from simulator.reproduce.exhibit import Comparison, Exhibit, Picture
from simulator.reproduce.four_layers import four_layer_timeline, steps_of
from simulator.reproduce.job import Findings, Job
from simulator.reproduce.paper import targets

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class BaselineTimeline:
    """One batch, forward through all layers and then backward."""

    key: str = "fig7"
    rank: int = 70
    title: str = "Figure 7: timeline of the baseline, four layers"

    def jobs(self) -> list[Job]:
        """Return nothing: four layers take no time."""
        return []

    def make(self, found: Findings) -> Exhibit:
        """Return the timeline and its steps."""
        paper = targets()["timeline_4_layers"]
        one, two = (float(steps_of("baseline", ["bp"] * batches, Fraction(0))) for batches in (1, 2))
        return Exhibit(
            text=(
                "Four equal layers through the engine as any network: design, steps between barriers, step kernel. A "
                "layer's forward takes one step and its backward two (dgrad and wgrad one each); memory and weight "
                "updates take none."
            ),
            comparisons=(
                Comparison("steps of a batch", paper["baseline_steps_per_batch"], one),
                Comparison("steps of two batches", paper["baseline_two_batches"], two),
            ),
            pictures=(
                Picture("fig7-timeline", "Four layers forward in a step each, then backward in two each", self._draw),
            ),
        )

    def _draw(self) -> "Figure":
        from simulator.reproduce.gantt import gantt

        steps = steps_of("baseline", ["bp"], Fraction(0))
        return gantt([four_layer_timeline(f"Baseline: {steps} steps", "baseline", ["bp"], Fraction(0))])


EXHIBIT = BaselineTimeline()
