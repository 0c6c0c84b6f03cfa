"""`adagp-sim trace import`, once its options are read."""

from collections.abc import Sequence
from pathlib import Path

from simulator.api.traces import chosen_importer, imported_trace
from simulator.cli.console import console
from simulator.cli.import_inputs import input_options
from simulator.cli.progress import waiting
from simulator.cli.volume import Volume, volume
from workloads.foundation.atomic import check_writable
from workloads.foundation.errors import InputError
from workloads.trace_writer import write_trace


def import_trace(
    file: Path, format_name: str | None, batch_size: int | None, schedule: str | None, samples: int | None,
    out: Path | None, shapes: Sequence[str] = (), batch_axes: Sequence[str] = (),
) -> None:  # fmt: skip
    """Read another tool's workload and write it as a trace. Of a refused one, print what is known."""
    importer = chosen_importer(file, format_name)
    options = input_options(importer, shapes, batch_axes)
    try:
        with waiting(f"read {file}"):
            trace = imported_trace(file, importer, options, batch_size, schedule, samples)
    except InputError as error:
        for note in getattr(error, "__notes__", ()):
            console(stderr=True).print(f"  {note}")
        raise
    path = Path(f"{trace.network}.yaml") if out is None else out
    check_writable(path)
    write_trace(trace, path)
    say = console().print
    say(f"{path}: {len(trace.mac_layers)} layers with MACs, {trace.schedule.batches:,} batches (imported)")
    if volume() is not Volume.QUIET:
        for note in trace.provenance.notes:
            say(f"  {note}")
