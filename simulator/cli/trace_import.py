"""`adagp-sim trace import`, once its options are read."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from simulator.cli.console import console
from simulator.cli.import_inputs import input_options
from simulator.cli.volume import Volume, volume
from simulator.machine.importers import check_no_machine
from workloads.foundation.atomic import check_writable
from workloads.foundation.errors import InputError
from workloads.importers import Imported, Importer, InputOptions, find_importer, importer_of
from workloads.layers import Conv2d, Linear, gradient_words_per_channel
from workloads.predictor import Predictor
from workloads.trace import Dataset, Provenance, Trace, load_policy
from workloads.trace_writer import write_trace

_SAMPLES = 50_000  # of a training run whose file says nothing of its data


def import_trace(
    file: Path, format_name: str | None, batch_size: int | None, schedule: str | None, samples: int | None,
    out: Path | None, shapes: Sequence[str] = (), batch_axes: Sequence[str] = (),
) -> None:  # fmt: skip
    """Read another tool's workload and write it as a trace.

    What neither the file nor an option says is chosen: the format by the file's ending; the batch the file's; without
    `schedule` and `samples` one batch, of inference where it is one image.
    """
    check_no_machine(file)
    importer = importer_of(file) if format_name is None else find_importer(format_name)
    if schedule is not None:
        load_policy(schedule)  # so that a wrong name is told before a large file is read
    found = _read(importer, file, input_options(importer, shapes, batch_axes))
    batch_size, notes = batch_size or found.batch_size, list(found.notes)
    if batch_size != found.batch_size != 1:
        notes.append(f"The file's batch size is {found.batch_size}; --batch-size takes {batch_size}.")
    if schedule is None and samples is None:
        schedule, samples = ("inference" if batch_size == 1 else "one-batch"), batch_size
        notes.append(f"The file says nothing of a training: the schedule is {schedule}, one batch; --schedule paper "
                     "--samples N plans ADA-GP's.")  # fmt: skip
    schedule, samples = schedule or "paper", samples or _SAMPLES
    widths = [gradient_words_per_channel(layer) for layer in found.layers if isinstance(layer, Conv2d | Linear)]
    if not widths:
        _tell(found.notes)
        raise InputError(str(file), "", "no convolution or linear layer in it", "give a workload with weights to train")
    dataset = Dataset(name="unnamed", training_samples=samples)
    options = ["--format", importer.name, "--batch-size", str(batch_size), "--schedule", schedule]
    options += ["--samples", str(samples), *(part for one in shapes for part in ("--shape", one)),
                *(part for one in batch_axes for part in ("--batch-axis", one))]  # fmt: skip
    command = shlex.join(["adagp-sim", "trace", "import", file.name, *options])
    trace = Trace(
        version=1,
        network=file.name.partition(".")[0],
        dataset=dataset,
        batch_size=batch_size,
        inputs=found.inputs,
        predictor=Predictor(outputs=max(widths)),
        layers=found.layers,
        schedule=load_policy(schedule).expand(dataset.batches_per_epoch(batch_size)),
        provenance=Provenance(origin="imported", command=command, notes=tuple(notes)),
    )
    path = Path(f"{trace.network}.yaml") if out is None else out
    check_writable(path)
    write_trace(trace, path)
    say = console().print
    say(f"{path}: {len(trace.mac_layers)} layers with MACs, {trace.schedule.batches:,} batches (imported)")
    if volume() is not Volume.QUIET:
        for note in notes:
            say(f"  {note}")


def _read(importer: Importer, file: Path, options: InputOptions) -> Imported:
    """Read a file. If it is refused, also print what is known of it."""
    try:
        return importer.read(file, options)
    except InputError as error:
        _tell(getattr(error, "__notes__", ()))
        raise


def _tell(notes: Sequence[str]) -> None:
    for note in notes:
        console(stderr=True).print(f"  {note}")
