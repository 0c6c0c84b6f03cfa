"""`adagp-sim validate`: comparisons with chips, RTL and other simulators."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simulator.cli.options import GivenPath
from simulator.cli.volume import note

if TYPE_CHECKING:
    from rich.console import Console

    from simulator.validation.comparison import Comparison, Validation


@click.command()
@click.argument("name", required=False)
@click.option(
    "--data", type=GivenPath(path_type=Path, dir_okay=False), metavar="FILE",
    help="Measured rows in CSV in place of the shipped ones, for a comparison that reads some.",
)  # fmt: skip
@click.option("--ranges", is_flag=True, help="Also show what each parameter that nobody published does to the error.")
@click.option(
    "--out", type=GivenPath(path_type=Path, file_okay=False), metavar="DIR",
    help="Write validation.md, and for each comparison NAME.csv and NAME.png.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print rows and errors (as fractions) as JSON and nothing else.")
@click.option("--list", "show_list", is_flag=True, help="List the comparisons and do nothing else.")
def validate(
    name: str | None, data: Path | None, ranges: bool, out: Path | None, as_json: bool, show_list: bool
) -> None:
    """Compare the simulator with what was measured elsewhere: the comparison NAME, or all of them.

    Each has a table of measured and simulated values, the mean and the median of the errors, and the rows with the
    largest errors with their causes.
    """
    from simulator.cli.console import console
    from simulator.cli.numba_start import start_numba
    from simulator.cli.progress import progress, waiting
    from simulator.validation.comparison import comparisons, find_comparison, validated
    from workloads.foundation.atomic import check_writable

    screen = console()
    if show_list:
        width = max(map(len, comparisons()))
        for one in comparisons().values():
            screen.print(f"{one.name:{width}}  {one.title}")
        return
    if data is not None and name is None:
        raise click.UsageError("--data goes with one comparison: name it")
    if out is not None:
        check_writable(out / "validation.md")
    chosen = [find_comparison(name)] if name is not None else list(comparisons().values())
    if name is None:
        for one in chosen:
            if one.missing():
                note(f"{one.name} is left out: it needs {one.missing()}")
        chosen = [one for one in chosen if not one.missing()]
    start_numba()
    if name is not None:
        with waiting(f"compare {chosen[0].title}"):
            found = [validated(chosen[0], data, ranges)]
    else:
        with progress(len(chosen), "compare") as say:
            found = [_validated_aloud(one, say, ranges) for one in chosen]
    if out is not None:
        from simulator.validation.report import write_validation

        write_validation(found, out)
    if as_json:
        import json

        every = found[0].data() if name is not None else {one.comparison.name: one.data() for one in found}
        click.echo(json.dumps(every, indent=2))
        return
    for each in found:
        _print(each, screen)
    if out is not None:
        screen.print(f"written: {out / 'validation.md'}")


def _validated_aloud(one: "Comparison", say: Callable[[str], None], ranges: bool) -> "Validation":
    from simulator.validation.comparison import validated

    say(one.title)
    return validated(one, ranges=ranges)


def _print(found: "Validation", screen: "Console") -> None:
    from simulator.cli.console import print_table, table
    from simulator.validation.report import MOST_ROWS, number, shown, signed, summary

    few = len(found.rows) <= MOST_ROWS
    columns = [("what", False), (f"measured, {found.comparison.unit}", True), ("simulated", True), ("error", True),
               ("cause", False)]  # fmt: skip
    rows = [
        [row.what, number(row.measured), number(row.simulated), signed(row.error), row.shown_cause]
        for row in (found.rows if few else found.worst)
    ]
    title = found.comparison.title + ("" if few else ", the five rows with the largest errors")
    print_table(screen, table(title, columns, rows, summary(found)))
    if found.effects:
        columns = [("key", False), ("value", True), ("mean absolute error", True), ("what it is", False)]
        rows = [[one.key, shown(one.value), f"{100 * one.mean_absolute_error:.1f} %", one.why] for one in found.effects]
        print_table(screen, table("What nobody published, or is ours", columns, rows))
