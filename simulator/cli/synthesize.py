"""`adagp-sim synthesize`: what yosys makes of the RTL of the designs' arrays."""

from typing import TYPE_CHECKING

import click

from simulator.cli.options import GivenPath, config_option

if TYPE_CHECKING:
    from simulator.area.datapath import Synthesis


@click.command()
@config_option
@click.option(
    "--dataflow", "dataflows", metavar="NAME", multiple=True, help="Dataflow, such as ws or os. Can be repeated."
)
@click.option(
    "--set", "overrides", metavar="KEY=VALUE", multiple=True,
    help="Set one key of the spec, such as array.rows=32. Can be repeated.",
)  # fmt: skip
@click.option(
    "--out", metavar="FILE", type=GivenPath(dir_okay=False), help="Write the figures, for `area --synthesis FILE`."
)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON and nothing else.")
def synthesize(
    config: str | None, dataflows: tuple[str, ...], overrides: tuple[str, ...], out: str | None, as_json: bool
) -> None:
    """Synthesise the RTL of the designs' PE arrays with yosys: LUTs, flip-flops, DSPs and generic cells.

    An array of 12 x 15 PEs takes about a minute. `adagp-sim area` has the figures of the shipped machine, and
    with --synthesis FILE those of another one.
    """
    import json
    from pathlib import Path

    from simulator.area.datapath import as_data, datapaths_of
    from simulator.area.yosys import synthesize_all, yosys_version
    from simulator.cli.progress import progress
    from simulator.machine.spec_loading import load_designs

    specs = [spec for name in dataflows or (None,) for spec in load_designs(config, name, overrides)]
    datapaths, version = datapaths_of(specs), yosys_version()
    with progress(len(datapaths)) as say:
        command = _command(config, dataflows, overrides)
        found = synthesize_all(datapaths, say, None if out is None else Path(out), command)
    if as_json:
        click.echo(json.dumps({"yosys": version, "arrays": as_data(found)}, indent=2))
    else:
        _print(found, version)


def _command(config: str | None, dataflows: tuple[str, ...], overrides: tuple[str, ...]) -> str:
    from shlex import join

    words = ["adagp-sim", "synthesize", *([] if config is None else ["--config", config])]
    words += [word for name in dataflows for word in ("--dataflow", name)]
    return join([*words, *(word for one in overrides for word in ("--set", one))])


def _print(found: "Synthesis", version: str) -> None:
    from simulator.cli.console import console, print_table, table

    rows = [
        [one.module.replace("_", " "), f"{one.rows} x {one.columns}",
         *(f"{n:,}" for n in (f.luts, f.flip_flops, f.dsps, f.register_bits)), f"{f.gates:,.0f}"]
        for one, f in found.items()
    ]  # fmt: skip
    names = ("LUTs", "flip-flops", "DSPs", "register bits", "gates")
    columns = [("array", False), ("PEs", True), *((name, True) for name in names)]
    print_table(console(), table(f"Datapaths of the arrays by {version}", columns, rows))
