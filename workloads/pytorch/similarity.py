"""How similar the batches of an epoch are: what the predictor reads, what it predicts, and their true gradients."""

from dataclasses import dataclass, field

import torch
from torch.nn import functional


@dataclass(frozen=True, slots=True)
class Similarity:
    """Of one layer in one epoch, mean cosines over all pairs of two different batches.

    A predictor whose inputs are alike for all batches can know only what gradients have in common.

    Attributes
    ----------
    inputs, predictions, gradients : float
        Between what the predictor reads of two batches; between its predictions; between the true gradients.
    expected : float
        Between a batch's prediction and the expected gradient, which is the mean over the epoch's other batches, each
        at the weights of its own step. The length of the expected gradient is taken from pairs of batches, so that it
        has no part of one batch's noise. Such an estimate can lie above 1. Zero where no such part is left.
    """

    inputs: float
    predictions: float
    gradients: float
    expected: float


@dataclass(slots=True)
class _Directions:
    """The sum of vectors that are made as long as one; vectors of zeros have no direction and do not count."""

    count: int = 0
    total: torch.Tensor = field(default_factory=lambda: torch.zeros((), dtype=torch.float64))

    def add(self, values: torch.Tensor) -> torch.Tensor:
        """Take in a vector, and return its direction."""
        direction = functional.normalize(values.flatten().double(), dim=0)
        self.count += int(direction.any())
        self.total = self.total + direction
        return direction

    def mean_cosine(self) -> float:
        """Return the mean over all pairs of two different vectors; zero where there is no pair."""
        pairs = self.count * (self.count - 1)
        return (float(self.total.square().sum()) - self.count) / pairs if pairs else 0.0


@dataclass(slots=True)
class SimilaritySums:
    """Takes in one layer's batches, and keeps sums of vectors: the pairs follow from them."""

    batches: int = 0
    inputs: _Directions = field(default_factory=_Directions)
    predictions: _Directions = field(default_factory=_Directions)
    gradients: _Directions = field(default_factory=_Directions)
    total: torch.Tensor = field(default_factory=lambda: torch.zeros((), dtype=torch.float64))
    squares: float = 0.0
    own: float = 0.0

    @torch.no_grad()
    def add(self, images: torch.Tensor, predicted: torch.Tensor, true: torch.Tensor) -> None:
        """Take in a batch's images as the predictor reads them, its prediction and its true gradient."""
        gradient = true.flatten().double()
        self.batches += 1
        self.inputs.add(images)
        self.own += float(self.predictions.add(predicted) @ gradient)
        self.gradients.add(gradient)
        self.total = self.total + gradient
        self.squares += float(gradient.square().sum())

    def similarity(self) -> Similarity | None:
        """Return the means over all pairs; None where there is no pair."""
        pairs = self.batches * (self.batches - 1)
        if pairs == 0:
            return None
        common = (float(self.total.square().sum()) - self.squares) / pairs
        across = (float(self.predictions.total @ self.total) - self.own) / pairs
        return Similarity(
            inputs=self.inputs.mean_cosine(), predictions=self.predictions.mean_cosine(),
            gradients=self.gradients.mean_cosine(), expected=across / common**0.5 if common > 0 else 0.0,
        )  # fmt: skip
