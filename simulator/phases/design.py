"""What a design is, and where it is found by name. A new design is one new file in `simulator/designs/`."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal, Protocol

from simulator.phases.stages import PHASE_RULES, Stage
from workloads.foundation.errors import InputError, nearest, spelt
from workloads.foundation.registry import registry
from workloads.passes import Pass
from workloads.schedule import Phase

Component = Literal["predictor_sram", "second_array"]
PredictorHome = Literal["dram", "predictor_sram"]
# Passes that a home of the predictor's weights adds to a visit in which the predictor works.
TRANSFERS: dict[PredictorHome, tuple[Pass, ...]] = {
    "dram": ("predictor_load", "predictor_store"),
    "predictor_sram": (),
}


@dataclass(frozen=True, slots=True)
class Task:
    """One op to run: a pass of a layer.

    `backward` tells a pass after the true gradient from one after the layer's forward.
    """

    layer: int
    pass_: Pass
    backward: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """Ops between two barriers: those of the first array in order, and those of the second."""

    first: tuple[Task, ...]
    second: tuple[Task, ...] = ()


class Design(Hashable, Protocol):
    """How the stages of a batch are laid on the machine.

    Attributes
    ----------
    rank : int
        Order in tables.
    components : frozenset of str
        Parts that this design has and others lack.
    predictor_home : str or None
        Where the predictor's weights live between uses; None for a design without predictor.
    """

    name: str
    description: str
    rank: int
    components: frozenset[Component]
    predictor_home: PredictorHome | None

    def runs_as(self, phase: Phase) -> Phase:
        """Return the phase that a batch of `phase` is carried out as."""

    def steps(self, stages: Sequence[Stage]) -> list[Step]:
        """Return the steps of a batch."""


def tasks(stage: Stage, passes: Sequence[Pass]) -> tuple[Task, ...]:
    """Return passes of a stage as tasks."""
    return tuple(Task(stage.layer, name, stage.backward) for name in passes)


def batch_kind(design: Design, phase: Phase) -> Phase:
    """Return the phase whose batch a design carries out for one of `phase`."""
    return PHASE_RULES[design.runs_as(phase)].batch


@cache
def designs() -> dict[str, Design]:
    """Return every design by name, in the order of tables."""
    return registry("simulator.designs", "DESIGN", "designs", Design)


def find_design(name: str, where: str = "--design", key: str = "") -> Design:
    """Return a design by name, in upper or lower case.

    Raises
    ------
    InputError
        If there is none, with the nearest known name.
    """
    known = designs()
    name = spelt(name, known)
    if name not in known:
        raise InputError(where, key, f"unknown design {name!r}", nearest(name, known))
    return known[name]
