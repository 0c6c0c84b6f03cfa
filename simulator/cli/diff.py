"""`adagp-sim diff`: what changed between two results."""

from pathlib import Path
from typing import Any

import click

from simulator.cli.options import GivenPath

_OLD = "one that was not noted"
_HEADLINES = ("total_cycles", "energy_pj")


@click.command()
@click.argument("a", type=GivenPath(path_type=Path))
@click.argument("b", type=GivenPath(path_type=Path))
@click.option(
    "--top", type=click.IntRange(min=1), default=15, show_default=True,
    help="How many layer passes, and how many parameters, to print.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print everything that changed as JSON.")
def diff(a: Path, b: Path, top: int, as_json: bool) -> None:
    """Compare the result folders A and B: version of the model, totals, layers and stalls, then parameters."""
    from simulator.outputs.difference import compare_folders

    found = compare_folders(a, b)
    if as_json:
        import json

        click.echo(json.dumps(found, indent=2))
        return
    from simulator.cli.console import console, print_table, table

    screen = console()
    if not any(found.values()):
        screen.print("no difference")
        return
    for row in found["versions"]:
        screen.print(f"made by different versions of the model: A by {row['a'] or _OLD}, B by {row['b'] or _OLD}")
    if not any(part for name, part in found.items() if name != "versions"):
        screen.print("the results and their parameters are equal")
        return
    totals, layers, parameters = found["totals"], found["layers"], found["parameters"]
    screen.print("\n".join(_summary(totals, layers, parameters)) + "\n")
    columns = [("", False), ("", False), ("A", True), ("B", True), ("change", True)]
    if totals:
        rows = [[f"{row['design']} {row['dataflow']}", row["quantity"], *_change(row)] for row in totals]
        print_table(screen, table("Runs", columns, rows))
    if layers:
        rows = [
            [f"{row['design']} {row['phase']}: {row['layer']} {row['pass']}".strip(), row["quantity"], *_change(row)]
            for row in layers[:top]
        ]
        more = _left(len(layers) - top, "smaller changes")
        print_table(screen, table("Layers, passes and stalls, largest change first", columns, rows, more))
    if parameters:
        rows = [[row["key"], _text(row["a"]), _text(row["b"])] for row in parameters[:top]]
        more = _left(len(parameters) - top, "parameters")
        print_table(screen, table("Parameters", [("key", False), ("A", True), ("B", True)], rows, more))


def _summary(totals: list[dict[str, Any]], layers: list[dict[str, Any]], parameters: list[dict[str, Any]]) -> list[str]:
    """Return a line for each run whose cycles or energy differ, and one of how much else does."""
    changes: dict[str, list[str]] = {}
    for row in totals:
        if row["quantity"] in _HEADLINES:
            a, b, change = _change(row)
            text = f"{row['quantity']} {a} -> {b} ({change.rpartition('(')[2].removesuffix(')')})"
            changes.setdefault(f"{row['design']} {row['dataflow']}", []).append(text)
    lines = [f"{run}: {'; '.join(found)}" for run, found in changes.items()]
    if not totals and not layers:
        lines.append("the results are equal")
    counts = (len(totals), "totals"), (len(layers), "values of layers"), (len(parameters), "parameters")
    return [*lines, "different: " + ", ".join(f"{count:,} {what}" for count, what in counts)]


def _left(count: int, what: str) -> str | None:
    return f"and {count:,} {what} more; --top N shows N, --json all" if count > 0 else None


def _text(value: object) -> str:
    return (
        "-" if value is None else f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
    )


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else f"{value:.6g}"


def _change(row: dict[str, float | None]) -> list[str]:
    a, b = row["a"], row["b"]
    if a is None or b is None:
        return [_number(a), _number(b), "only in A" if b is None else "only in B"]
    relative = f" ({(b - a) / a:+.2%})" if a else ""
    change = f"{b - a:+,}" if isinstance(a, int) and isinstance(b, int) else f"{b - a:+.4g}"
    return [_number(a), _number(b), change + relative]
