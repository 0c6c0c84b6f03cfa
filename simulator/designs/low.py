"""ADA-GP-LOW (paper, figure 14c): one array, and the predictor's weights come from DRAM each time."""

from collections.abc import Sequence

from simulator.phases.design import Component, Step, tasks
from simulator.phases.stages import Stage
from workloads.passes import Pass
from workloads.schedule import Phase


class Low:
    """After a layer, load the predictor, run it, and store what it made, all in sequence."""

    name = "low"
    description = "one array; predictor weights are loaded for each layer and its results stored"
    rank = 1
    components: frozenset[Component] = frozenset()
    predictor_home = "dram"

    def runs_as(self, phase: Phase) -> Phase:
        """Return the phase itself."""
        return phase

    def steps(self, stages: Sequence[Stage]) -> list[Step]:
        """Return a step a stage: the layer, then load, predictor passes and store."""
        return [Step(tasks(stage, (*stage.main, *_with_transfers(stage.predictor)))) for stage in stages]


def _with_transfers(passes: tuple[Pass, ...]) -> tuple[Pass, ...]:
    """Return a load before the predictor's passes and a store after them (before the layer's update)."""
    own = tuple(name for name in passes if name != "update")
    rest = tuple(name for name in passes if name == "update")
    return ("predictor_load", *own, "predictor_store", *rest) if own else rest


DESIGN = Low()
