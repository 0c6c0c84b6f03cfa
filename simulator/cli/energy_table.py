"""`adagp-sim energy-table`: an energy table with prices from another tool."""

from pathlib import Path

import click

from simulator.cli.options import GivenPath, config_option


@click.command("energy-table")
@click.argument("source")
@click.argument("file", required=False, type=GivenPath(path_type=Path, dir_okay=False))
@click.option(
    "--price", "prices", metavar="ACTION=COMPONENT.ACTION/BITS", multiple=True,
    help="What one of our actions costs there: buffer_read_bytes=shared_glb.read/64. Repeatable.",
)  # fmt: skip
@click.option(
    "--extends", default="45nm", show_default=True, metavar="NAME", help="Shipped table with all other prices."
)
@click.option("--node-nm", type=int, metavar="NM", help="For hwcomponents: the node of the components.")
@config_option
@click.option("--design", metavar="NAME", help="For hwcomponents: the design whose memories are priced. Default: max.")
@click.option(
    "--set", "overrides", metavar="KEY=VALUE", multiple=True, help="Set one key of the machine. Can be repeated."
)
@click.option("--out", required=True, type=GivenPath(path_type=Path, dir_okay=False), metavar="FILE", help="The table.")
def energy_table(
    source: str, file: Path | None, prices: tuple[str, ...], extends: str, node_nm: int | None, config: str | None,
    design: str | None, overrides: tuple[str, ...], out: Path,
) -> None:  # fmt: skip
    """Write an energy table with prices from SOURCE over a shipped one.

    \b
    adagp-sim energy-table timeloop eyeriss.ERT.yaml --price macs=mac.compute --out mine.yaml
    adagp-sim energy-table hwcomponents --node-nm 22 --design max --out mine.yaml

    SOURCE is timeloop (FILE is an energy reference table) or hwcomponents, where it is installed: SRAM at the
    machine's bank sizes, and registers. In --price the component may have arguments,
    as in SRAM(size=8192,width=64).read/64, and a plus adds: mul.multiply+add.add. BITS are those of
    one access. Actions without a size, such as macs, have none.
    """  # noqa: D301 (click reads the \b)
    from simulator.api.energy import energy_table as table_of
    from simulator.machine.spec_loading import load_accelerator
    from workloads.foundation.atomic import atomic_file, check_writable

    check_writable(out)
    spec = load_accelerator(config, design="max" if config is None and design is None else design, overrides=overrides)
    name = out.name.partition(".")[0]
    text = table_of(source, prices, file=file, machine=spec, node_nm=node_nm, extends=extends, name=name)
    with atomic_file(out) as stream:
        stream.write(text)
    click.echo(f"{out}: prices by {source}, over {extends}")
