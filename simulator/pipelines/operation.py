"""What a device of a pipeline does at a time: one pass of one micro-batch through one stage."""

from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal["forward", "backward", "input_gradient", "weight_gradient"]
KINDS: tuple[Kind, ...] = get_args(Kind)

# Steps of the paper's section 3.8, where a stage's forward is one and BW = 2 FW. Schedules are laid out in these.
UNIT_STEPS: dict[Kind, int] = {"forward": 1, "backward": 2, "input_gradient": 1, "weight_gradient": 1}


@dataclass(frozen=True, slots=True, order=True)
class Operation:
    """One pass of a micro-batch through a stage.

    `backward` is the whole backward pass; a schedule that splits it has `input_gradient` (which the stage before
    waits for) and `weight_gradient` (which nobody waits for) instead.
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
