"""`adagp-sim trace export`, once its options are read."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simulator.api.traces import export_command
from simulator.cli.progress import progress, waiting
from simulator.cli.volume import Volume, volume
from workloads.foundation.atomic import check_writable
from workloads.foundation.errors import InputError
from workloads.foundation.printable import printable
from workloads.networks import find_recipe, recipe_names
from workloads.optimizers import OptimizerName
from workloads.trace import Trace, load_policy
from workloads.trace_writer import write_trace

if TYPE_CHECKING:
    from workloads.networks.recipe import Recipe
    from workloads.pytorch.controls import Result
    from workloads.schedule import Policy
    from workloads.trace import EpochMetrics

ALL = "all"


@dataclass(frozen=True, slots=True)
class TrainingRequest:
    """What the options for a training ask for; each field is the option of its name."""

    seed: int = 0
    checkpoint: Path | None = None
    controls: int | None = None
    jobs: int | None = None
    runs: Path | None = None


@dataclass(frozen=True)
class OwnModel:
    """What the options for a model of the user's say; each field is the option of its name."""

    model: str
    inputs: tuple[str, ...]
    samples: int
    name: str | None = None
    dataset: str = "unnamed"
    optimizer: OptimizerName = "sgd_momentum"


def export_trace(
    network: str | None, own: OwnModel | None, schedule: str, epochs: int | None, training: TrainingRequest,
    out: Path | None,
) -> None:  # fmt: skip
    """Train or record a network, or record all that are not trained, and write the traces."""
    _check_training(network, training)
    load_policy(schedule)  # before the places of outputs: no output may be written over it
    if training.checkpoint is not None:
        check_writable(training.checkpoint)
    if network == ALL:
        _export_all(schedule, epochs, Path() if out is None else out)
        return
    if out is not None or network is not None:  # else the file is named after the model's class, once it is recorded
        check_writable(Path(f"{network}.yaml") if out is None else out)
    if network is not None and find_recipe(network).training is not None:
        trace = _named(network, schedule, epochs, training)
    else:
        with waiting(f"record {network or (own.model if own is not None else '')}"):
            trace = _recorded(network, own, schedule, epochs, training)
    path = Path(f"{network or trace.network}.yaml") if out is None else out
    write_trace(trace, path)
    click.echo(f"{path}: {_line(trace)}")
    if trace.metrics:
        click.echo(f"test accuracy after {len(trace.metrics)} epochs: {trace.metrics[-1].test_accuracy:.2%}")
    _tell_unrecorded(trace)


def _recorded(
    network: str | None, own: OwnModel | None, schedule: str, epochs: int | None, training: TrainingRequest
) -> Trace:
    if network is not None:
        return _named(network, schedule, epochs, training)
    assert own is not None
    return _own(own, schedule, epochs)


def _check_training(network: str | None, training: TrainingRequest) -> None:
    """Refuse options of a training where nothing is trained."""
    given = {
        "--checkpoint": training.checkpoint, "--controls": training.controls, "--jobs": training.jobs,
        "--runs": training.runs,
    }  # fmt: skip
    for option, value in given.items():
        if value is not None and (network in (None, ALL) or find_recipe(network or "").training is None):
            trained = ", ".join(name for name in recipe_names() if find_recipe(name).training is not None)
            raise InputError(option, "", f"is for a network that is trained: {trained}", "name it, or leave it out")
    for option in ("--jobs", "--runs"):
        if given[option] is not None and training.controls is None:
            raise InputError(option, "", "is for the runs of --controls", "add --controls N, or leave it out")


def _export_all(schedule: str, epochs: int | None, folder: Path) -> None:
    """Record every network whose recipe has no training; a trained trace is another one on every machine."""
    if folder.exists() and not folder.is_dir():
        raise InputError("--out", "", f"{folder} is no folder", "give a folder for the traces of all networks")
    names = [name for name in recipe_names() if find_recipe(name).training is None]
    with progress(len(names)) as say:
        for name in names:
            trace = _named(name, schedule, epochs, TrainingRequest())
            write_trace(trace, folder / f"{name}.yaml")
            say(f"{name}: {_line(trace)}")
            _tell_unrecorded(trace)
    click.echo(f"{folder}: {len(names)} traces")


def _line(trace: Trace) -> str:
    return f"{len(trace.layers)} layers, {trace.schedule.batches:,} batches ({trace.provenance.origin})"


def _tell_unrecorded(trace: Trace) -> None:
    missing = () if volume() is Volume.QUIET else trace.provenance.unrecorded
    if missing:
        click.echo("not recorded as it is:")
    for note in missing:
        click.echo(f"  {printable(note)}")


def _named(network: str, schedule: str, epochs: int | None, training: TrainingRequest) -> Trace:
    recipe, policy = find_recipe(network), load_policy(schedule)
    command = export_command(network, schedule, epochs, training.seed, training.controls)
    from workloads.pytorch.export import export_recorded

    if recipe.training is None:
        return export_recorded(recipe, policy, command, epochs)
    return _trained(recipe, policy, command, epochs, training)


def _trained(recipe: "Recipe", policy: "Policy", command: str, epochs: int | None, training: TrainingRequest) -> Trace:
    from workloads.pytorch.export import export_trained

    with progress(epochs or policy.epochs) as say:

        def on_epoch(metrics: "EpochMetrics", total: int) -> None:
            say(
                f"epoch {metrics.epoch} of {total}: loss {metrics.train_loss:.4f}, accuracy {metrics.test_accuracy:.2%}"
            )

        trace = export_trained(recipe, policy, command, epochs, training.seed, on_epoch, training.checkpoint)
    if training.controls is None:
        return trace
    from workloads.pytorch.export_controls import runs_beside, with_controls

    with progress(runs_beside(training.controls)) as say:

        def on_result(result: "Result") -> None:
            last = result.run.metrics[-1].test_accuracy
            say(f"{result.control.title}, seed {result.seed}: accuracy {last:.2%}")

        return with_controls(
            trace, recipe.name, policy, epochs, training.seed, training.controls, training.jobs or 1, on_result,
            training.runs,
        )  # fmt: skip


def _own(own: OwnModel, schedule: str, epochs: int | None) -> Trace:
    from workloads.pytorch.export import export_model

    shapes, dtypes = zip(*(_input(text) for text in own.inputs), strict=True)
    options = [part for text in own.inputs for part in ("--input", text)]
    options += ["--samples", str(own.samples), "--schedule", schedule]
    options += [] if epochs is None else ["--epochs", str(epochs)]
    options += [] if own.name is None else ["--name", own.name]
    options += [] if own.dataset == OwnModel.dataset else ["--dataset", own.dataset]
    options += [] if own.optimizer == OwnModel.optimizer else ["--optimizer", own.optimizer]
    command = shlex.join(["adagp-sim", "trace", "export", "--model", own.model, *options])
    return export_model(
        own.model, shapes, load_policy(schedule), own.samples, command, own.dataset, dtypes, epochs, own.name,
        own.optimizer,
    )  # fmt: skip


def _input(text: str) -> tuple[tuple[int, ...], str]:
    """Read ``128x3x32x32``, or ``128x20:int64`` for another type than float32."""
    sizes, _, dtype = text.partition(":")
    try:
        shape = tuple(int(size) for size in sizes.split("x"))
    except ValueError:
        shape = ()
    if not shape or min(shape) < 1:
        raise InputError("--input", text, "not a shape", "write sizes with x between them, such as 128x3x32x32")
    return shape, dtype or "float32"
