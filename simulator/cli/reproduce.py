"""`adagp-sim reproduce`: every table and figure of the paper's hardware side."""

import os
import shlex
import sys
from importlib.util import find_spec
from itertools import count
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

    Results are kept in DIR as they come, so a run that was stopped can resume. With --only, these exhibits are made
    anew in the report that is in DIR, and the others stay as they are.
    """
    from simulator.cli.console import console
    from simulator.cli.progress import counter
    from simulator.reproduce.exhibit import chosen_makers, exhibit_makers

    screen = console()
    if show_list:
        for maker in exhibit_makers().values():
            screen.print(f"{maker.key:14} {maker.title}")
        return
    if out is None:
        raise click.UsageError("the report needs a place: add --out DIR")
    makers = chosen_makers(only)
    from simulator.outputs.provenance import without_out
    from simulator.reproduce.claims import claims, counted
    from simulator.reproduce.execute import missing_jobs, run_jobs
    from simulator.reproduce.folder import write_report
    from simulator.reproduce.made import in_order, made_now, read_kept
    from simulator.reproduce.store import open_store

    page = find_spec("plotly") is not None
    if not page:
        note("report.html takes Plotly, which is not installed: pip install plotly; report.md says the same")
    kept, broken = ({}, []) if only is None else read_kept(out)
    for name in broken:
        note(f"{out / name}: was not written by this version, and is left out of the report")
    with open_store(out) as store:
        found, missing = missing_jobs((job for maker in makers for job in maker.jobs()), store)
        if found and missing:
            note(f"{len(found)} of {len(found) + len(missing)} jobs were there already")
        done = count(1)
        with counter("jobs") as say:
            new_results = run_jobs(
                missing, store, jobs or os.cpu_count() or 1, lambda text: say(next(done), len(missing), text)
            )
        results = {**found, **new_results}
        note("writing the report")
        command = shlex.join(["adagp-sim", *without_out(sys.argv[1:])])
        new = made_now([(maker, maker.make(results)) for maker in makers], command, store.sources.whole)
        write_report(in_order(kept | new), out, sys.argv[1:], store.sources.whole, new, page)
    compared = [one for each in new.values() for one in each.exhibit.comparisons if one.ours is not None]
    predicted = [one.verdict for one in compared if one.kind == "prediction"]
    judged = ", ".join(f"{verdict} {number}" for verdict, number in counted(claims(in_order(kept | new))).items())
    others = len(kept.keys() - new)
    stayed = f"; other exhibits stay as they were: {others}" if others else ""
    screen.print(
        f"exhibits: {len(new)}, numbers beside the paper's: {len(compared)}, "
        f"of them predictions: {len(predicted)}, and more than 2 % off: {len(predicted) - predicted.count('agrees')}"
        f"{stayed}; "
        f"{f'claims of the paper: {judged}; ' if judged else ''}"
        f"{out / ('report.html' if page else 'report.md')}"
    )
