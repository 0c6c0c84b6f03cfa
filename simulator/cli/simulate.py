"""`adagp-sim simulate`: one design on one trace."""

from typing import TYPE_CHECKING

import click

from simulator.cli.options import RunRequest, run_options
from simulator.cli.report import run_and_report

if TYPE_CHECKING:
    from simulator.spec import Accelerator


@click.command()
@click.argument("trace")
@click.option("--design", metavar="NAME", help="baseline, low, efficient or max; else the config's, else max.")
@run_options
def simulate(trace: str, design: str | None, request: RunRequest) -> None:
    """Simulate TRACE (a file or a shipped name) on one design."""

    def load_specs() -> "list[Accelerator]":
        from simulator.spec_loading import load_accelerator

        return [load_accelerator(request.config, design, request.dataflow, request.overrides)]

    run_and_report(trace, load_specs, request)
