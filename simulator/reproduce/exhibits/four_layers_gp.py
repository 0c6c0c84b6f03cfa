"""Figure 9: four layers in Phase GP, and two batches against the baseline's."""

from dataclasses import dataclass

from simulator.reproduce.exhibit import Exhibit, Picture
from simulator.reproduce.four_layer_phases import draw_phases, step_comparisons, step_table
from simulator.reproduce.job import Findings, Job
from simulator.reproduce.paper import targets


@dataclass(frozen=True)
class PhaseGpTimeline:
    """Batches of Phase GP: a layer's weights are updated by the prediction, nothing goes backward."""

    key: str = "fig9"
    rank: int = 90
    title: str = "Figure 9: timeline of ADA-GP in Phase GP, four layers"

    def jobs(self) -> list[Job]:
        """Return nothing: four layers take no time."""
        return []

    def make(self, found: Findings) -> Exhibit:
        """Return the timelines and their steps for several alphas."""
        paper = targets()["timeline_4_layers"]
        one, two = paper["phase_gp_steps_per_batch"], paper["adagp_two_batches"]
        return Exhibit(
            text=(
                "As figure 8. A batch of Phase GP takes 4 + 4 alpha on one array and 4 + alpha on MAX, whose last "
                "prediction has no layer to hide behind. One BP and one GP batch take 16 + 16 alpha where the baseline "
                "takes 24: a speedup of 1.5 at most, and none from alpha = 1/2 on; on MAX they take 16 + 3 alpha."
            ),
            comparisons=(
                *step_comparisons("a batch in Phase GP", ["gp"], one),
                *step_comparisons("two batches, BP and GP", ["bp", "gp"], two),
            ),
            pictures=(
                Picture(
                    "fig9-timeline",
                    "Two batches of four layers in Phase GP: on Efficient and on MAX",
                    lambda: draw_phases(["gp", "gp"]),
                ),
            ),
            tables=(
                step_table("fig9-steps", "a batch in Phase GP", ["gp"], one, "4 + 1*alpha"),
                step_table("fig9-two-batches", "two batches, BP and GP", ["bp", "gp"], two, "16 + 3*alpha"),
            ),
        )


EXHIBIT = PhaseGpTimeline()
