"""ADA-GP-MAX (paper, figure 14a, section 6.3): the predictor has an array and a memory of its own."""

from collections.abc import Sequence

from simulator.phases.design import Component, Step, Task, tasks
from simulator.phases.stages import Stage
from workloads.schedule import Phase


class Max:
    """While the first array is on a stage, the second runs the predictor's passes of the stage before.

    A step ends when both are done (the paper's layer barrier); the last stage's predictor passes
    have a step of their own.
    """

    name = "max"
    description = "a second array runs the predictor beside the next layer"
    rank = 3
    components: frozenset[Component] = frozenset({"predictor_sram", "second_array"})
    predictor_home = "predictor_sram"

    def runs_as(self, phase: Phase) -> Phase:
        """Return the phase itself."""
        return phase

    def steps(self, stages: Sequence[Stage]) -> list[Step]:
        """Return a step a stage, with the predictor one stage behind."""
        steps = []
        behind: tuple[Task, ...] = ()
        for stage in stages:
            steps.append(Step(tasks(stage, stage.main), behind))
            behind = tasks(stage, stage.predictor)
        return [*steps, Step((), behind)] if behind else steps


DESIGN = Max()
