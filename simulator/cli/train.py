"""`adagp-sim train`: train networks with ADA-GP in PyTorch, and study how well it learns."""

from inspect import unwrap
from pathlib import Path
from typing import Any, get_args

import click

from simulator.cli.options import AboveZero, GivenPath, Named
from workloads.pytorch.predictor_training import Inputs, Start, Targets

_FILE = GivenPath(path_type=Path)


@click.group()
def train() -> None:
    """Train with ADA-GP in PyTorch, and without prediction to compare (pip install '.[torch]' in a clone)."""


@train.command()
@click.argument("network", default="digits-cnn")
@click.option(
    "--schedule",
    default="paper",
    show_default=True,
    metavar="NAME",
    help="Schedule: which batches are Warm Up, Phase BP, Phase GP.",
)
@click.option("--epochs", type=click.IntRange(min=1), metavar="N", help="Number of epochs. Default: the schedule's.")
@click.option(
    "--seed", default=0, show_default=True, help="Seed of the initial weights and of the order of the samples."
)
@click.option("--checkpoint", type=_FILE, metavar="FILE",
              help="Checkpoint file: saved after every epoch, resumed if it exists.")  # fmt: skip
@click.option("--plateau", is_flag=True, help="Lower the network's learning rate with ReduceLROnPlateau.")
@click.option("--milestone", "milestones", type=click.IntRange(min=1), multiple=True, metavar="EPOCH",
              help="Divide the predictor's learning rate by 10 after this epoch. Repeatable.")  # fmt: skip
@click.option("--predictor-rate", type=AboveZero(), metavar="RATE",
              help="Learning rate of the predictor. Default: that of the network's recipe.")  # fmt: skip
@click.option(
    "--predictor-inputs",
    "inputs",
    type=Named(get_args(Inputs)),
    help="Inputs of the predictor: as they are, or standardised.",
)
@click.option(
    "--predictor-targets",
    "targets",
    type=Named(get_args(Targets)),
    help="Targets of the predictor: gradients as they are, or divided by an RMS.",
)
@click.option(
    "--predictor-start",
    "start",
    type=Named(get_args(Start)),
    help="First weights of the predictor's linear layer.",
)
@click.option(
    "--predictor-steps",
    "steps",
    type=click.IntRange(min=1),
    metavar="N",
    help="Training steps of the predictor on each true gradient.",
)
@click.option("--predictor-biases", "biases", is_flag=True, default=None, help="Give the predictor biases.")
@click.option("--sparsity/--no-sparsity", default=True, show_default=True,
              help="Record the share of zeros of inputs, weights and output gradients.")  # fmt: skip
@click.option(
    "--data", type=_FILE, metavar="DIR", help="Folder of Fashion-MNIST, CIFAR10, CIFAR100 or ImageNet-like images."
)
@click.option(
    "--per-class",
    type=click.IntRange(min=1),
    metavar="N",
    help="With --data: use only the first N images of each class.",
)
@click.option("--out", type=_FILE, metavar="FILE", help="File of the trace. Default: NETWORK.yaml in this folder.")
def reference(
    network: str, schedule: str, epochs: int | None, seed: int, checkpoint: Path | None, plateau: bool,
    milestones: tuple[int, ...], predictor_rate: float | None, sparsity: bool, data: Path | None,
    per_class: int | None, out: Path | None, **choices: Any,
) -> None:  # fmt: skip
    """Train NETWORK (see adagp-sim list) with ADA-GP and write its trace.

    Without options it does the same as trace export. A run with --checkpoint can be stopped and resumed.
    """
    from simulator.api.training import train_reference
    from simulator.cli.progress import progress
    from workloads.foundation.atomic import check_writable
    from workloads.networks import find_recipe
    from workloads.trace import load_policy
    from workloads.trace_writer import write_trace

    find_recipe(network)  # before the places of outputs: no output may be the schedule's own file
    policy = load_policy(schedule)
    path = Path(f"{network}.yaml") if out is None else out
    for place in (path, checkpoint):
        if place is not None:
            check_writable(place)
    with progress(epochs or policy.epochs) as say:
        trace = unwrap(train_reference)(
            network, schedule=schedule, epochs=epochs, seed=seed, checkpoint=checkpoint, plateau=plateau,
            milestones=milestones, predictor_rate=predictor_rate, sparsity=sparsity, data=data, per_class=per_class,
            command=_command(), progress=say, **{f"predictor_{name}": value for name, value in choices.items()},
        )  # fmt: skip
    write_trace(trace, path)
    click.echo(f"{path}: test accuracy {trace.metrics[-1].test_accuracy:.2%} after {len(trace.metrics)} epochs")


@train.command()
@click.argument("network", default="digits-cnn")
@click.option("--seeds", type=click.IntRange(min=1), default=3, show_default=True, help="Number of seeds, from 0.")
@click.option("--epochs", type=click.IntRange(min=1), default=90, show_default=True, help="Epochs of a run.")
@click.option(
    "--schedule",
    default="paper",
    show_default=True,
    metavar="NAME",
    help="Schedule of all runs except plain backpropagation.",
)
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Number of processes.")
@click.option("--out", type=_FILE, metavar="FILE", required=True, help="Markdown file to write.")
@click.option(
    "--csv", "table", type=_FILE, metavar="FILE", help="Also write the errors of every epoch to this CSV file."
)
@click.option("--runs", type=_FILE, metavar="DIR",
              help="Folder of the runs' checkpoints. The same command resumes what was stopped.")  # fmt: skip
def controls(
    network: str, seeds: int, epochs: int, schedule: str, jobs: int, out: Path, table: Path | None, runs: Path | None
) -> None:
    """Train NETWORK with ADA-GP and with its controls, and write the page that compares them.

    The controls show how much of ADA-GP's accuracy comes from prediction. In one every batch is backpropagated. In the
    others, Phase GP batches are left out, or step with something else than predictions. A run of digits-cnn over 90
    epochs takes half a minute on one core.
    """
    from simulator.api.training import train_controls
    from simulator.cli.progress import progress
    from workloads.foundation.atomic import atomic_file, check_writable
    from workloads.trace import load_policy

    policy = load_policy(schedule)
    for place in (out, table):
        if place is not None:
            check_writable(place)
    with _torch("controls"):
        from workloads.pytorch.controls import CONTROLS, NETWORK, compared, write_csv
    with progress(len(CONTROLS) * seeds) as say:
        results = unwrap(train_controls)(
            seeds=seeds, epochs=epochs, schedule=policy, jobs=jobs, network=network, runs=runs, progress=say
        )
    named = "" if network == NETWORK else f"{network} "
    command = f"adagp-sim train controls {named}--seeds {seeds} --epochs {epochs}"
    command += "" if schedule == "paper" else f" --schedule {schedule}"
    with atomic_file(out) as file:
        file.write(compared(results, policy, command, network))
    if table is not None:
        write_csv(results, table)
    click.echo(f"{out}: {len(results)} runs")


@train.command()
@click.option("--seeds", type=click.IntRange(min=1), default=3, show_default=True, help="Number of seeds, from 0.")
@click.option("--stream-epochs", type=click.IntRange(min=1), default=30, show_default=True,
              help="Number of epochs whose gradients the predictors try to predict.")  # fmt: skip
@click.option("--epochs", type=click.IntRange(min=1), default=90, show_default=True, help="Epochs of the ADA-GP runs.")
@click.option("--out", type=_FILE, metavar="FILE", required=True, help="Markdown file to write.")
def predictors(seeds: int, stream_epochs: int, epochs: int, out: Path) -> None:
    """Measure how well the predictor can be trained on digits, and write the page.

    It takes some twenty minutes on one core.
    """
    from simulator.cli.progress import progress
    from workloads.foundation.atomic import atomic_file, check_writable

    check_writable(out)
    with _torch("predictors"):
        from workloads.pytorch.predictor_study import study
    command = f"adagp-sim train predictors --seeds {seeds} --stream-epochs {stream_epochs} --epochs {epochs}"
    with progress(0) as say:
        text, ways = study(range(seeds), stream_epochs, epochs, command, say)
    with atomic_file(out) as file:
        file.write(text)
    click.echo(f"{out}: {ways} ways to train the predictor")


def _torch(what: str) -> Any:
    from workloads.pytorch.model_loading import torch_extra

    return torch_extra(what)


def _command() -> str:
    """Return the command line without ``--out``: the trace is the same wherever it lies."""
    import shlex
    import sys

    from simulator.outputs.provenance import without_out

    return shlex.join(["adagp-sim", *without_out(sys.argv[1:])])
