"""Record a training loop of a user's own: its first forward pass as layers, every batch as a phase.

    with record(model, dataset="CIFAR10", training_samples=50_000) as recording:
        for epoch in range(90):
            for images, labels in loader:
                recording.phase = "warm_up" if epoch < 10 else ...
                ...
            recording.end_epoch(train_loss=loss, test_accuracy=accuracy)
    write_trace(recording.trace(), Path("mine.yaml"))

The model trains as it would without: nothing is run twice, and the hooks go at the end.
"""

import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from workloads.foundation.errors import InputError, nearest
from workloads.foundation.validation import validate
from workloads.optimizers import OptimizerName
from workloads.pytorch.aten_call import tensors_in
from workloads.pytorch.gradient_flow import torch_tape
from workloads.pytorch.optimizer_watch import SeenOptimizer
from workloads.pytorch.recorder import Observer, argument_names, following_places
from workloads.recording.assembly import assemble, notes_of
from workloads.recording.recording import Recording, finished
from workloads.recording.tape import Tape
from workloads.schedule import PHASES, Phase, compress
from workloads.trace import Dataset, EpochMetrics, Provenance, Trace


class LoopRecording:
    """What is recorded of a training loop; `record` makes it.

    Every forward pass of the model in training mode counts as a batch, in the phase that `phase` names then.
    Passes in evaluation mode count for nothing. The layers are those of the first batch; what forward hooks compute
    beside the model, such as a predictor's forward pass, is none of them.
    """

    def __init__(
        self,
        model: nn.Module,
        network: str,
        dataset: str,
        training_samples: int | None,
        optimizer: OptimizerName | None,
    ) -> None:
        self._model = model
        self._network = network
        self._dataset = dataset
        self._training_samples = training_samples
        self._optimizer = SeenOptimizer(model, optimizer)
        self._phase: Phase = "bp"
        self._epochs: list[list[Phase]] = []
        self._running: list[Phase] = []
        self._metrics: list[EpochMetrics] = []
        self._batch_size = 0
        self._recording: Recording | None = None

    @property
    def phase(self) -> Phase:
        """The phase of the batches that follow; ``bp`` at first."""
        return self._phase

    @phase.setter
    def phase(self, phase: Phase) -> None:
        if phase not in PHASES:
            raise InputError("recording", "phase", f"is {phase!r}", nearest(phase, PHASES))
        self._phase = phase

    def end_epoch(self, train_loss: float | None = None, test_accuracy: float | None = None, **errors: float) -> None:
        """End an epoch, with what was measured in it.

        Parameters
        ----------
        train_loss, test_accuracy : float, optional
            Both in every epoch, or in none; the accuracy is from 0 to 1.
        **errors : float
            The predictor's, as a trace names them: ``predictor_cosine`` and the like.

        Raises
        ------
        InputError
            If no batch ran, or only some epochs have metrics.
        """
        if not self._running:
            raise InputError("recording", "end_epoch", "no batch has run in this epoch", "call it after its batches")
        measured = train_loss is not None and test_accuracy is not None
        if len(self._metrics) != (len(self._epochs) if measured else 0):
            raise InputError("recording", "end_epoch", "metrics in some epochs only", "give them in every one or none")
        if measured:
            row = {"epoch": len(self._epochs) + 1, "train_loss": train_loss, "test_accuracy": test_accuracy, **errors}
            self._metrics.append(validate(EpochMetrics, row, "recording.end_epoch"))
        self._epochs.append(self._running)
        self._running = []

    def trace(self) -> Trace:
        """Return the trace of what ran; batches after the last `end_epoch` make an epoch without an end.

        Raises
        ------
        InputError
            If nothing was recorded.
        """
        if self._recording is None:
            raise InputError(
                "recording", "", "no forward pass in training mode ran to its end", "train inside the with block"
            )
        if self._running and self._metrics:
            raise InputError("recording", "", "batches follow the last epoch", "call end_epoch after them")
        epochs = [*self._epochs, self._running] if self._running else self._epochs
        samples = self._training_samples or len(epochs[0]) * self._batch_size
        provenance = Provenance(
            origin="trained", command=shlex.join(["python", *sys.argv]),
            notes=notes_of(self._recording, self._optimizer.notes),
        )  # fmt: skip
        return assemble(
            self._recording,
            self._network,
            Dataset(name=self._dataset, training_samples=samples),
            self._batch_size,
            compress("recorded", epochs),
            provenance,
            tuple(self._metrics),
            self._optimizer.name,
        )

    @contextmanager
    def _watching(self) -> Iterator[None]:
        """Count batches, and record the first in which all parameters have their shapes."""
        first = ExitStack()
        tape: Tape | None = None

        def begin(module: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
            nonlocal tape
            if not module.training:
                return
            self._running.append(self._phase)
            if self._batch_size == 0 and not any(map(is_lazy, module.parameters())):  # lazy ones get shapes in a pass
                inputs = _tensors(module, args, kwargs)
                self._batch_size = next(iter(inputs.values())).shape[0]
                tape = torch_tape(self._batch_size, dict(module.named_parameters()))
                for name, tensor in inputs.items():
                    tape.add_input(name, tensor)
                first.enter_context(following_places(module, tape, in_loop=True))
                first.enter_context(tape.flow.following())
                first.enter_context(Observer(tape))

        def end(module: nn.Module, args: object, output: object) -> None:
            nonlocal tape
            if not module.training:
                return
            first.close()
            if output is None:  # the pass ended in an exception: no batch
                self._running.pop()
                if self._recording is None:
                    self._batch_size, tape = 0, None
            elif self._recording is None and tape is not None:
                self._recording = finished(tape, type(module).__name__)

        handles = (
            self._model.register_forward_pre_hook(begin, with_kwargs=True),
            self._model.register_forward_hook(end, always_call=True),
        )
        try:
            with self._optimizer.watching():
                yield
        finally:
            first.close()
            for handle in handles:
                handle.remove()


@contextmanager
def record(
    model: nn.Module,
    network: str | None = None,
    dataset: str = "unnamed",
    training_samples: int | None = None,
    optimizer: OptimizerName | None = None,
) -> Iterator[LoopRecording]:
    """Record the training loop inside this context.

    Parameters
    ----------
    model : nn.Module
        The model that is trained; each of its forward passes in training mode is a batch.
    network : str, optional
        What the trace calls it; its class's name if nothing is given.
    dataset : str
        What the trace calls the data set.
    training_samples : int, optional
        Size of the training part; else the batches of the first epoch times their size.
    optimizer : str
        What updates the network: ``sgd``, ``sgd_momentum`` or ``adam``; else what is seen to step.
    """
    recording = LoopRecording(model, network or type(model).__name__, dataset, training_samples, optimizer)
    with recording._watching():
        yield recording


def _tensors(model: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """Return the tensors among a forward pass's arguments by name, those in lists numbered."""
    named = dict(zip(argument_names(model, len(args)), args, strict=True)) | dict(kwargs)
    found: dict[str, torch.Tensor] = {}
    for name, value in named.items():
        leaves = [leaf for leaf in tensors_in(value) if leaf.dim()]
        for index, leaf in enumerate(leaves):
            found[name if leaf is value else f"{name}.{index}"] = leaf
    if not found:
        raise InputError("recording", "", "the model's forward pass takes no tensor", "give it its inputs as tensors")
    return found
