"""Figure 8: four layers in Phase BP, and what its alpha is on our machine."""

from dataclasses import dataclass

from simulator.reproduce.exhibit import Exhibit, Picture
from simulator.reproduce.four_layer_phases import draw_phases, step_comparisons, step_table
from simulator.reproduce.job import Findings
from simulator.reproduce.jobs.predictor_share import PredictorShare
from simulator.reproduce.measured_alpha import JOBS, alpha_text, layer_table, summary_table
from simulator.reproduce.paper import targets


@dataclass(frozen=True)
class PhaseBpTimeline:
    """One batch of Phase BP: the predictor runs after each forward and is trained after each backward."""

    key: str = "fig8"
    rank: int = 80
    title: str = "Figure 8: timeline of ADA-GP in Phase BP, four layers"

    def jobs(self) -> list[PredictorShare]:
        """Return the networks whose alpha is told."""
        return list(JOBS)

    def make(self, found: Findings) -> Exhibit:
        """Return the timelines, their steps for several alphas, and alpha as it is."""
        formula = targets()["timeline_4_layers"]["phase_bp_steps_per_batch"]
        return Exhibit(
            text=(
                "As figure 7; the predictor's forward takes alpha steps, its backward 2 alpha. The paper's 12 + 12 "
                "alpha is the timeline of one array (LOW, Efficient). MAX runs a layer's predictor on its second array "
                "beside the next layer, so all but the last layer's backward is hidden: 12 + 2 alpha, as long as "
                f"alpha is at most 1.\n\n{alpha_text(found)}"
            ),
            comparisons=tuple(step_comparisons("a batch in Phase BP", ["bp"], formula)),
            pictures=(
                Picture(
                    "fig8-timeline",
                    "Four layers in Phase BP: on Efficient the predictor between the layers, on MAX beside them",
                    lambda: draw_phases(["bp"]),
                ),
            ),
            tables=(
                summary_table("fig8-alpha", found),
                step_table("fig8-steps", "a batch in Phase BP", ["bp"], formula, "12 + 2*alpha"),
                layer_table("fig8-alpha-layers", found),
            ),
        )


EXHIBIT = PhaseBpTimeline()
