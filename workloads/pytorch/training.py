"""The reference ADA-GP training (paper, sections 3.2 to 3.5): Warm Up, Phase BP and Phase GP."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import fmean

import torch
from torch import nn
from torch.nn import functional

from workloads.errors import InputError
from workloads.predictor import Predictor
from workloads.pytorch.gradient_prediction import GpGradient, GradientPrediction, PredictionError
from workloads.schedule import Phase, Policy
from workloads.trace import EpochMetrics

OnEpoch = Callable[[EpochMetrics, int], None]


@dataclass(frozen=True, slots=True)
class Split:
    """A data set of a classification task: images (samples, C, H, W) and class numbers (samples,)."""

    train_images: torch.Tensor
    train_labels: torch.Tensor
    test_images: torch.Tensor
    test_labels: torch.Tensor


@dataclass(frozen=True, slots=True)
class Settings:
    """Numbers of a training run.

    Attributes
    ----------
    batch_size : int
        Samples of a batch; the rest of an epoch that does not fill one is left out.
    learning_rate, momentum : float
        Of the network's SGD, the same in all phases.
    predictor_learning_rate : float
        Of the predictor's Adam.
    seed : int
        Of the initial weights, dropout and the order of the samples.
    gp_gradient : str
        What a Phase GP batch steps with: ``predicted``, or as controls ``zero`` (momentum alone) or
        ``skip`` (the batch is left out). A run says something about prediction only beside them.
    """

    batch_size: int
    learning_rate: float
    momentum: float
    predictor_learning_rate: float
    seed: int = 0
    gp_gradient: GpGradient = "predicted"


@dataclass(frozen=True, slots=True)
class Run:
    """What a training run did: the phases of its batches, epoch by epoch as they ran, and what it measured."""

    phases: tuple[tuple[Phase, ...], ...]
    metrics: tuple[EpochMetrics, ...]


@dataclass(slots=True)
class EpochLog:
    """What ran in an epoch: the phase and the loss of each batch, the errors of all predictions."""

    phases: list[Phase] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    errors: list[PredictionError] = field(default_factory=list)


class Trainer:
    """Trains a network with ADA-GP, batch by batch.

    Learning rates stay constant. The paper lowers them on plateaus, which its text does not
    specify far enough to repeat.
    """

    def __init__(self, model: nn.Module, sizes: Predictor, settings: Settings) -> None:
        self.model = model
        self.optimizer = torch.optim.SGD(model.parameters(), lr=settings.learning_rate, momentum=settings.momentum)
        self.prediction = GradientPrediction(model, sizes, self.optimizer, settings.predictor_learning_rate)
        self._gp_gradient = settings.gp_gradient

    def true_batch(self, images: torch.Tensor, labels: torch.Tensor) -> tuple[float, list[PredictionError]]:
        """Run a batch of Warm Up or Phase BP; return its loss and the errors of its predictions."""
        self.optimizer.zero_grad()
        with self.prediction.watching():
            loss = functional.cross_entropy(self.model(images), labels)
        loss.backward()
        self.optimizer.step()
        errors = self.prediction.learn()
        self.optimizer.zero_grad()
        return loss.item(), errors

    @torch.no_grad()
    def predicted_batch(self, images: torch.Tensor, labels: torch.Tensor) -> float:
        """Run a batch of Phase GP, a forward pass alone; return its loss, which nothing is trained on."""
        with self.prediction.updating(self._gp_gradient):
            output = self.model(images)
        return functional.cross_entropy(output, labels).item()

    def epoch(self, batches: Iterable[tuple[Phase, torch.Tensor, torch.Tensor]]) -> EpochLog:
        """Run batches, each in its phase."""
        self.model.train()
        log = EpochLog()
        for phase, images, labels in batches:
            if phase == "gp" and self._gp_gradient == "skip":
                continue
            if phase == "gp":
                log.losses.append(self.predicted_batch(images, labels))
            else:
                loss, errors = self.true_batch(images, labels)
                log.losses.append(loss)
                log.errors += errors
            log.phases.append(phase)
        return log

    @torch.no_grad()
    def accuracy(self, images: torch.Tensor, labels: torch.Tensor) -> float:
        """Return the share of samples that the network classifies correctly."""
        self.model.eval()
        return (self.model(images).argmax(dim=1) == labels).double().mean().item()


def train(
    build: Callable[[], nn.Module],
    data: Split,
    sizes: Predictor,
    policy: Policy,
    settings: Settings,
    epochs: int | None = None,
    on_epoch: OnEpoch | None = None,
) -> Run:
    """Train a network from its start under a schedule.

    It runs on one thread and leaves the process's random state alone, so that the same
    call gives the same numbers on the same machine.

    Parameters
    ----------
    build : callable
        Makes the network.
    data : Split
        What it is trained and tested on.
    sizes : Predictor
        Sizes of the predictor.
    policy : Policy
        The schedule.
    settings : Settings
        Learning rates, batch size and seed.
    epochs : int, optional
        Number of epochs, if not the policy's own.
    on_epoch : callable, optional
        Called with the metrics of each epoch and the number of epochs.

    Raises
    ------
    InputError
        If the schedule has a phase that is none of ADA-GP's, or the data do not fill a batch.
    """
    per_epoch = len(data.train_labels) // settings.batch_size
    plan = policy.epoch_phases(per_epoch, epochs)
    if any("dni" in row for row in plan):
        raise InputError(
            "schedule",
            policy.name,
            "has dni batches, which the reference training does not know",
            "train under a schedule of warm_up, bp and gp batches",
        )
    phases: list[tuple[Phase, ...]] = []
    metrics: list[EpochMetrics] = []
    with _reproducible(settings.seed):
        trainer = Trainer(build(), sizes, settings)
        order = torch.Generator().manual_seed(settings.seed)
        for number, row in enumerate(plan, start=1):
            shuffled = torch.randperm(len(data.train_labels), generator=order)[: per_epoch * settings.batch_size]
            chosen = zip(row, shuffled.split(settings.batch_size), strict=True)
            log = trainer.epoch((phase, data.train_images[rows], data.train_labels[rows]) for phase, rows in chosen)
            phases.append(tuple(log.phases))
            metrics.append(_metrics(number, log, trainer.accuracy(data.test_images, data.test_labels)))
            if on_epoch is not None:
                on_epoch(metrics[-1], len(plan))
    return Run(tuple(phases), tuple(metrics))


def _metrics(epoch: int, log: EpochLog, accuracy: float) -> EpochMetrics:
    errors = log.errors
    return EpochMetrics(
        epoch=epoch, train_loss=_mean(log.losses) or 0.0, test_accuracy=round(accuracy, 4),
        predictor_cosine=_mean([error.cosine for error in errors]),
        predictor_relative_l2=_mean([error.relative_l2 for error in errors]),
        predictor_mape=_mean([error.mape for error in errors]),
    )  # fmt: skip


def _mean(values: Sequence[float]) -> float | None:
    return round(fmean(values), 4) if values else None


@contextmanager
def _reproducible(seed: int) -> Iterator[None]:
    """Seed torch and run it on one thread, whose sums have one order; restore both at the end."""
    threads = torch.get_num_threads()
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            torch.set_num_threads(1)
            yield
    finally:
        torch.set_num_threads(threads)
