"""What an optimizer does to one weight: the words it keeps and the arithmetic it takes."""

from dataclasses import dataclass
from typing import Literal

OptimizerName = Literal["sgd", "sgd_momentum", "adam"]


@dataclass(frozen=True, slots=True)
class Optimizer:
    """Cost of updating one weight.

    Attributes
    ----------
    state_words : int
        Words kept for each weight from one update to the next.
    macs : int
        Multiply-accumulates for each weight.
    """

    state_words: int
    macs: int


OPTIMIZERS: dict[OptimizerName, Optimizer] = {
    # w -= lr * g
    "sgd": Optimizer(state_words=0, macs=1),
    # v = mu * v + g; w -= lr * v (PyTorch's form, no dampening)
    "sgd_momentum": Optimizer(state_words=1, macs=2),
    # m: 2 (Kingma and Ba, ICLR 2015, algorithm 1); v: 3; 1 / sqrt(v + eps) by two Newton steps of three
    # multiplications each from a looked-up start: 6; times m: 1; w: 1
    "adam": Optimizer(state_words=2, macs=13),
}
