"""Which optimizer a training loop steps, as a trace names it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.optim.optimizer import register_optimizer_step_pre_hook

from workloads.optimizers import OptimizerName

# By class, the optimizer of a trace that keeps as many words for a weight; whether its arithmetic is the same too.
_NAMES: dict[str, tuple[OptimizerName, bool]] = {
    "SGD": ("sgd", True), "Adam": ("adam", True), "AdamW": ("adam", False), "NAdam": ("adam", False),
    "RAdam": ("adam", False), "Adamax": ("adam", False), "RMSprop": ("sgd_momentum", False),
    "Adagrad": ("sgd_momentum", False), "Lion": ("sgd_momentum", False),
}  # fmt: skip
_ELSE: OptimizerName = "sgd_momentum"


class SeenOptimizer:
    """The optimizer of a model, from the steps that it takes.

    Parameters
    ----------
    model : nn.Module
        Whose parameters it updates.
    given : str, optional
        What the user calls it; then nothing is watched.
    """

    def __init__(self, model: nn.Module, given: OptimizerName | None) -> None:
        self.name: OptimizerName = given or _ELSE
        self._given = given is not None
        self._parameters = {id(parameter) for parameter in model.parameters()}
        self._steps: dict[str, tuple[OptimizerName, bool]] = {}

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader has to know of the name: one line, or none."""
        if self._given:
            return ()
        if not self._steps:
            return (f"no optimizer took a step on the model; recorded as {self.name}",)
        inexact = [kind for kind, (_, exact) in self._steps.items() if not exact]
        if len(self._steps) > 1 or inexact:
            return (f"the optimizer is {' and '.join(self._steps)}, recorded as {self.name}",)
        return ()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch every step of an optimizer in this context."""
        handle = register_optimizer_step_pre_hook(self._see)
        try:
            yield
        finally:
            handle.remove()

    def _see(self, optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
        kind = type(optimizer).__name__
        if self._given or kind in self._steps:
            return
        groups = optimizer.param_groups
        if not any(id(parameter) in self._parameters for group in groups for parameter in group["params"]):
            return  # a predictor's, or another model's
        name, exact = _NAMES.get(kind, (_ELSE, False))
        if name == "sgd" and any(group.get("momentum", 0) for group in groups):
            name = "sgd_momentum"
        if not self._steps:
            self.name = name
        self._steps[kind] = (name, exact)
