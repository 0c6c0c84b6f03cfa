"""`adagp-sim report`: a result folder as one page."""

from pathlib import Path

import click

from simulator.cli.options import GivenPath


@click.command("report")
@click.argument("folder", metavar="DIR", type=GivenPath(path_type=Path))
@click.option(
    "--out",
    type=GivenPath(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="File to write. Default: DIR/report.html.",
)
def run_report(folder: Path, out: Path | None) -> None:
    """Write the result in DIR as one HTML page that needs no network.

    DIR holds a run or a sweep. The page of a run has the numbers of every layer and pass as tables that sort and
    filter, and as charts: cycles, stalls, roofline, timeline and energy. The page of a sweep has its front and all its
    points. It takes Plotly (pip install '.[report]' in a clone).
    """
    from simulator.cli.progress import waiting
    from simulator.pages.run_report import write_run_report

    with waiting(f"make the page of {folder}"):
        written = write_run_report(folder, out)
    click.echo(f"written to {written}")
