"""The predictor's errors of a run, as its trace holds them."""

from collections.abc import Sequence
from dataclasses import asdict, fields
from math import isfinite

from workloads.layers import Conv2d, Layer, Linear
from workloads.predictor_errors import LayerErrors
from workloads.pytorch.gradient_prediction import PredictionError
from workloads.pytorch.similarity import Similarity
from workloads.pytorch.training import Run

_DIGITS = 4  # significant ones: mean squared errors are far below 1


def layer_errors(run: Run, layers: Sequence[Layer]) -> dict[str, LayerErrors]:
    """Return the errors of each predicted layer that has some, in the order of the forward pass.

    A module that ran under another name than its layer's, such as one that is shared, is left out.
    """
    known = {name for epoch in run.layer_errors for name in epoch}
    predicted = (layer.id for layer in layers if isinstance(layer, Conv2d | Linear) and layer.predicted)
    return {name: _of_layer(run, name) for name in predicted if name in known}


def _of_layer(run: Run, layer: str) -> LayerErrors:
    errors = [_finite(epoch.get(layer)) for epoch in run.layer_errors]
    alike = [None if error is None else epoch.get(layer) for error, epoch in zip(errors, run.similarity, strict=True)]
    return LayerErrors(
        **{field.name: tuple(_rounded(one, field.name) for one in errors) for field in fields(PredictionError)},
        **{field.name: tuple(_rounded(one, field.name) for one in alike) for field in fields(Similarity)},
    )


def _finite(error: PredictionError | None) -> PredictionError | None:
    """Return an error, or None where the run has diverged: a trace holds numbers."""
    return error if error is not None and all(isfinite(value) for value in asdict(error).values()) else None


def _rounded(one: PredictionError | Similarity | None, name: str) -> float | None:
    return None if one is None else float(f"{getattr(one, name):.{_DIGITS}g}")
