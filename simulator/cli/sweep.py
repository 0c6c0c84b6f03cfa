"""`adagp-sim sweep`: many machines on one or several traces."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simulator.cli.options import AboveZero, GivenPath

if TYPE_CHECKING:
    from simulator.jobs.outcome import Workers
    from simulator.sweep.compute import Said
    from simulator.sweep.results import SweepResults


class _Runs(click.Group):
    """A group whose first word, where it is no command of its own, is a sweep to run."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            near = get_close_matches(args[0], self.commands, n=1, cutoff=0.7)
            if near and not Path(args[0]).exists():
                raise click.UsageError(f"{args[0]!r} is no command and no file; did you mean {near[0]}?", ctx)
            args = ["run", *args]
        return super().parse_args(ctx, args)


@click.group("sweep", cls=_Runs)
def sweep() -> None:
    """Simulate many machines, and find the best ones.

    \b
    adagp-sim sweep FILE.yaml --out DIR     run the sweep of a file, or go on with it
    adagp-sim sweep show DIR                print the front of the best points
    adagp-sim sweep export DIR --csv FILE   write a row for each point
    """  # noqa: D301 (click reads the \b)


@sweep.command("run")
@click.argument("file")
@click.option("--out", required=True, type=GivenPath(path_type=Path, file_okay=False), metavar="DIR",
              help="Folder of the results. A sweep that was stopped resumes there.")  # fmt: skip
@click.option("--workers", type=click.IntRange(min=0), metavar="N",
              help="Processes; else one a core. 0: in this process, without a time limit.")  # fmt: skip
@click.option("--scheduler", metavar="ADDRESS", help="Run on the workers of a Dask scheduler, such as tcp://host:8786.")
@click.option("--store", type=GivenPath(path_type=Path, dir_okay=False), metavar="FILE",
              help="A store that several sweeps share; else results.sqlite in DIR.")  # fmt: skip
@click.option("--time-limit", type=AboveZero(), default=600.0, show_default=True,
              metavar="SECONDS", help="A point that takes longer fails, and all others go on.")  # fmt: skip
@click.option("--plot", is_flag=True, help="Also draw the front, and every point by its settings.")
def run(
    file: str, out: Path, workers: int | None, scheduler: str | None, store: Path | None, time_limit: float, plot: bool
) -> None:
    """Run the sweep of FILE, a shipped name or a YAML file (docs/how-to/sweep.md).

    Each result is kept as it comes. The same command resumes an earlier one that stopped.
    """
    from simulator.sweep.run import Sweep, run_sweep

    found = Sweep.of(file, out, store)
    try:
        with _progress() as said:
            results = run_sweep(found, _workers(workers, scheduler, time_limit), said)
    except KeyboardInterrupt:
        click.echo(f"stopped; what is computed is kept in {found.store}: the same command goes on", err=True)
        raise
    if plot:
        _plot(results, out)
    _print(results)


@sweep.command("show")
@click.argument("folder", metavar="DIR", type=GivenPath(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the front as JSON.")
@click.option("--plot", is_flag=True, help="Also draw the front, and every point by its settings, in DIR.")
def show(folder: Path, as_json: bool, plot: bool) -> None:
    """Print the points of the sweep in DIR that no other one beats."""
    from simulator.sweep.run import Sweep, results_of

    results = results_of(Sweep.kept_in(folder))
    if plot:
        _plot(results, folder)
    if as_json:
        import json

        click.echo(json.dumps(results.front, indent=2))
        return
    _print(results)


@sweep.command("export")
@click.argument("folder", metavar="DIR", type=GivenPath(path_type=Path))
@click.option("--csv", "csv_file", type=GivenPath(path_type=Path, dir_okay=False), metavar="FILE")
@click.option("--parquet", type=GivenPath(path_type=Path, dir_okay=False), metavar="FILE",
              help="Takes pandas and pyarrow: pip install '.[sweep]' in a clone.")  # fmt: skip
def export(folder: Path, csv_file: Path | None, parquet: Path | None) -> None:
    """Write a row for each point of the sweep in DIR."""
    from simulator.sweep.export import write_csv, write_parquet
    from simulator.sweep.run import Sweep, results_of

    if csv_file is None and parquet is None:
        raise click.UsageError("nothing is asked for: add --csv FILE or --parquet FILE")
    results = results_of(Sweep.kept_in(folder))
    for write, path in ((write_csv, csv_file), (write_parquet, parquet)):
        if path is not None:
            write(results, path)
            click.echo(f"{len(results.rows):,} points written to {path}", err=True)


def _workers(count: int | None, scheduler: str | None, limit_seconds: float) -> "Workers":
    from simulator.jobs.local import Here, Processes

    if scheduler is not None:
        from simulator.jobs.cluster import Cluster

        if count is not None:
            raise click.UsageError("--workers and --scheduler: the scheduler's workers run the sweep; drop --workers")
        return Cluster(scheduler, limit_seconds)
    return Here() if count == 0 else Processes(count or os.cpu_count() or 1, limit_seconds)


@contextmanager
def _progress() -> "Iterator[Said]":
    from simulator.cli.progress import counter

    with counter("points") as said:
        yield said


def _plot(results: "SweepResults", folder: Path) -> None:
    from simulator.sweep.plots import write_plots

    for path in write_plots(results, folder):
        click.echo(f"written to {path}", err=True)


def _print(results: "SweepResults") -> None:
    from simulator.cli.console import console, print_table, table

    names, rows = results.front_shown()
    columns = [(name, place >= len(results.keys)) for place, name in enumerate(names)]
    screen = console()
    print_table(screen, table(repr(results), columns, rows, _notes(results)))


def _notes(results: "SweepResults") -> str | None:
    notes: list[Any] = []
    if results.failed:
        first = results.failed[0]
        notes.append(f"{len(results.failed):,} points have no result; the first, point {first['point']}: "
                     f"{first['reason']}")  # fmt: skip
    if results.stale:
        notes.append(f"{results.stale:,} rows of the store are of another version of the model")
    return "\n".join(notes) or None
