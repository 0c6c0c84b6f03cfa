"""`adagp-sim diff`: what changed between two results."""

from pathlib import Path

import click

from simulator.cli.options import GivenPath


@click.command()
@click.argument("a", type=GivenPath(path_type=Path))
@click.argument("b", type=GivenPath(path_type=Path))
@click.option(
    "--top", type=click.IntRange(min=1), default=15, show_default=True, help="Number of layer passes to print."
)
@click.option("--json", "as_json", is_flag=True, help="Print everything that changed as JSON.")
def diff(a: Path, b: Path, top: int, as_json: bool) -> None:
    """Compare the result folders A and B: parameters, totals, layers and stalls."""
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
    if found["parameters"]:
        rows = [[row["key"], _text(row["a"]), _text(row["b"])] for row in found["parameters"]]
        print_table(screen, table("Parameters", [("key", False), ("A", True), ("B", True)], rows))
    columns = [("", False), ("", False), ("A", True), ("B", True), ("change", True)]
    if found["totals"]:
        rows = [[f"{row['design']} {row['dataflow']}", row["quantity"], *_change(row)] for row in found["totals"]]
        print_table(screen, table("Runs", columns, rows))
    if found["layers"]:
        rows = [
            [f"{row['design']} {row['phase']}: {row['layer']} {row['pass']}".strip(), row["quantity"], *_change(row)]
            for row in found["layers"][:top]
        ]
        left = len(found["layers"]) - top
        more = f"and {left} smaller ones; --top shows more" if left > 0 else None
        print_table(screen, table("Layers, passes and stalls, largest change first", columns, rows, more))


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
