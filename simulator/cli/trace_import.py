"""`adagp-sim trace import`, once its options are read."""

import shlex
from pathlib import Path

import click

from workloads.foundation.errors import InputError
from workloads.importers import find_importer
from workloads.layers import Conv2d, Linear, gradient_words_per_channel
from workloads.predictor import Predictor
from workloads.trace import Dataset, Provenance, Trace, load_policy
from workloads.trace_writer import write_trace


def import_trace(file: Path, format_name: str, batch_size: int, schedule: str, samples: int, out: Path | None) -> None:
    """Read another tool's workload and write it as a trace."""
    importer, policy = find_importer(format_name), load_policy(schedule)
    found = importer.read(file)
    dataset = Dataset(name="unnamed", training_samples=samples)
    options = ["--format", format_name, "--batch-size", str(batch_size), "--schedule", schedule]
    command = shlex.join(["adagp-sim", "trace", "import", file.name, *options, "--samples", str(samples)])
    widths = [gradient_words_per_channel(layer) for layer in found.layers if isinstance(layer, Conv2d | Linear)]
    if not widths:
        raise InputError(str(file), "", "no convolution or linear layer in it", "give a workload with weights to train")
    trace = Trace(
        version=1,
        network=file.name.partition(".")[0],
        dataset=dataset,
        batch_size=batch_size,
        inputs=found.inputs,
        predictor=Predictor(outputs=max(widths)),
        connections=found.connections,
        layers=found.layers,
        schedule=policy.expand(dataset.batches_per_epoch(batch_size)),
        provenance=Provenance(origin="imported", command=command, notes=found.notes),
    )
    path = Path(f"{trace.network}.yaml") if out is None else out
    write_trace(trace, path)
    click.echo(f"{path}: {len(trace.mac_layers)} layers with MACs, {trace.schedule.batches:,} batches (imported)")
    for note in found.notes:
        click.echo(f"  {note}")
