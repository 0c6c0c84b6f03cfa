"""`adagp-sim trace`: make traces and look into them."""

from pathlib import Path

import click

from simulator.cli.options import GivenPath, Named, given_trace
from workloads.optimizers import OPTIMIZERS, OptimizerName


@click.group()
def trace() -> None:
    """Export a trace from PyTorch, import one from another tool's file, or inspect one."""


@trace.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def inspect(name: str, as_json: bool) -> None:
    """Check the trace NAME (a file or a shipped name) and print what is in it."""
    import json

    from simulator.cli.console import console, long_table, thousands
    from workloads.inspection import inspection

    found = inspection(given_trace(name))
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    screen = console()
    layers = found.pop("graph")
    for key, value in found.items():
        if isinstance(value, dict):
            value = ", ".join(
                f"{inner} {item:,}" if isinstance(item, int) else f"{inner} {item}" for inner, item in value.items()
            )
        if isinstance(value, list):
            value = "; ".join(value) or "nothing"
        text = f"{value:,}" if isinstance(value, int) else str(value)
        screen.print(f"{key.replace('_', ' ') + ':':24}{text}")
    columns = [("layer", False), ("kind", False), ("reads", False), ("shape", False), ("parameters", True),
               ("activations", True), ("MACs forward", True), ("dgrad", True), ("wgrad", True),
               ("predicted", False)]  # fmt: skip
    rows = [
        [row["id"], row["kind"] if row["op"] == row["kind"] else f"{row['kind']} {row['op']}",
         ", ".join(row["inputs"]), row["shape"], thousands(row["parameters"]),
         thousands(row["activations_per_sample"]), thousands(row["macs_forward"]), thousands(row["macs_dgrad"]),
         thousands(row["macs_wgrad"]), "yes" if row["predicted"] else "no"]
        for row in layers
    ]  # fmt: skip
    click.echo("\n" + long_table("Layers: MACs of one batch, activations of one sample", columns, rows))


@trace.command()
@click.argument("network", required=False)
@click.option(
    "--model", metavar="MODULE:CALLABLE", help="Record your own model instead: a callable that returns an nn.Module."
)
@click.option(
    "--input",
    "inputs",
    metavar="NxCxHxW",
    multiple=True,
    help="With --model: shape of an input, batch first. Repeatable, for several inputs.",
)
@click.option(
    "--schedule", default="paper", show_default=True, metavar="NAME", help="Schedule: a shipped name or a YAML file."
)
@click.option("--epochs", type=click.IntRange(min=1), help="Number of epochs. Default: the schedule's.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of a trained run.")
@click.option(
    "--samples",
    type=click.IntRange(min=1),
    default=50_000,
    show_default=True,
    help="With --model: training samples of the data set, which give the number of batches of an epoch.",
)
@click.option("--name", metavar="NAME", help="With --model: name of the network. Default: its class's.")
@click.option("--dataset", metavar="NAME", help="With --model: name of the data set.")
@click.option(
    "--optimizer",
    type=Named(list(OPTIMIZERS)),
    help="With --model: what updates the network. Default: sgd_momentum.",
)
@click.option(
    "--checkpoint",
    type=GivenPath(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Checkpoint file: saved after every epoch, resumed if it exists. Not for the runs of --controls.",
)
@click.option(
    "--controls",
    type=click.IntRange(min=1),
    metavar="N",
    help="Also train ADA-GP and its controls with N seeds, and write their accuracies into the trace.",
)
@click.option(
    "--jobs", type=click.IntRange(min=1), metavar="N", help="With --controls: number of processes. Default: 1."
)
@click.option(
    "--runs",
    type=GivenPath(path_type=Path),
    metavar="DIR",
    help="With --controls: folder of their checkpoints, as in train controls. Runs that ended are not made again.",
)
@click.option(
    "--out", type=GivenPath(path_type=Path), metavar="FILE", help="File to write. Default: NETWORK.yaml in this folder."
)
def export(
    network: str | None, model: str | None, inputs: tuple[str, ...], schedule: str, epochs: int | None, seed: int,
    samples: int, name: str | None, dataset: str | None, optimizer: OptimizerName | None, checkpoint: Path | None,
    controls: int | None, jobs: int | None, runs: Path | None, out: Path | None,
) -> None:  # fmt: skip
    """Train or record NETWORK (see adagp-sim list), or record your own --model, and write its trace.

    Needs PyTorch (pip install '.[torch]' in a clone).
    """
    if (network is None) == (model is None):
        raise click.UsageError("give either a NETWORK or --model MODULE:CALLABLE")
    if model is not None and not inputs:
        raise click.UsageError("--model needs the shape of its input: add --input 128x3x32x32")
    if inputs and model is None:
        raise click.UsageError("--input goes with --model")
    for option, value in (("--name", name), ("--dataset", dataset), ("--optimizer", optimizer)):
        if value is not None and model is None:
            raise click.UsageError(f"{option} goes with --model")
    from simulator.cli.trace_export import OwnModel, TrainingRequest, export_trace

    own = None
    if model is not None:
        own = OwnModel(model, inputs, samples, name, dataset or OwnModel.dataset, optimizer or OwnModel.optimizer)
    export_trace(network, own, schedule, epochs, TrainingRequest(seed, checkpoint, controls, jobs, runs), out)


class _FormatOption(click.Option):
    """`--format`, whose help names what the registry of importers knows, and takes no time elsewhere."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the option and its help."""
        from workloads.importers import importers

        known = [f"{one.name} ({', '.join(one.suffixes)}): {one.description}" for one in importers().values()]
        self.help = f"Format. Default: by the ending of the file's name.  {'. '.join(known)}."
        return super().get_help_record(ctx)


@trace.command("import")
@click.argument("file", type=GivenPath(path_type=Path))
@click.option("--format", "format_name", metavar="NAME", cls=_FormatOption)
@click.option(
    "--batch-size", type=click.IntRange(min=1), metavar="N", help="Samples of a batch. Default: the file's, else 1."
)
@click.option(
    "--schedule", metavar="NAME",
    help="Schedule: a shipped name or a file. Default with --samples: paper. Without them: one batch, inference of "
    "one image or one-batch of several.",
)  # fmt: skip
@click.option(
    "--samples", type=click.IntRange(min=1), metavar="N",
    help="Training samples of the data set, which give the batches of an epoch. Default with --schedule: 50,000.",
)  # fmt: skip
@click.option(
    "--out",
    type=GivenPath(path_type=Path),
    metavar="FILE",
    help="File to write. Default: FILE's name with .yaml, in this folder.",
)
@click.option(
    "--shape",
    "shapes",
    metavar="NAME=NxCxHxW",
    multiple=True,
    help="onnx: shape of an input whose dimensions are not fixed. Repeat it for several inputs.",
)
@click.option(
    "--batch-axis",
    "batch_axes",
    metavar="[NAME=]AXIS",
    multiple=True,
    help="onnx: the dimension of the inputs, or of one input, that is the batch; none if there is no batch.",
)
def import_(
    file: Path, format_name: str | None, batch_size: int | None, schedule: str | None, samples: int | None,
    out: Path | None, shapes: tuple[str, ...], batch_axes: tuple[str, ...],
) -> None:  # fmt: skip
    """Import FILE, another tool's workload, as a trace.

    The options give what such a file does not say: batch size, samples and schedule.
    """
    from simulator.cli.trace_import import import_trace

    import_trace(file, format_name, batch_size, schedule, samples, out, shapes, batch_axes)
