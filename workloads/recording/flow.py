"""Where gradients flow while a network is recorded."""

from collections.abc import Iterator
from contextlib import contextmanager

from workloads.recording.values import Tensor


class Flow:
    """Where gradients flow: everywhere but through integers, if nobody can be asked."""

    runs_again = False  # whether the backward pass runs layers of the forward pass once more

    @contextmanager
    def following(self) -> Iterator[None]:
        """Ask in this context."""
        yield

    @property
    def unknown(self) -> bool:
        """Whether nobody can tell of single tensors."""
        return True

    @property
    def on(self) -> bool:
        """Whether an operator of now is differentiated at all."""
        return True

    def through(self, tensor: Tensor) -> bool:
        """Tell whether a gradient flows back through a tensor to what made it."""
        return tensor.is_floating_point() or tensor.is_complex()
