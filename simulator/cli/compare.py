"""`adagp-sim compare`: all designs on one trace."""

from typing import TYPE_CHECKING

import click

from simulator.cli.options import RunRequest, run_options
from simulator.cli.report import run_and_report

if TYPE_CHECKING:
    from simulator.machine.spec import Accelerator


@click.command()
@click.argument("trace")
@click.option("--design", "only", metavar="NAME", multiple=True, help="Only the baseline and this design; repeatable.")
@run_options
def compare(trace: str, only: tuple[str, ...], request: RunRequest) -> None:
    """Compare baseline, LOW, Efficient and MAX on TRACE (a file or a shipped name)."""

    def load_specs() -> "list[Accelerator]":
        from simulator.machine.spec_loading import load_designs
        from simulator.phases.design import find_design

        wanted = {"baseline", *(find_design(name).name for name in only)}
        specs = load_designs(request.config, request.dataflow, request.overrides)
        return [spec for spec in specs if not only or spec.design in wanted]

    run_and_report(trace, load_specs, request)
