"""The reference ADA-GP training (paper, sections 3.2 to 3.5): Warm Up, Phase BP and Phase GP."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from math import isfinite, nan
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from workloads.foundation.errors import InputError
from workloads.layers import Sparsity
from workloads.predictor import Predictor
from workloads.pytorch.checkpoint import load_checkpoint, save_checkpoint
from workloads.pytorch.gradient_prediction import GradientPrediction, PredictionError
from workloads.pytorch.settings import Settings as Settings
from workloads.pytorch.similarity import Similarity
from workloads.pytorch.sparsity import SparsityCounter
from workloads.pytorch.split import Split
from workloads.schedule import Phase, Policy
from workloads.trace import EpochMetrics

OnEpoch = Callable[[EpochMetrics, int], None]
# Test samples of one forward pass: all of CIFAR's 10,000 would take many gigabytes in a deep network.
_TESTED_AT_ONCE = 512


@dataclass(frozen=True, slots=True)
class Run:
    """What a training run did: the phases of its batches, epoch by epoch as they ran, and what it measured.

    Attributes
    ----------
    phases, metrics : tuple
        One entry an epoch.
    layer_errors : tuple of dict
        Of each epoch, the predictor's mean errors by layer, unrounded.
    similarity : tuple of dict
        Of each epoch, how alike its true batches are, by layer.
    learning_rates : tuple of (float, float)
        Of each epoch, the network's and the predictor's.
    sparsity : dict
        Shares of zeros by layer, empty where they were not counted.
    """

    phases: tuple[tuple[Phase, ...], ...]
    metrics: tuple[EpochMetrics, ...]
    layer_errors: tuple[Mapping[str, PredictionError], ...] = ()
    similarity: tuple[Mapping[str, Similarity], ...] = ()
    learning_rates: tuple[tuple[float, float], ...] = ()
    sparsity: Mapping[str, Sparsity] = field(default_factory=dict)


@dataclass(slots=True)
class Record:
    """What a run has done so far, in plain values that a checkpoint can hold."""

    phases: list[list[Phase]] = field(default_factory=list)
    metrics: list[dict[str, Any]] = field(default_factory=list)
    layer_errors: list[dict[str, dict[str, float]]] = field(default_factory=list)
    likeness: list[dict[str, dict[str, float]]] = field(default_factory=list)  # a name that checkpoints have
    learning_rates: list[list[float]] = field(default_factory=list)

    def run(self, sparsity: Mapping[str, Sparsity]) -> Run:
        """Return it as the result of the run."""
        return Run(
            phases=tuple(tuple(row) for row in self.phases),
            metrics=tuple(EpochMetrics(**row) for row in self.metrics),
            layer_errors=tuple(
                {name: PredictionError(**error) for name, error in row.items()} for row in self.layer_errors
            ),
            similarity=tuple({name: Similarity(**one) for name, one in row.items()} for row in self.likeness),
            learning_rates=tuple((network, predictor) for network, predictor in self.learning_rates),
            sparsity=sparsity,
        )


@dataclass(slots=True)
class EpochLog:
    """What ran in an epoch: the phase and the loss of each batch, the errors of all predictions, how alike they are."""

    phases: list[Phase] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    errors: dict[str, list[PredictionError]] = field(default_factory=dict)
    similarity: dict[str, Similarity] = field(default_factory=dict)

    def add(self, loss: float, errors: Mapping[str, PredictionError]) -> None:
        """Take in a batch that ran."""
        self.losses.append(loss)
        for name, error in errors.items():
            self.errors.setdefault(name, []).append(error)


class Trainer:
    """Trains a network with ADA-GP, batch by batch; learning rates stay constant unless the settings lower them."""

    def __init__(self, model: nn.Module, sizes: Predictor, settings: Settings) -> None:
        self.model = model
        self.optimizer = torch.optim.SGD(model.parameters(), lr=settings.learning_rate, momentum=settings.momentum)
        self.prediction = GradientPrediction(
            model, sizes, self.optimizer, settings.predictor_learning_rate, settings.predictor_training,
            keep_past=settings.gp_gradient == "running-mean",
        )  # fmt: skip
        self.sparsity = SparsityCounter(model) if settings.sparsity else None
        self._settings = settings
        self._plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(self.optimizer) if settings.plateau else None

    @property
    def learning_rates(self) -> tuple[float, float]:
        """The network's and the predictor's, of the batches that follow."""
        return float(self.optimizer.param_groups[0]["lr"]), self.prediction.predictor_optimizer.learning_rate

    def true_batch(self, images: torch.Tensor, labels: torch.Tensor) -> tuple[float, dict[str, PredictionError]]:
        """Run a batch of Warm Up or Phase BP; return its loss and the errors of its predictions."""
        self.optimizer.zero_grad()
        with self._counting(), self.prediction.watching():
            loss = functional.cross_entropy(self.model(images), labels)
        loss.backward()
        self.optimizer.step()
        errors = self.prediction.learn()
        self.optimizer.zero_grad()
        return loss.item(), errors

    @torch.no_grad()
    def predicted_batch(self, images: torch.Tensor, labels: torch.Tensor) -> float:
        """Run a batch of Phase GP, a forward pass alone; return its loss, which nothing is trained on."""
        gradient = self._settings.gp_gradient
        true = self._true_gradients(images, labels) if gradient == "true-norm" else None
        with self._counting(), self.prediction.updating(gradient, true):
            output = self.model(images)
        return functional.cross_entropy(output, labels).item()

    @torch.enable_grad()
    def _true_gradients(self, images: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return a batch's true gradients, from a copy: the network itself stays as it is."""
        copied = deepcopy(self.model)
        copied.zero_grad()
        with torch.random.fork_rng(devices=[]):  # the network's own pass draws the same dropout
            functional.cross_entropy(copied(images), labels).backward()
        found = {name: copied.get_parameter(f"{name}.weight").grad for name in self.prediction.layers}
        return {name: gradient for name, gradient in found.items() if gradient is not None}

    def begin_late_epochs(self) -> None:
        """Take the learning rate that the settings have for epochs with Phase GP batches."""
        for group in self.optimizer.param_groups:
            group["lr"] *= self._settings.late_rate

    def epoch(self, batches: Iterable[tuple[Phase, torch.Tensor, torch.Tensor]]) -> EpochLog:
        """Run batches, each in its phase."""
        self.model.train()
        self.prediction.similarity.clear()
        log = EpochLog()
        for phase, images, labels in batches:
            if phase == "gp" and self._settings.gp_gradient == "skip":
                continue
            if phase == "gp":
                log.add(self.predicted_batch(images, labels), {})
            else:
                log.add(*self.true_batch(images, labels))
            log.phases.append(phase)
        found = {name: sums.similarity() for name, sums in self.prediction.similarity.items()}
        log.similarity = {name: similarity for name, similarity in found.items() if similarity is not None}
        return log

    def end_epoch(self, epochs_done: int, log: EpochLog) -> None:
        """Lower the learning rates where the settings say so."""
        if self._plateau is not None and log.losses:
            self._plateau.step(fmean(log.losses))
        self.prediction.predictor_optimizer.follow(self._settings.predictor_milestones, epochs_done)

    @torch.no_grad()
    def accuracy(self, images: torch.Tensor, labels: torch.Tensor) -> float:
        """Return the share of samples that the network classifies correctly."""
        self.model.eval()
        parts = zip(images.split(_TESTED_AT_ONCE), labels.split(_TESTED_AT_ONCE), strict=True)
        right = sum(int((self.model(some).argmax(dim=1) == known).sum()) for some, known in parts)
        return right / len(labels)

    def state_dict(self) -> dict[str, Any]:
        """Return all that training changes: the network, the predictor, what steps them, and torch's random state."""
        return {name: part.state_dict() for name, part in self._parts()} | {"random": torch.get_rng_state()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Resume from a state that `state_dict` gave."""
        for name, part in self._parts():
            part.load_state_dict(state[name])
        torch.set_rng_state(state["random"])

    def _parts(self) -> list[tuple[str, Any]]:
        parts: list[tuple[str, Any]] = [
            ("model", self.model), ("optimizer", self.optimizer), ("predictor", self.prediction.predictor),
            ("predictor_optimizer", self.prediction.predictor_optimizer), ("plateau", self._plateau),
            ("sparsity", self.sparsity), ("past", self.prediction.past),
        ]  # fmt: skip
        return [(name, part) for name, part in parts if part is not None]

    def _counting(self) -> Any:
        return nullcontext() if self.sparsity is None else self.sparsity.watching()


def train(
    build: Callable[[], nn.Module],
    data: Split,
    sizes: Predictor,
    policy: Policy,
    settings: Settings,
    epochs: int | None = None,
    on_epoch: OnEpoch | None = None,
    checkpoint: Path | None = None,
) -> Run:
    """Train a network under a schedule, from its start or from a checkpoint.

    It runs on one thread and leaves the process's random state alone, so that the same
    call gives the same numbers on the same machine, whether or not it was killed on the way.

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
        Called with the metrics of each epoch that runs and the number of epochs.
    checkpoint : Path, optional
        Written after every epoch, before `on_epoch`; the run resumes from it if it exists. A run that ended can resume,
        too, with more epochs.

    Raises
    ------
    InputError
        If the schedule has a phase that is none of ADA-GP's, the data do not fill a batch, or the
        checkpoint is of another run.
    """
    per_epoch = len(data.train_labels) // settings.batch_size
    plan = policy.epoch_phases(per_epoch, epochs)
    others = sorted({phase for row in plan for phase in row} - {"warm_up", "bp", "gp"})
    if others:
        raise InputError(
            "schedule",
            policy.name,
            f"has {' and '.join(others)} batches, which the reference training does not know",
            "train under a schedule of warm_up, bp and gp batches",
        )
    late = next((number for number, row in enumerate(plan, start=1) if "gp" in row), None)
    with reproducible(settings.seed):
        trainer = Trainer(build(), sizes, settings)
        order = torch.Generator().manual_seed(settings.seed)
        record = Record()
        identity = _identity(trainer.model, data, sizes, policy, settings) if checkpoint is not None else {}
        if checkpoint is not None:
            state = load_checkpoint(checkpoint, identity)
            if state is not None:
                trainer.load_state_dict(state["trainer"])
                order.set_state(state["order"])
                record = Record(**state["record"])
            if len(record.phases) > len(plan):
                raise InputError(
                    str(checkpoint), "", f"has {len(record.phases)} epochs of {len(plan)}", "ask for more epochs"
                )
        done = len(record.phases)
        for number, row in enumerate(plan[done:], start=done + 1):
            if number == late:
                trainer.begin_late_epochs()
            rates = trainer.learning_rates
            log = trainer.epoch(shuffled(data, row, settings.batch_size, order))
            metrics = _metrics(number, log, trainer.accuracy(data.test_images, data.test_labels))
            trainer.end_epoch(number, log)
            record.phases.append(log.phases)
            record.metrics.append(metrics.model_dump())
            record.layer_errors.append({name: _mean_error(errors) for name, errors in log.errors.items()})
            record.likeness.append({name: asdict(similarity) for name, similarity in log.similarity.items()})
            record.learning_rates.append(list(rates))
            if checkpoint is not None:
                now = {"trainer": trainer.state_dict(), "order": order.get_state(), "record": asdict(record)}
                save_checkpoint(checkpoint, identity, now)
            if on_epoch is not None:
                on_epoch(metrics, len(plan))
    return record.run({} if trainer.sparsity is None else trainer.sparsity.shares())


def shuffled(
    data: Split, phases: Sequence[Phase], batch_size: int, order: torch.Generator
) -> Iterator[tuple[Phase, torch.Tensor, torch.Tensor]]:
    """Give the batches of an epoch one by one, each with its phase; what fills no batch is left out."""
    rows = torch.randperm(len(data.train_labels), generator=order)[: len(phases) * batch_size]
    for phase, some in zip(phases, rows.split(batch_size), strict=True):
        yield phase, data.train_images[some], data.train_labels[some]


def _identity(model: nn.Module, data: Split, sizes: Predictor, policy: Policy, settings: Settings) -> dict[str, Any]:
    """Return what tells one run from another in its checkpoints, and so may not change on the way."""
    labels = b"".join(part.numpy().tobytes() for part in (data.train_labels, data.test_labels))
    return {
        "settings": asdict(settings), "schedule": policy.model_dump_json(), "predictor": sizes.model_dump_json(),
        "network": [f"{name} {list(value.shape)}" for name, value in model.state_dict().items()],
        "data": f"{hashlib.sha256(labels).hexdigest()} {list(data.train_images.shape)}",
    }  # fmt: skip


def _metrics(epoch: int, log: EpochLog, accuracy: float) -> EpochMetrics:
    errors = [error for of_layer in log.errors.values() for error in of_layer]
    loss = fmean(log.losses) if log.losses else 0.0
    if not isfinite(loss):
        problem = f"the loss of epoch {epoch} is {loss}: the training diverged"
        raise InputError("training", "", problem, "train with a smaller learning rate")
    return EpochMetrics(
        epoch=epoch, train_loss=round(loss, 4), test_accuracy=round(accuracy, 4),
        predictor_cosine=_mean([error.cosine for error in errors]),
        predictor_relative_l2=_mean([error.relative_l2 for error in errors]),
        predictor_mape=_mean([error.mape for error in errors]),
    )  # fmt: skip


def _mean_error(errors: Sequence[PredictionError]) -> dict[str, float]:
    rows = [asdict(error) for error in errors]
    return {name: fmean(row[name] for row in rows) for name in rows[0]}


def _mean(values: Sequence[float]) -> float | None:
    """Return the mean, or None where there is none: not of nothing, nor of errors beside a gradient of zero."""
    mean = fmean(values) if values else nan
    return round(mean, 4) if isfinite(mean) else None


@contextmanager
def reproducible(seed: int) -> Iterator[None]:
    """Seed torch and run it on one thread, whose sums have one order; restore both at the end."""
    threads = torch.get_num_threads()
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            torch.set_num_threads(1)
            yield
    finally:
        torch.set_num_threads(threads)
