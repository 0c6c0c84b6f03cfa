"""Make traces from Python: record a model, export one of the project's networks, import another tool's file."""

import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulator.api.inputs import check_name, check_whole
from simulator.api.messages import pythonic
from simulator.machine.importers import check_no_machine
from workloads.foundation.errors import InputError
from workloads.importers import Importer, InputOptions, find_importer, importer_of
from workloads.layers import Conv2d, Linear, gradient_words_per_channel
from workloads.networks import find_recipe
from workloads.optimizers import OPTIMIZERS, OptimizerName
from workloads.predictor import Predictor
from workloads.schedule import Policy
from workloads.trace import Dataset, EpochMetrics, Provenance, Trace, load_policy
from workloads.trace_writer import write_trace

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from torch import nn

    from workloads.pytorch.controls import Result
    from workloads.pytorch.training_loop import LoopRecording

SAMPLES = 50_000  # of a training run whose data set has no known size


def _silent(_: str) -> None:
    return


@pythonic
def record_loop(
    model: "nn.Module",
    *,
    name: str | None = None,
    dataset: str = "unnamed",
    samples: int | None = None,
    optimizer: OptimizerName | None = None,
) -> "AbstractContextManager[LoopRecording]":
    """Record the training loop that runs inside this context; `trace()` of what it gives returns the trace.

    Parameters
    ----------
    model : nn.Module
        The model that is trained; each of its forward passes in training mode is a batch.
    name, dataset : str
        What the trace calls the network (else its class's name) and the data set.
    samples : int, optional
        Training samples of the data set; else those of the first epoch.
    optimizer : str, optional
        What updates the network: `sgd`, `sgd_momentum`, `adam`; else what is seen to step on it.

    Raises
    ------
    InputError
        If an argument is wrong, or PyTorch is not installed.
    """
    check_whole("samples", samples)
    if optimizer is not None:
        check_name("optimizer", optimizer, OPTIMIZERS)
    if not hasattr(model, "state_dict") or isinstance(model, type):
        raise InputError("model", "", f"is {model!r}", "give the nn.Module that the loop trains")
    from workloads.pytorch.training_loop import record as record_training

    return record_training(model, name, dataset, samples, optimizer)


@pythonic
def record(
    model: "str | Callable[[], nn.Module]",
    inputs: Sequence[int] | Sequence[Sequence[int]],
    *,
    input_types: Sequence[str] = (),
    schedule: Policy | str | Path = "paper",
    epochs: int | None = None,
    samples: int = SAMPLES,
    name: str | None = None,
    dataset: str = "unnamed",
    optimizer: OptimizerName = "sgd_momentum",
) -> Trace:
    """Record any PyTorch model as a trace; nothing is trained.

    Parameters
    ----------
    model : callable or str
        What returns the model when called without arguments, such as its class; or ``"module:callable"``.
    inputs : shape, or sequence of shapes
        Of the arguments of its `forward`, the batch first: ``(128, 3, 32, 32)``.
    input_types : sequence of str
        Their types as torch calls them, such as ``int64`` for indices; float32 where none is given.
    schedule : Policy, str or Path
        The sequence of batches: a shipped name or a file.
    epochs : int, optional
        Number of epochs, if not the schedule's own.
    samples : int
        Training samples of the data set, which fix the batches of an epoch.
    name, dataset : str
        What the trace calls the network (else its class's name) and the data set.
    optimizer : str
        What updates the network: `sgd`, `sgd_momentum`, `adam`, ...

    Raises
    ------
    InputError
        If the model or a shape does not fit, or PyTorch is not installed.
    """
    if not isinstance(model, str) and hasattr(model, "state_dict") and not isinstance(model, type):
        kind = type(model).__name__
        raise InputError("model", "", f"is a model, a {kind}", f"give what makes it: {kind}, or lambda: {kind}(...)")
    if isinstance(inputs, str | int):
        raise InputError("inputs", "", f"is {inputs!r}", "give a shape, such as (64, 3, 32, 32), or several")
    check_name("optimizer", optimizer, OPTIMIZERS)
    from workloads.pytorch.export import export_model

    shapes = [inputs] if all(isinstance(size, int) for size in inputs) else inputs
    policy = schedule if isinstance(schedule, Policy) else load_policy(schedule)
    target = model if isinstance(model, str) else getattr(model, "__qualname__", type(model).__name__)
    command = f"adagp_sim.record({target}, {[tuple(shape) for shape in shapes]})"  # type: ignore[arg-type]
    return export_model(
        model, shapes, policy, samples, command, dataset, input_types, epochs, name, optimizer,  # type: ignore[arg-type]
    )  # fmt: skip


@pythonic
def export_trace(
    network: str,
    *,
    schedule: str | Path = "paper",
    epochs: int | None = None,
    seed: int = 0,
    checkpoint: str | Path | None = None,
    controls: int | None = None,
    jobs: int = 1,
    runs: str | Path | None = None,
    progress: Callable[[str], Any] = _silent,
) -> Trace:
    """Return the trace of one of the project's networks, as ``adagp-sim trace export``; some are trained for it.

    Parameters
    ----------
    network : str
        Its name; ``adagp_sim.describe("networks")`` says which there are.
    schedule : str or Path
        The sequence of batches: a shipped name or a file.
    epochs : int, optional
        Number of epochs, if not the schedule's own.
    seed : int
        Of a training: for the initial weights and the order of the samples.
    checkpoint : str or Path, optional
        Of a training: saved after every epoch; the run resumes from it if it exists.
    controls : int, optional
        Of a training: also train ADA-GP and its controls with so many seeds (docs/training.md).
    jobs : int
        Processes at once for the controls.
    runs : str or Path, optional
        Folder of the controls' checkpoints: runs that ended are not made again.
    progress : callable, optional
        Called with a line for each epoch of a training, and for each run of a control, such as ``print``.

    Raises
    ------
    InputError
        If there is no such network, or PyTorch is not installed.
    """
    from workloads.pytorch.export import export_recorded, export_trained

    recipe, policy = find_recipe(network), load_policy(schedule)
    check_whole("controls", controls)
    command = export_command(network, str(schedule), epochs, seed, controls)
    if recipe.training is None:
        if controls is not None:
            raise InputError(network, "controls", "is for a network that is trained", "leave it out")
        return export_recorded(recipe, policy, command, epochs)

    def on_epoch(row: EpochMetrics, total: int) -> None:
        progress(f"epoch {row.epoch} of {total}: loss {row.train_loss:.4f}, accuracy {row.test_accuracy:.2%}")

    place = None if checkpoint is None else Path(checkpoint)
    trace = export_trained(recipe, policy, command, epochs, seed, on_epoch, place)
    if controls is None:
        return trace
    from workloads.pytorch.export_controls import with_controls

    def on_result(one: "Result") -> None:
        progress(f"{one.control.title}, seed {one.seed}: accuracy {one.run.metrics[-1].test_accuracy:.2%}")

    folder = None if runs is None else Path(runs)
    return with_controls(trace, network, policy, epochs, seed, controls, jobs, on_result, folder)


def export_command(network: str, schedule: str, epochs: int | None, seed: int, controls: int | None = None) -> str:
    """Return the command that makes a network's trace again.

    It does not say where a training is saved, or how many processes run: the trace is the same.
    """
    options = [] if schedule == "paper" else ["--schedule", schedule]
    options += [] if epochs is None else ["--epochs", str(epochs)]
    options += [] if seed == 0 else ["--seed", str(seed)]
    options += [] if controls is None else ["--controls", str(controls)]
    return shlex.join(["adagp-sim", "trace", "export", network, *options])


@pythonic
def import_trace(
    file: str | Path,
    *,
    format: str | None = None,
    batch_size: int | None = None,
    schedule: str | Path | None = None,
    samples: int | None = None,
    shapes: Mapping[str, Sequence[int]] | None = None,
    batch_axes: Mapping[str, int | None] | int | None = None,
) -> Trace:
    """Return another tool's workload as a trace; `provenance.notes` of it say what was chosen.

    Parameters
    ----------
    file : str or Path
        An ONNX model, or a SCALE-Sim topology.
    format : str, optional
        The format's name, if the file's ending does not tell it.
    batch_size : int, optional
        Samples a batch; else the file's, else 1.
    schedule : str or Path, optional
        The sequence of batches. Without it and `samples`, one batch: inference of one sample, training of several.
    samples : int, optional
        Training samples of the data set, which fix the batches of an epoch.
    shapes : mapping, optional
        Of an ONNX model: shapes of inputs by name, batch included, where dimensions are not fixed.
    batch_axes : mapping or int, optional
        Of an ONNX model: which dimension of the inputs, or of each by name, is the batch; None if it has none.

    Raises
    ------
    InputError
        If the file cannot be read, is a machine, or has nothing to train.
    """
    axes = batch_axes if isinstance(batch_axes, Mapping) else {} if batch_axes is None else {"": batch_axes}
    options = InputOptions({name: tuple(shape) for name, shape in (shapes or {}).items()}, axes)
    path = Path(file)
    return imported_trace(path, chosen_importer(path, format), options, batch_size, schedule, samples)


def chosen_importer(file: Path, name: str | None) -> Importer:
    """Return the importer of a format, or of a file's ending.

    Raises
    ------
    InputError
        If there is none, or the file is a machine.
    """
    check_no_machine(file)
    return importer_of(file) if name is None else find_importer(name)


def imported_trace(
    file: Path, importer: Importer, options: InputOptions, batch_size: int | None, schedule: str | Path | None,
    samples: int | None,
) -> Trace:  # fmt: skip
    """Return another tool's workload as a trace; `import_trace` says what the arguments are.

    What neither the file nor an option says is chosen: the batch the file's; without `schedule` and `samples` one
    batch, of inference where it is one sample. An error's notes say what is known of the file.
    """
    if schedule is not None:
        load_policy(schedule)  # so that a wrong name is an error before a large file is read
    found = importer.read(file, options)
    batch_size, notes = batch_size or found.batch_size, list(found.notes)
    if batch_size != found.batch_size != 1:
        notes.append(f"The file's batch size is {found.batch_size}; --batch-size takes {batch_size}.")
    if schedule is None and samples is None:
        schedule, samples = ("inference" if batch_size == 1 else "one-batch"), batch_size
        notes.append(f"The file says nothing of a training: the schedule is {schedule}, one batch; --schedule paper "
                     "--samples N plans ADA-GP's.")  # fmt: skip
    schedule, samples = schedule or "paper", samples or SAMPLES
    widths = [gradient_words_per_channel(layer) for layer in found.layers if isinstance(layer, Conv2d | Linear)]
    if not widths:
        problem = "no convolution or linear layer in it"
        refused = InputError(str(file), "", problem, "give a workload with weights to train")
        for note in found.notes:
            refused.add_note(note)
        raise refused
    dataset = Dataset(name="unnamed", training_samples=samples)
    words = ["--format", importer.name, "--batch-size", str(batch_size), "--schedule", str(schedule)]
    words += ["--samples", str(samples), *_input_words(options)]
    return Trace(
        version=1,
        network=file.name.partition(".")[0],
        dataset=dataset,
        batch_size=batch_size,
        inputs=found.inputs,
        predictor=Predictor(outputs=max(widths)),
        layers=found.layers,
        schedule=load_policy(schedule).expand(dataset.batches_per_epoch(batch_size)),
        provenance=Provenance(
            origin="imported", command=shlex.join(["adagp-sim", "trace", "import", file.name, *words]),
            notes=tuple(notes),
        ),
    )  # fmt: skip


def _input_words(options: InputOptions) -> list[str]:
    """Return the options of a command that say the same of a network's inputs."""
    words = []
    for name, shape in options.shapes.items():
        words += ["--shape", f"{name}={'x'.join(map(str, shape))}"]
    for name, axis in options.batch_axes.items():
        words += ["--batch-axis", f"{name + '=' if name else ''}{'none' if axis is None else axis}"]
    return words


@pythonic
def save_trace(trace: Trace, file: str | Path) -> Path:
    """Write a trace as YAML (packed where the name ends in ``.gz``), whole or not at all, and return its file.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    write_trace(trace, Path(file))
    return Path(file)
