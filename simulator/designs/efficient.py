"""ADA-GP-Efficient (paper, figure 14b): one array, and a memory that keeps the predictor's weights."""

from collections.abc import Sequence

from simulator.phases.design import Component, Step, tasks
from simulator.phases.stages import Stage
from workloads.schedule import Phase


class Efficient:
    """The predictor runs on the one array after the layer, with its weights at hand."""

    name = "efficient"
    description = "one array; the predictor runs after the layer from its own SRAM"
    rank = 2
    components: frozenset[Component] = frozenset({"predictor_sram"})
    predictor_home = "predictor_sram"

    def runs_as(self, phase: Phase) -> Phase:
        """Return the phase itself."""
        return phase

    def steps(self, stages: Sequence[Stage]) -> list[Step]:
        """Return a step a stage: the layer, then the predictor."""
        return [Step(tasks(stage, (*stage.main, *stage.predictor))) for stage in stages]


DESIGN = Efficient()
