"""`adagp-sim reproduce`: every table and figure of the paper's hardware side."""

import os
import sys
from pathlib import Path

import click

from simulator.cli.options import GivenPath
from simulator.cli.volume import note


@click.command()
@click.option("--out", type=GivenPath(path_type=Path, file_okay=False), metavar="DIR", help="Folder of the report.")
@click.option("--only", metavar="KEYS", help="Make only these exhibits, such as fig17,table2. See --list.")
@click.option("--jobs", type=click.IntRange(min=1), help="Number of processes. Default: one for each core.")
@click.option("--list", "show_list", is_flag=True, help="List the exhibits and do nothing else.")
def reproduce(out: Path | None, only: str | None, jobs: int | None, show_list: bool) -> None:
    """Make a report with the paper's tables and figures, each beside the paper's numbers.

    Results are kept in DIR as they come, so a run that was stopped can resume.
    """
    from simulator.cli.console import console, progress
    from simulator.reproduce.exhibit import chosen_makers, exhibit_makers

    screen = console()
    if show_list:
        for maker in exhibit_makers().values():
            screen.print(f"{maker.key:14} {maker.title}")
        return
    if out is None:
        raise click.UsageError("the report needs a place: add --out DIR")
    makers = chosen_makers(only)
    from simulator.reproduce.execute import missing_jobs, run_jobs
    from simulator.reproduce.folder import write_report
    from simulator.reproduce.store import open_store

    with open_store(out) as store:
        found, missing = missing_jobs((job for maker in makers for job in maker.jobs()), store)
        if found and missing:
            note(f"{len(found)} of {len(found) + len(missing)} jobs were there already")
        with progress(len(missing) + 1) as say:
            processes = jobs or os.cpu_count() or 1
            results = {**found, **run_jobs(missing, store, processes, say)}
            say("writing the report")
            made = [(maker, maker.make(results)) for maker in makers]
            write_report(made, out, sys.argv[1:], _head(only))
    compared = [one for _, exhibit in made for one in exhibit.comparisons if one.ours is not None]
    beyond = sum(one.needs_reason for one in compared)
    screen.print(
        f"{len(made)} exhibits, {len(compared)} numbers beside the paper's, {beyond} of them more than 2 % off: "
        f"{out / 'report.html'}"
    )


def _head(only: str | None) -> str:
    command = "adagp-sim reproduce" + (f" --only {only}" if only else "")
    return (
        f"Made by `{command}` from the shipped traces on the shipped machine (docs/machine.md); no constant is fitted. "
        "The paper is ADA-GP (Janfaza et al., MICRO 2023); its numbers are in `configs/paper/ada-gp-micro23.yaml`. "
        "Speedups are cycles of whole training runs, the baseline's over the design's. Where a number differs from the "
        "paper's by more than 2 %, the column *why* gives what an experiment found, or says unexplained."
    )
