"""The predictor at work on a model: what it reads from each layer, and what it updates."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from workloads.predictor import Predictor
from workloads.pytorch.gp_gradients import SOURCES, GpGradient, Moment
from workloads.pytorch.masked_adam import MaskedAdam
from workloads.pytorch.past_gradients import PastGradients
from workloads.pytorch.predictor_module import GradientPredictor, reorganize
from workloads.pytorch.predictor_training import PredictorTraining
from workloads.pytorch.similarity import SimilaritySums

# A gradient element counts as at least this share of its layer's root mean square in the MAPE, whose
# terms would have no bound where the true gradient is zero.
_MAPE_FLOOR = 1e-3


@dataclass(frozen=True, slots=True)
class PredictionError:
    """How far one prediction, or a mean over several, is from the true gradient of one layer.

    `mape` and `mae` are the two readings of the paper's equation 1: with the division by the true gradient, and
    without. `norm_ratio` is the prediction's length over the true gradient's.
    """

    cosine: float
    relative_l2: float
    mape: float
    mse: float
    norm_ratio: float
    mae: float


def prediction_error(predicted: torch.Tensor, true: torch.Tensor) -> PredictionError | None:
    """Compare two gradients of one shape; None where the true one is zero throughout."""
    norm = true.norm()
    if norm == 0:
        return None
    difference = predicted - true
    floor = _MAPE_FLOOR * true.square().mean().sqrt()
    cosine = functional.cosine_similarity(predicted.flatten(), true.flatten(), dim=0)
    return PredictionError(
        cosine=float(cosine), relative_l2=float(difference.norm() / norm),
        mape=float((difference.abs() / true.abs().clamp_min(floor)).mean()), mse=float(difference.square().mean()),
        norm_ratio=float(predicted.norm() / norm), mae=float(difference.abs().mean()),
    )  # fmt: skip


def predicted_layers(model: nn.Module) -> dict[str, nn.Module]:
    """Return the layers whose weight gradients are predicted, first to last."""
    return {name: module for name, module in model.named_modules() if isinstance(module, nn.Conv2d | nn.Linear)}


def train_predictor(
    predictor: GradientPredictor, optimizer: MaskedAdam, layer: str, images: torch.Tensor, true: torch.Tensor
) -> None:
    """Train the predictor on the true gradient of one layer, which is not zero throughout."""
    predictor.observe(layer, true)
    target = predictor.target(layer, true)
    for _ in range(predictor.training_choices.steps):
        functional.mse_loss(predictor(images, target.shape[1]), target).backward()
        optimizer.step(target.shape[1])


class GradientPrediction:
    """Predicts gradients in Phase GP, and learns to in Warm Up and Phase BP.

    Both read the raw output of a convolution or linear layer, before any normalisation. A module is
    expected to run once in a forward pass: a shared one would have its weight updated between its uses.

    Parameters
    ----------
    model : nn.Module
        The network in training.
    sizes : Predictor
        Sizes of the predictor.
    optimizer : torch.optim.SGD
        The network's optimizer. Phase GP steps with it too, so both phases share the momentum.
    learning_rate : float
        The predictor's own learning rate, for Adam.
    training : PredictorTraining, optional
        How it is trained besides.
    keep_past : bool
        Keep a running mean of each layer's true gradients, for a control.
    """

    def __init__(
        self, model: nn.Module, sizes: Predictor, optimizer: torch.optim.Optimizer, learning_rate: float,
        training: PredictorTraining | None = None, keep_past: bool = False,
    ) -> None:  # fmt: skip
        self.layers = predicted_layers(model)
        self.predictor = GradientPredictor(sizes, list(self.layers), training)
        self._optimizer = optimizer
        self.predictor_optimizer = MaskedAdam(self.predictor, learning_rate)
        weights = {name: model.get_parameter(f"{name}.weight") for name in self.layers}
        self.past = PastGradients(weights) if keep_past else None
        # Of the batches that it learnt from since somebody emptied it.
        self.similarity: dict[str, SimilaritySums] = {}
        self._images: dict[str, torch.Tensor] = {}
        self._predicted: dict[str, torch.Tensor] = {}

    def _image(self, name: str, output: torch.Tensor) -> torch.Tensor:
        return reorganize(output.detach(), channels_last=isinstance(self.layers[name], nn.Linear))

    @contextmanager
    def _hooks(self, make_hook: Any) -> Iterator[None]:
        handles = [module.register_forward_hook(make_hook(name)) for name, module in self.layers.items()]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Predict each layer's gradient in a forward pass without applying it (Warm Up, Phase BP)."""

        def hook_of(name: str) -> Any:
            def hook(module: Any, _: object, output: torch.Tensor) -> None:
                self._images[name] = self._image(name, output)
                self._predicted[name] = self.predictor.predict(name, self._images[name], module.weight)

            return hook

        with self._hooks(hook_of):
            yield

    @contextmanager
    def updating(
        self, gradient: GpGradient = "predicted", true: Mapping[str, torch.Tensor] | None = None
    ) -> Iterator[None]:
        """Update each layer's weight as soon as its output is there (Phase GP).

        Parameters
        ----------
        gradient : str
            What it steps with: ``predicted``, or another key of `SOURCES` for a control.
        true : dict, optional
            The batch's true gradients by layer, for a control that needs them.
        """
        source, true = SOURCES[gradient], {} if true is None else true

        def hook_of(name: str) -> Any:
            def hook(module: Any, _: object, output: torch.Tensor) -> None:
                weight = module.weight
                images = self._image(name, output)
                weight.grad = source(Moment(name, weight, images, self.predictor, self.past, true.get(name)))
                # Only this weight has a gradient, so the step touches no other parameter.
                self._optimizer.step()
                weight.grad = None

            return hook

        with self._hooks(hook_of):
            yield

    def seen(self) -> Iterator[tuple[str, torch.Tensor, torch.Tensor]]:
        """Give what the predictor is to learn from after a backward pass: layer, images, true gradient; last first."""
        for name in reversed(self._images):
            weight: Any = self.layers[name].weight
            yield name, self._images[name], weight.grad

    def learn(self) -> dict[str, PredictionError]:
        """Train the predictor on the true gradients of a backward pass, last layer to first.

        Returns
        -------
        dict of PredictionError
            By layer, of the predictions that the forward pass made, before this training. A layer
            whose true gradient is zero throughout has none.
        """
        errors: dict[str, PredictionError] = {}
        for name, images, true in self.seen():
            error = prediction_error(self._predicted[name], true)
            if error is None:
                continue
            errors[name] = error
            read = self.predictor.pooled(images)
            self.similarity.setdefault(name, SimilaritySums()).add(read, self._predicted[name], true)
            if self.past is not None:
                self.past.observe(name, true)
            train_predictor(self.predictor, self.predictor_optimizer, name, images, true)
        self._images.clear()
        self._predicted.clear()
        return errors
