"""The trace: a workload as a PyTorch run exported it. docs/trace-format.md describes the file."""

from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PositiveInt, model_validator

from workloads.control_runs import Accuracy, ControlRuns, check_controls
from workloads.foundation.errors import InputError
from workloads.foundation.kinds import check_kind
from workloads.foundation.logs import stage
from workloads.foundation.shipped import resolve
from workloads.foundation.strict_yaml import read_yaml
from workloads.foundation.validation import StrictModel, VersionOne, validate
from workloads.graph import check_graph
from workloads.layers import Conv2d, Extent, Layer, Linear, MacLayer, Matmul, gradient_words_per_channel
from workloads.not_a_trace import check_ending
from workloads.optimizers import OptimizerName
from workloads.predictor import Predictor
from workloads.predictor_errors import LayerErrors, check_predictor_errors
from workloads.schedule import Count, Policy, Schedule

TRACE_VERSION = 1
# Begins the notes of a trace that tell what its recorder or importer could not record.
NOT_RECORDED = "Not recorded as it is: "
# What a run measured, taken away: it does not hold for another run.
_UNMEASURED: dict[str, Any] = {"metrics": (), "predictor_errors": {}, "controls": ()}


class Dataset(StrictModel):
    """What the network was trained on.

    Attributes
    ----------
    training_samples : int
        Fixes the batches of an epoch when a schedule is planned.
    drop_last : bool
        Whether an epoch leaves out a last batch that is not full.
    """

    name: str
    training_samples: Count
    drop_last: bool = False

    def batches_per_epoch(self, batch_size: int) -> int:
        """Return the batches of an epoch; a partial one counts as a whole."""
        return self.training_samples // batch_size if self.drop_last else -(-self.training_samples // batch_size)


class EpochMetrics(StrictModel):
    """What the run measured at the end of one epoch; only trained traces have it.

    The predictor's errors are means over predicted layers and BP or Warm Up batches; `mape` diverges
    near zero gradients, so cosine and relative L2 are there as well.
    """

    epoch: PositiveInt
    train_loss: float
    test_accuracy: Accuracy
    predictor_cosine: float | None = None
    predictor_relative_l2: float | None = None
    predictor_mape: float | None = None


class Provenance(StrictModel):
    """Where a trace comes from.

    `origin` is `trained` (a run went to its end) or `recorded` (shapes only, nothing was trained;
    its schedule is planned by a policy).
    """

    origin: Literal["trained", "recorded", "imported"]
    command: str
    packages: dict[str, str] = {}
    settings: dict[str, str | int | float | bool] = {}
    notes: tuple[str, ...] = ()

    @property
    def unrecorded(self) -> tuple[str, ...]:
        """The parts of the model that are not in the trace exactly."""
        return tuple(note.removeprefix(NOT_RECORDED) for note in self.notes if note.startswith(NOT_RECORDED))


class Trace(StrictModel):
    """A workload: layers, predictor, and the sequence of batches."""

    version: VersionOne
    network: str
    dataset: Dataset
    batch_size: PositiveInt
    inputs: Annotated[dict[str, tuple[Extent, ...]], Field(min_length=1)]
    optimizer: OptimizerName = "sgd_momentum"
    predictor: Predictor
    layers: Annotated[tuple[Layer, ...], Field(min_length=1)]
    schedule: Schedule
    metrics: tuple[EpochMetrics, ...] = ()
    predictor_errors: dict[str, LayerErrors] = {}
    controls: tuple[ControlRuns, ...] = ()
    provenance: Provenance

    @model_validator(mode="after")
    def _parts_fit(self) -> "Trace":
        check_graph(self.layers, self.inputs)
        if not self.mac_layers:
            raise InputError("", "layers", "no layer has multiply-accumulates", "add a conv2d, linear or matmul layer")
        for index, layer in enumerate(self.layers):
            if isinstance(layer, Conv2d | Linear) and layer.predicted:
                words = gradient_words_per_channel(layer)
                if words > self.predictor.outputs:
                    raise InputError(
                        "", "predictor.outputs", f"is {self.predictor.outputs}, narrower than layers[{index}] "
                        f"({layer.id}), which has {words} gradients an output channel",
                        f"give at least {words} or set predicted: false there",
                    )  # fmt: skip
        if self.metrics and len(self.metrics) != self.schedule.epoch_count:
            raise InputError(
                "",
                "metrics",
                f"{len(self.metrics)} entries for {self.schedule.epoch_count} epochs",
                "give one an epoch, or none",
            )
        for index, row in enumerate(self.metrics):
            if row.epoch != index + 1:
                raise InputError("", f"metrics[{index}].epoch", f"is {row.epoch}", f"write epoch: {index + 1}")
        epochs = self.schedule.epoch_count
        check_predictor_errors(self.predictor_errors, self.provenance.origin, self.predicted_layers, epochs)
        check_controls(self.controls, self.provenance.origin, epochs)
        return self

    @cached_property
    def mac_layers(self) -> tuple[MacLayer, ...]:
        """The layers that run on a PE array, in the order of the forward pass."""
        return tuple(layer for layer in self.layers if isinstance(layer, Conv2d | Linear | Matmul))

    @property
    def predicted_layers(self) -> tuple[str, ...]:
        """The ids of the layers whose gradients ADA-GP predicts, in the order of the forward pass."""
        return tuple(layer.id for layer in self.layers if isinstance(layer, Conv2d | Linear) and layer.predicted)

    def with_batch_size(self, batch_size: int) -> "Trace":
        """Return the run with another batch size; its sequence of batches stays, what was measured does not."""
        if batch_size < 1:
            raise InputError("--batch-size", "", f"is {batch_size}", "give at least 1")
        if batch_size == self.batch_size:
            return self
        return self.model_copy(update={"batch_size": batch_size} | _UNMEASURED)

    def with_schedule(self, policy: Policy) -> "Trace":
        """Return the workload under another schedule: its epochs, batches from the data set's size."""
        batches = self.dataset.batches_per_epoch(self.batch_size)
        schedule = policy.expand(batches)
        return self.model_copy(update={"schedule": schedule} | _UNMEASURED)


def load_trace(name_or_path: str | Path) -> Trace:
    """Read and check a trace, given by its path or by the name of a shipped one.

    Raises
    ------
    InputError
        If the file is missing, is no YAML, or does not follow the format.
    """
    path = resolve(str(name_or_path), "traces", "trace")
    check_ending(path)
    with stage(f"read and check the trace {path.name}"):
        data = read_yaml(path)
        check_kind(data, str(path), "traces", "trace")
        return validate(Trace, data, str(path))


def load_policy(name_or_path: str | Path) -> Policy:
    """Read a schedule policy, given by its path or by the name of a shipped one."""
    path = resolve(str(name_or_path), "configs/schedules", "schedule")
    data = read_yaml(path)
    check_kind(data, str(path), "configs/schedules", "schedule")
    return validate(Policy, data, str(path))
