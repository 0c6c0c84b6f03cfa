"""The kinds of batches: what each does, and how it compares with the others. Nothing else knows a phase by its name."""

from collections.abc import Callable
from dataclasses import dataclass

from simulator.phases.stages import LayerFacts, Stage, backpropagation, decoupled, gradient_prediction
from workloads.schedule import Phase


@dataclass(frozen=True, slots=True)
class PhaseRules:
    """What a batch of one phase does (paper, sections 3.2 to 3.4).

    Attributes
    ----------
    title : str
        Its name in tables and pictures.
    stages : callable
        Returns the stages of a batch for the facts of each layer.
    same_as : str
        The phase whose batches are equal to this one's by definition; its own name where there is none.
    ideal_steps : int
        Steps of one layer where backward takes twice forward and the predictor costs nothing (paper, section 3.7).
    goes_backward : bool
        Whether true gradients are computed. Then the forward pass keeps its outputs for them.
    trains_predictor : bool
        Whether the predictor is trained. Then a batch keeps its predictions to compare them with the true gradients.
    """

    title: str
    stages: Callable[[list[LayerFacts]], list[Stage]]
    same_as: Phase
    ideal_steps: int
    goes_backward: bool
    trains_predictor: bool


BACKPROPAGATION: Phase = "bp"  # what an accelerator without a predictor does in every batch
PHASE_RULES: dict[Phase, PhaseRules] = {
    "warm_up": PhaseRules("Warm Up", backpropagation, "bp", 3, goes_backward=True, trains_predictor=True),
    "bp": PhaseRules("Phase BP", backpropagation, "bp", 3, goes_backward=True, trains_predictor=True),
    "gp": PhaseRules("Phase GP", gradient_prediction, "gp", 1, goes_backward=False, trains_predictor=False),
    "dni": PhaseRules("DNI", decoupled, "dni", 3, goes_backward=True, trains_predictor=True),
}


def stages_of(facts: list[LayerFacts], phase: Phase) -> list[Stage]:
    """Return the stages of one batch in a phase."""
    return PHASE_RULES[phase].stages(facts)
