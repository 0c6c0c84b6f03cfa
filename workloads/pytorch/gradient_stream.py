"""The true gradients of a run, kept so that many predictors can be tried on the same ones."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field

import torch
from torch import nn
from torch.nn import functional

from workloads.networks.recipe import Recipe
from workloads.predictor import Predictor
from workloads.pytorch.gradient_prediction import GradientPrediction, PredictionError, predicted_layers
from workloads.pytorch.settings import settings_of
from workloads.pytorch.split import Split
from workloads.pytorch.training import Trainer, reproducible, shuffled
from workloads.schedule import Phase, Policy

# Of a layer: the pooled images of its output, (K, 1, height, width), and its true gradient, (K, C/groups R S).
Sample = tuple[torch.Tensor, torch.Tensor]


@dataclass(frozen=True, slots=True)
class Stream:
    """What a predictor sees of a run whose Phase GP batches are left out: it does not depend on any predictor.

    Attributes
    ----------
    batches : list of dict
        The true batches in their order; of each, its layers, last to first.
    phases, epochs : list
        Phase and epoch of each.
    knowable : list of dict
        By epoch and layer, the cosine in the mean between a batch's gradient and the one over all
        training samples, both at the weights that the epoch starts with.
    """

    batches: list[dict[str, Sample]] = field(default_factory=list)
    phases: list[Phase] = field(default_factory=list)
    epochs: list[int] = field(default_factory=list)
    knowable: list[dict[str, float]] = field(default_factory=list)

    @property
    def layers(self) -> list[str]:
        """The predicted layers, last to first."""
        return list(self.batches[0])


class _Recorder(GradientPrediction):
    """Keeps what the predictor would learn from, and teaches it nothing."""

    def __init__(self, model: nn.Module, sizes: Predictor, optimizer: torch.optim.Optimizer, into: Stream) -> None:
        super().__init__(model, sizes, optimizer, 0.0)
        self._into = into

    def learn(self) -> dict[str, PredictionError]:
        self._into.batches.append({
            name: (self.predictor.pooled(images), true.flatten(1).clone())
            for name, images, true in self.seen()
        })  # fmt: skip
        return {}


def record_stream(recipe: Recipe, data: Split, sizes: Predictor, policy: Policy, seed: int, epochs: int) -> Stream:
    """Train a recipe's network with its Phase GP batches left out, and keep its true gradients.

    Parameters
    ----------
    recipe : Recipe
        The network, with a training.
    data : Split
        What it is trained on.
    sizes : Predictor
        Whose pooling the outputs go through.
    policy : Policy
        The schedule.
    seed, epochs : int
        As in the reference training, with the same seed's weights and order of samples.
    """
    settings, stream = settings_of(recipe, seed, gp_gradient="skip"), Stream()
    with reproducible(seed):
        trainer = Trainer(recipe.build(), sizes, settings)
        trainer.prediction = _Recorder(trainer.model, sizes, trainer.optimizer, stream)
        order = torch.Generator().manual_seed(seed)
        for number, row in enumerate(policy.epoch_phases(len(data.train_labels) // settings.batch_size, epochs), 1):
            batches = list(shuffled(data, row, settings.batch_size, order))
            stream.knowable.append(knowable(trainer.model, [(images, labels) for _, images, labels in batches]))
            log = trainer.epoch(batches)
            stream.phases.extend(log.phases)
            stream.epochs.extend([number] * len(log.phases))
    return stream


def knowable(model: nn.Module, batches: Sequence[tuple[torch.Tensor, torch.Tensor]]) -> dict[str, float]:
    """Return, by layer, how much of a batch's gradient is that of all batches together, as a cosine.

    With S the mean product of two different batches' gradients and T the mean square of one, it is sqrt(S / T):
    no predictor that does not know which samples make up the batch has a greater cosine in the mean. The model
    stays as it is.
    """
    copied = deepcopy(model).train()
    layers = predicted_layers(copied)
    total = {name: torch.zeros(()) for name in layers}
    square = dict.fromkeys(layers, 0.0)
    for images, labels in batches:
        copied.zero_grad()
        functional.cross_entropy(copied(images), labels).backward()
        for name in layers:
            gradient = copied.get_parameter(f"{name}.weight").grad
            total[name] = total[name] + gradient
            square[name] += float(gradient.square().sum())
    return {name: _root_share(float(total[name].square().sum()), square[name], len(batches)) for name in layers}


def _root_share(square_of_sum: float, sum_of_squares: float, count: int) -> float:
    between = (square_of_sum - sum_of_squares) / (count * (count - 1)) if count > 1 else 0.0
    return (max(0.0, between) * count / sum_of_squares) ** 0.5 if sum_of_squares else 0.0
