"""What a design is, and where it is found by name. A new design is one new file in `simulator/designs/`."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal, Protocol

from simulator.phases.stages import Stage
from workloads.foundation.errors import InputError, nearest
from workloads.foundation.registry import registry
from workloads.passes import Pass
from workloads.schedule import Phase

Component = Literal["predictor_sram", "second_array"]


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


class Design(Protocol):
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
    predictor_home: Literal["dram", "predictor_sram"] | None

    def runs_as(self, phase: Phase) -> Phase:
        """Return the phase that a batch of `phase` is carried out as."""

    def steps(self, stages: Sequence[Stage]) -> list[Step]:
        """Return the steps of a batch."""


def tasks(stage: Stage, passes: Sequence[Pass]) -> tuple[Task, ...]:
    """Return passes of a stage as tasks."""
    backward = "forward" not in stage.main
    return tuple(Task(stage.layer, name, backward) for name in passes)


@cache
def designs() -> dict[str, Design]:
    """Return every design by name, in the order of tables."""
    return registry("simulator.designs", "DESIGN")


def find_design(name: str, where: str = "--design", key: str = "") -> Design:
    """Return a design by name.

    Raises
    ------
    InputError
        If there is none, with the nearest known name.
    """
    known = designs()
    if name not in known:
        raise InputError(where, key, f"unknown design {name!r}", nearest(name, known))
    return known[name]
