"""`adagp-sim simulate`: one design on one trace."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from simulator.cli.options import GivenPath, Named, RunRequest, chosen_trace, run_options
from simulator.cli.report import check_places, run_and_report
from simulator.cli.volume import note

if TYPE_CHECKING:
    from simulator.machine.spec import Accelerator
    from workloads.trace import Trace

_DRAM_TRACE_FORMS = ("dramsim3", "ramulator2")


@click.command()
@click.argument("trace")
@click.option(
    "--design", metavar="NAME", help="Design: baseline, low, efficient or max. Default: the machine's, else max."
)
@click.option(
    "--dram-trace", type=GivenPath(path_type=Path, dir_okay=False), metavar="FILE",
    help="Also write the DRAM requests of one batch, burst by burst, for another DRAM simulator.",
)  # fmt: skip
@click.option(
    "--dram-trace-form",
    type=Named(_DRAM_TRACE_FORMS),
    default="dramsim3",
    show_default=True,
    help="Form of that file.",
)
@click.option(
    "--dram-trace-phase", metavar="PHASE", help="Phase of that batch. Default: bp, else the first of the run."
)
@click.option("--layers", is_flag=True, help="Also print cycles, utilization and bound of every layer and pass.")
@run_options
def simulate(
    trace: str, design: str | None, dram_trace: Path | None, dram_trace_form: str,
    dram_trace_phase: str | None, layers: bool, request: RunRequest,
) -> None:  # fmt: skip
    """Simulate TRACE (a file or a shipped name) on one design."""
    check_places(request)
    from simulator.machine.spec_loading import load_accelerator
    from workloads.foundation.atomic import check_writable

    if layers and request.as_json:
        raise click.UsageError("--layers prints a table, and --json nothing else: --out DIR writes layers.csv")
    workload = chosen_trace(trace, request)
    spec = load_accelerator(request.config, design, request.dataflow, request.overrides)
    phase = ""
    if dram_trace is not None:
        phase = _phase(workload, dram_trace_phase)
        check_writable(dram_trace)
    run_and_report(trace, workload, [spec], request, layers)
    if dram_trace is not None:
        _write_dram_trace(workload, spec, dram_trace, dram_trace_form, phase)


def _phase(trace: "Trace", asked: str | None) -> str:
    """Return the phase of the batch whose DRAM requests are written."""
    from workloads.foundation.errors import InputError, nearest

    counts = trace.schedule.counts()
    if asked is None:
        return "bp" if "bp" in counts else next(iter(counts))
    if asked not in counts:
        raise InputError("--dram-trace-phase", "", f"the run has no {asked!r} batches", nearest(asked, counts))
    return asked


def _write_dram_trace(trace: "Trace", spec: "Accelerator", path: Path, form: str, phase: str) -> None:
    import numpy as np

    from simulator.dram.request_trace import write_dramsim3_trace, write_ramulator2_trace
    from simulator.outputs.dram_trace import burst_requests
    from simulator.run.simulation import Simulation

    requests = list(burst_requests(Simulation(trace, spec), phase))  # type: ignore[arg-type]
    addresses = np.concatenate([np.zeros(0, np.int64), *(one.addresses for one in requests)])
    writes = np.repeat([one.write for one in requests], [len(one.addresses) for one in requests])
    if form == "ramulator2":  # which has no place for cycles
        write_ramulator2_trace(path, addresses, writes, np.zeros(len(addresses), np.int64))
    else:
        cycles = [one.cycle * spec.dram.command_hz(spec.frequency_hz) // spec.frequency_hz for one in requests]
        write_dramsim3_trace(path, addresses, writes, np.repeat(cycles, [len(one.addresses) for one in requests]))
    note(f"{len(addresses):,} requests of a {phase} batch written to {path}")
