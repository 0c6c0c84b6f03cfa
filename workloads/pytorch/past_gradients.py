"""The running mean of each layer's past true gradients: what a run can know of the next one without a predictor."""

from collections.abc import Mapping

import torch
from torch import nn

# Of the mean, for each gradient that follows: the best of those tried on digits (docs/predictor-study.md).
DECAY = 0.99


class PastGradients(nn.Module):
    """Remembers a running mean for each layer; a layer without a gradient yet has zeros.

    Parameters
    ----------
    weights : dict
        The weight of each layer, by its name.
    """

    def __init__(self, weights: Mapping[str, torch.Tensor]) -> None:
        super().__init__()
        self._rows = {name: row for row, name in enumerate(weights)}
        self.register_buffer("seen", torch.zeros(len(weights), dtype=torch.bool))
        for row, weight in enumerate(weights.values()):
            self.register_buffer(f"mean{row}", torch.zeros_like(weight))

    def mean(self, layer: str) -> torch.Tensor:
        """Return the mean of a layer's past gradients."""
        return self.get_buffer(f"mean{self._rows[layer]}")

    @torch.no_grad()
    def observe(self, layer: str, gradient: torch.Tensor) -> None:
        """Take in a true gradient; the first one is the mean."""
        row, seen = self._rows[layer], self.get_buffer("seen")
        mean = self.mean(layer)
        mean.copy_(torch.lerp(gradient, mean, DECAY) if seen[row] else gradient)
        seen[row] = True
