"""Eager: as Efficient, with a barrier between a layer and its predictor."""

from collections.abc import Sequence

from simulator.phases.design import Component, Step, tasks
from simulator.phases.stages import Stage
from workloads.schedule import Phase


class Eager:
    """A stage is two steps: the layer's own passes, then the predictor's."""

    name = "eager"
    description = "as efficient, with a barrier between layer and predictor"
    rank = 10
    components: frozenset[Component] = frozenset({"predictor_sram"})
    predictor_home = "predictor_sram"

    def runs_as(self, phase: Phase) -> Phase:
        """Return the phase itself."""
        return phase

    def steps(self, stages: Sequence[Stage]) -> list[Step]:
        """Return two steps a stage, one where nothing is predicted."""
        halves = [passes for stage in stages for passes in (tasks(stage, stage.main), tasks(stage, stage.predictor))]
        return [Step(half) for half in halves if half]


DESIGN = Eager()
