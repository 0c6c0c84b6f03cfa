"""Baseline: the accelerator without ADA-GP; every batch is backpropagation and there is no predictor."""

from collections.abc import Sequence

from simulator.phases.design import Component, Step, tasks
from simulator.phases.phase import BACKPROPAGATION
from simulator.phases.stages import Stage
from workloads.schedule import Phase


class Baseline:
    """Forward of all layers, then dgrad, wgrad and update from the last layer to the first."""

    name = "baseline"
    description = "backpropagation in every batch, no predictor"
    rank = 0
    components: frozenset[Component] = frozenset()
    predictor_home = None

    def runs_as(self, phase: Phase) -> Phase:
        """Return bp: the baseline knows no other batch."""
        return BACKPROPAGATION

    def steps(self, stages: Sequence[Stage]) -> list[Step]:
        """Return a step a stage, without the predictor's passes."""
        return [Step(tasks(stage, stage.main)) for stage in stages]


DESIGN = Baseline()
