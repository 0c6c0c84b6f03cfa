"""An operation of a pipeline: one pass of one micro-batch through one stage.

A device carries out its operations one after the other, in the order of the schedule (`schedule.py`).
"""

from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal["forward", "backward", "input_gradient", "weight_gradient"]
KINDS: tuple[Kind, ...] = get_args(Kind)

# How many steps of the paper's section 3.8 an operation takes: a stage's forward pass takes one, its backward pass two.
# Schedules put their operations in order as if they took so long.
UNIT_STEPS: dict[Kind, int] = {"forward": 1, "backward": 2, "input_gradient": 1, "weight_gradient": 1}


@dataclass(frozen=True, slots=True, order=True)
class Operation:
    """One pass of a micro-batch through a stage.

    Attributes
    ----------
    micro_batch, stage : int
        Counted from 0.
    kind : str
        `forward`, or `backward` for the whole backward pass. A schedule may split the backward pass in two:
        `input_gradient`, for which the stage before waits, and `weight_gradient`, for which no stage waits.
    """

    micro_batch: int
    stage: int
    kind: Kind

    def __str__(self) -> str:
        return f"{self.kind} of micro-batch {self.micro_batch} on stage {self.stage}"


def forward(micro_batch: int, stage: int) -> Operation:
    """Return the forward pass of a micro-batch through a stage."""
    return Operation(micro_batch, stage, "forward")


def backward(micro_batch: int, stage: int) -> Operation:
    """Return the whole backward pass of a micro-batch through a stage."""
    return Operation(micro_batch, stage, "backward")
