"""Where gradients flow, asked of autograd while a model runs."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
import torch.utils.checkpoint
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.weak import WeakTensorKeyDictionary

from workloads.recording.flow import Flow
from workloads.recording.tape import Tape


class GradientFlow(Flow):
    """Tells of the operator that runs now whether it is differentiated.

    Inside an `autograd.Function` gradients are off while its forward pass runs, though its backward pass gives them;
    there every operand that carries a gradient counts.
    """

    def __init__(self) -> None:
        self._asked = False
        self._inside = 0

    @contextmanager
    def following(self) -> Iterator[None]:
        """Ask autograd in this context; where it is off from the start, all counts as differentiated."""
        before, enter = torch.autograd.Function.__dict__["apply"], saved_tensors_hooks.__enter__
        self._asked = torch.is_grad_enabled()

        def apply(cls: Any, *args: Any, **kwargs: Any) -> Any:
            enabled = torch.is_grad_enabled()
            self._see(cls)
            self._inside += enabled
            try:
                return before.__func__(cls, *args, **kwargs)
            finally:
                self._inside -= enabled

        def entered(hooks: saved_tensors_hooks) -> None:
            self._see(type(hooks))
            enter(hooks)

        torch.autograd.Function.apply = classmethod(apply)
        saved_tensors_hooks.__enter__ = entered
        try:
            yield
        finally:
            torch.autograd.Function.apply = before
            saved_tensors_hooks.__enter__ = enter

    def _see(self, kind: type) -> None:
        self.runs_again = self.runs_again or kind.__module__ == torch.utils.checkpoint.__name__

    @property
    def unknown(self) -> bool:
        """Whether autograd cannot tell of single tensors."""
        return not self._asked or self._inside > 0

    @property
    def on(self) -> bool:
        """Whether an operator of now is differentiated at all."""
        return self.unknown or torch.is_grad_enabled()

    def through(self, tensor: Any) -> bool:
        """Tell whether a gradient flows back through a tensor to what made it."""
        return self.unknown or (torch.is_grad_enabled() and tensor.requires_grad)


def torch_tape(batch_size: int, parameters: Mapping[str, torch.Tensor]) -> Tape:
    """Return a tape for a model that runs, which asks autograd and forgets tensors as Python does."""
    return Tape(batch_size, parameters, GradientFlow(), WeakTensorKeyDictionary)
