"""Baseline: the accelerator without ADA-GP; a batch that trains is backpropagation and there is no predictor."""

from collections.abc import Sequence

from simulator.phases.design import Component, Step, tasks
from simulator.phases.stages import BACKPROPAGATION, PHASE_RULES, Stage
from workloads.schedule import Phase


class Baseline:
    """Forward of all layers, then dgrad, wgrad and update from the last layer to the first."""

    name = "baseline"
    description = "backpropagation in every training batch, no predictor"
    rank = 0
    components: frozenset[Component] = frozenset()
    predictor_home = None

    def runs_as(self, phase: Phase) -> Phase:
        """Return Phase BP: the baseline knows no other batch that trains."""
        return BACKPROPAGATION if PHASE_RULES[phase].trains else phase

    def steps(self, stages: Sequence[Stage]) -> list[Step]:
        """Return a step a stage, without the predictor's passes."""
        return [Step(tasks(stage, stage.main)) for stage in stages]


DESIGN = Baseline()
