"""Put a trace together from what was recorded: predictor, notes, schedule and where it comes from."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from workloads.foundation.errors import InputError
from workloads.layers import Conv2d, Linear, gradient_words_per_channel
from workloads.optimizers import OptimizerName
from workloads.predictor import Predictor
from workloads.predictor_errors import LayerErrors
from workloads.recording.recording import Recording
from workloads.schedule import Schedule
from workloads.trace import NOT_RECORDED, Dataset, EpochMetrics, Provenance, Trace


def predictor_of(recording: Recording) -> Predictor:
    """Return the predictor that is wide enough for every layer.

    Raises
    ------
    InputError
        If no layer has weights.
    """
    weighted = _weighted(recording)
    predicted = [layer for layer in weighted if layer.predicted] or weighted
    widths = [gradient_words_per_channel(layer) for layer in predicted]
    if not widths:
        raise InputError(
            "layers", "", "none is a convolution or linear layer", "export a network with weights to predict"
        )
    return Predictor(outputs=max(widths))


def notes_of(recording: Recording, more: Sequence[str] = ()) -> tuple[str, ...]:
    """Return what a reader has to know of a recording: what is predicted, what is missing, and `more` of it."""
    weighted = _weighted(recording)
    linear = [layer.id for layer in weighted if isinstance(layer, Linear)]
    ending = f", the last linear layer ({linear[-1]}) included" if linear else ""
    predicted = [layer for layer in weighted if layer.predicted]
    if len(predicted) == len(weighted):
        text = f"All {len(weighted)} convolution and linear layers are predicted{ending}."
    else:
        text = f"{len(predicted)} of {len(weighted)} convolution and linear layers are predicted; frozen: the others."
    return (text, *recording.missing_notes, *(f"{NOT_RECORDED}{note}" for note in more))


def assemble(
    recording: Recording,
    network: str,
    dataset: Dataset,
    batch_size: int,
    schedule: Schedule,
    provenance: Provenance,
    metrics: tuple[EpochMetrics, ...] = (),
    optimizer: OptimizerName = "sgd_momentum",
    predictor_errors: Mapping[str, LayerErrors] = MappingProxyType({}),
) -> Trace:
    """Return the trace of a recording."""
    return Trace(
        version=1, network=network, dataset=dataset, batch_size=batch_size, inputs=recording.inputs,
        optimizer=optimizer, predictor=predictor_of(recording), layers=recording.layers, schedule=schedule,
        metrics=metrics, predictor_errors=dict(predictor_errors), provenance=provenance,
    )  # fmt: skip


def _weighted(recording: Recording) -> list[Conv2d | Linear]:
    return [layer for layer in recording.layers if isinstance(layer, Conv2d | Linear)]
