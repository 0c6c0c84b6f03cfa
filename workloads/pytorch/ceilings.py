"""How well the gradients of a stream can be predicted: by the predictor, and by what bounds it."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import torch

from workloads.predictor import Predictor
from workloads.pytorch.gradient_prediction import PredictionError, prediction_error, train_predictor
from workloads.pytorch.gradient_stream import Sample, Stream
from workloads.pytorch.masked_adam import MaskedAdam
from workloads.pytorch.predictor_module import GradientPredictor
from workloads.pytorch.predictor_training import PredictorTraining
from workloads.pytorch.training import reproducible

# Of each batch, the errors of the layers that were predicted before it was learnt from.
Track = list[dict[str, PredictionError]]
# Added to the diagonal of the normal equations, as a share of its mean: the features are nearly dependent.
_RIDGE = 1e-3


def replay(
    stream: Stream, sizes: Predictor, rate: float, training: PredictorTraining, seed: int,
    milestones: Sequence[int] = (),
) -> Track:  # fmt: skip
    """Train a predictor on a stream as the reference training does, with its rate and milestones."""
    with reproducible(seed):
        predictor = GradientPredictor(sizes, stream.layers, training)
        optimizer = MaskedAdam(predictor, rate)
        track: Track = []
        for batch, epoch in zip(stream.batches, stream.epochs, strict=True):
            optimizer.follow(milestones, epoch - 1)
            # All layers' predictions are made in the forward pass, before any of the batch's gradients is there.
            predicted = {name: predictor.predict(name, images, true) for name, (images, true) in batch.items()}
            row = _errors(predicted, batch)
            track.append(row)
            for name in row:
                train_predictor(predictor, optimizer, name, *batch[name])
    return track


def running_mean(stream: Stream, decay: float) -> Track:
    """Predict each layer's gradient as the running mean of its past ones; with a decay of 0, as the last one."""
    means: dict[str, torch.Tensor] = {}
    track: Track = []
    for batch in stream.batches:
        track.append(_errors(means, batch))
        for name, (_, true) in batch.items():
            means[name] = torch.lerp(true, means[name], decay) if name in means else true
    return track


def least_squares(stream: Stream, sizes: Predictor, decay: float, shared: bool, seed: int) -> Track:
    """Predict with the fully connected layer that fits all past batches best, the newest most.

    Parameters
    ----------
    stream : Stream
        Gradients, divided by the running root mean square of their layer as the predictor's are.
    sizes : Predictor
        Of the predictor; inputs are standardised, and its convolution stays as it was drawn.
    decay : float
        What the weight of a batch is multiplied with for each batch that follows.
    shared : bool
        One layer for all, as the predictor has, or one for each of the network's layers, as it has not.
    seed : int
        Of the convolution.
    """
    with reproducible(seed), torch.no_grad():
        predictor = GradientPredictor(sizes, stream.layers, PredictorTraining(inputs="standardised"))
        sums: dict[Any, tuple[torch.Tensor, torch.Tensor]] = {}
        fit: dict[Any, torch.Tensor] = {}
        track: Track = []
        for batch in stream.batches:
            features = {name: predictor.features(images).double() for name, (images, _) in batch.items()}
            predicted = {}
            for name in batch if fit else ():
                columns = [fit[key] for key in _keys(batch, name, shared)]
                predicted[name] = (features[name] @ torch.cat(columns, 1)).float() * predictor.scale(name)
            track.append(_errors(predicted, batch))
            for name, (_, true) in batch.items():
                predictor.observe(name, true)
            targets = {name: predictor.target(name, true).double() for name, (_, true) in batch.items()}
            for key, gram, moment in _normal_equations(batch, features, targets, shared):
                old = sums.get(key)
                sums[key] = (gram, moment) if old is None else (gram + decay * old[0], moment + decay * old[1])
                fit[key] = _solve(*sums[key], ridge=_RIDGE)
    return track


def fit_to_batch(stream: Stream, sizes: Predictor, shared: bool, seed: int, every: int = 11) -> Track:
    """Fit the fully connected layer to each batch's own gradients: what the predictor's form can express.

    No prediction: the gradients fitted are those compared with. Only one batch of `every` is done.
    """
    with reproducible(seed), torch.no_grad():
        predictor = GradientPredictor(sizes, stream.layers, PredictorTraining(inputs="standardised"))
        track: Track = [{} for _ in stream.batches]
        for index in range(0, len(stream.batches), every):
            batch = stream.batches[index]
            features = {name: predictor.features(images).double() for name, (images, _) in batch.items()}
            norm = {name: true.square().mean().sqrt().clamp_min(1e-30) for name, (_, true) in batch.items()}
            targets = {name: (true / norm[name]).double() for name, (_, true) in batch.items()}
            equations = _normal_equations(batch, features, targets, shared)
            fit = {key: _solve(gram, moment, ridge=1e-9) for key, gram, moment in equations}
            track[index] = _errors({
                name: (features[name] @ torch.cat([fit[key] for key in _keys(batch, name, shared)], 1)).float()
                * norm[name] for name in batch
            }, batch)  # fmt: skip
    return track


def _errors(predicted: dict[str, torch.Tensor], batch: dict[str, Sample]) -> dict[str, PredictionError]:
    errors = {name: prediction_error(values, batch[name][1]) for name, values in predicted.items()}
    return {name: error for name, error in errors.items() if error is not None}


def _keys(batch: dict[str, Sample], layer: str, shared: bool) -> list[Any]:
    """Return the blocks of columns that make up a layer's gradient: those between the widths that masks have."""
    width = batch[layer][1].shape[1]
    if not shared:
        return [(layer, 0, width)]
    edges = sorted({0, *(true.shape[1] for _, true in batch.values())})
    return [("all", low, high) for low, high in pairwise(edges) if high <= width]


def _normal_equations(
    batch: dict[str, Sample], features: dict[str, torch.Tensor], targets: dict[str, torch.Tensor], shared: bool
) -> Iterator[tuple[Any, torch.Tensor, torch.Tensor]]:
    """Give each block of columns with the sums of F'F and F'G over the layers that have it."""
    users: dict[Any, list[str]] = {}
    for name in batch:
        for key in _keys(batch, name, shared):
            users.setdefault(key, []).append(name)
    for key, names in users.items():
        _, low, high = key
        gram, moment = 0, 0
        for name in names:
            # The predictor's loss is a mean over a layer's elements, so each layer counts by its channels and width.
            share = 1 / targets[name].numel()
            gram = gram + share * features[name].T @ features[name]
            moment = moment + share * features[name].T @ targets[name][:, low:high]
        yield key, torch.as_tensor(gram), torch.as_tensor(moment)


def _solve(gram: torch.Tensor, moment: torch.Tensor, ridge: float) -> torch.Tensor:
    eye = torch.eye(len(gram), dtype=gram.dtype)
    # Features that are zero throughout would leave nothing to divide by.
    return torch.linalg.solve(gram + (ridge * gram.diagonal().mean() + 1e-30) * eye, moment)
