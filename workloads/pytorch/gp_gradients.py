"""What a Phase GP batch steps with: the predicted gradient, or for a control something else."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch

from workloads.pytorch.past_gradients import PastGradients
from workloads.pytorch.predictor_module import GradientPredictor

# All but `predicted` are controls. `zero`: momentum goes on and nothing is predicted. `random`: noise as large as the
# layer's true gradients. `running-mean`: the mean of the layer's past true gradients. `true-norm`: the prediction, as
# long as the batch's true gradient, which a backward pass has to tell. `skip`: the batch is left out.
GpGradient = Literal["predicted", "zero", "random", "running-mean", "true-norm", "skip"]


@dataclass(frozen=True, slots=True)
class Moment:
    """A layer in the forward pass of a Phase GP batch, whose output is there and whose weight has no step yet.

    Attributes
    ----------
    layer : str
        Its name.
    weight, images : Tensor
        The layer's weight, and what the predictor reads.
    predictor : GradientPredictor
        What predicts.
    past : PastGradients or None
        The layer's past true gradients, where the run keeps them.
    true : Tensor or None
        The batch's true gradient, where the run computes it.
    """

    layer: str
    weight: torch.Tensor
    images: torch.Tensor
    predictor: GradientPredictor
    past: PastGradients | None = None
    true: torch.Tensor | None = None


def _predicted(at: Moment) -> torch.Tensor:
    return at.predictor.predict(at.layer, at.images, at.weight)


def _zero(at: Moment) -> torch.Tensor:
    return torch.zeros_like(at.weight)


def _random(at: Moment) -> torch.Tensor:
    return torch.randn_like(at.weight) * at.predictor.scale(at.layer)


def _running_mean(at: Moment) -> torch.Tensor:
    assert at.past is not None
    return at.past.mean(at.layer).reshape(at.weight.shape).clone()


def _true_norm(at: Moment) -> torch.Tensor:
    assert at.true is not None
    predicted = _predicted(at)
    norm = predicted.norm()
    return predicted * (at.true.norm() / norm) if norm > 0 else predicted


SOURCES: dict[GpGradient, Callable[[Moment], torch.Tensor]] = {
    "predicted": _predicted, "zero": _zero, "random": _random, "running-mean": _running_mean, "true-norm": _true_norm,
}  # fmt: skip
