"""Shares of zeros in what the layers of a training run read, hold and get back."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Literal

import torch
from torch import nn

from workloads.layers import Sparsity
from workloads.pytorch.gradient_prediction import predicted_layers
from workloads.recording.recording import Recording

Kind = Literal["inputs", "weights", "output_gradients"]
KINDS: tuple[Kind, ...] = ("inputs", "weights", "output_gradients")
# Digits of a share in a trace, as of its metrics.
_DIGITS = 4
SPARSITY_NOTE = "Sparsity is the mean over the run; of output gradients over its Warm Up and Phase BP batches."


def with_sparsity(recording: Recording, shares: Mapping[str, Sparsity]) -> Recording:
    """Return a recording whose layers have the shares that `SparsityCounter` gave."""
    layers = tuple(
        layer.model_copy(update={"sparsity": shares[layer.id]}) if layer.id in shares else layer
        for layer in recording.layers
    )
    return replace(recording, layers=layers)


class SparsityCounter:
    """Counts zeros of the inputs, weights and output gradients of each convolution and linear layer.

    Counts are whole numbers, so a resumed run has the very shares of an uninterrupted one. Phase GP
    has no output gradients: their share is over Warm Up and Phase BP, the others over all batches.

    Parameters
    ----------
    model : nn.Module
        The network in training.
    """

    def __init__(self, model: nn.Module) -> None:
        self._layers = predicted_layers(model)
        # Of each layer and kind: the zeros, and the numbers in all.
        self._counts: dict[str, dict[str, list[int]]] = {
            name: {kind: [0, 0] for kind in KINDS} for name in self._layers
        }

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Count in the forward passes of this context, and in their backward passes whenever they run."""
        handles = []
        for name, module in self._layers.items():
            # Before the forward pass: Phase GP changes the weight right after it.
            handles.append(module.register_forward_pre_hook(self._before(name)))
            handles.append(module.register_forward_hook(self._after(name)))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def shares(self) -> dict[str, Sparsity]:
        """Return the shares by layer; a kind that was never seen has none."""
        return {
            name: Sparsity(**{kind: round(zeros / total, _DIGITS) for kind, (zeros, total) in kinds.items() if total})
            for name, kinds in self._counts.items()
        }

    def state_dict(self) -> dict[str, dict[str, list[int]]]:
        """Return a copy of the counts."""
        return {name: {kind: list(pair) for kind, pair in kinds.items()} for name, kinds in self._counts.items()}

    def load_state_dict(self, state: dict[str, dict[str, list[int]]]) -> None:
        """Take over counts that `state_dict` gave."""
        self._counts = {name: {kind: list(pair) for kind, pair in kinds.items()} for name, kinds in state.items()}

    def _before(self, name: str) -> Any:
        def hook(module: Any, inputs: tuple[torch.Tensor, ...]) -> None:
            self._add(name, "inputs", inputs[0])
            self._add(name, "weights", module.weight)

        return hook

    def _after(self, name: str) -> Any:
        def hook(_: Any, __: object, output: torch.Tensor) -> None:
            if output.requires_grad:
                output.register_hook(lambda gradient: self._add(name, "output_gradients", gradient))

        return hook

    def _add(self, name: str, kind: Kind, tensor: torch.Tensor) -> None:
        pair = self._counts[name][kind]
        pair[0] += tensor.numel() - int(torch.count_nonzero(tensor.detach()))
        pair[1] += tensor.numel()
