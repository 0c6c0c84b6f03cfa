"""`adagp-sim compare`: all designs on one trace."""

import click

from simulator.cli.options import RunRequest, chosen_trace, run_options
from simulator.cli.report import check_places, run_and_report


@click.command()
@click.argument("trace")
@click.option(
    "--design", "only", metavar="NAME", multiple=True, help="Compare only the baseline and this design. Repeatable."
)
@run_options
def compare(trace: str, only: tuple[str, ...], request: RunRequest) -> None:
    """Compare baseline, LOW, Efficient and MAX on TRACE (a file or a shipped name)."""
    check_places(request)
    from simulator.machine.spec_loading import load_designs
    from simulator.phases.design import find_design

    workload = chosen_trace(trace, request)
    wanted = {"baseline", *(find_design(name).name for name in only)} if only else None
    specs = load_designs(request.config, request.dataflow, request.overrides, wanted)
    run_and_report(trace, workload, specs, request)
