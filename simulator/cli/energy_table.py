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
    from simulator.energy.own_table import own_table
    from simulator.energy.sources import SourceRequest, find_energy_source
    from simulator.machine.spec_loading import load_accelerator
    from workloads.foundation.atomic import atomic_file, check_writable
    from workloads.foundation.errors import InputError
    from workloads.foundation.strict_yaml import yaml_text

    found = find_energy_source(source)
    if found.takes_file and file is None:
        raise InputError("FILE", "", f"missing, and {found.name} reads one", f"give {found.description}")
    if file is not None and not found.takes_file:
        raise InputError(str(file), "", f"{found.name} reads no file", "leave it out")
    check_writable(out)
    spec = load_accelerator(config, design="max" if config is None and design is None else design, overrides=overrides)
    request = SourceRequest(file, spec, node_nm)
    table = own_table(found, request, prices, extends, out.name.partition(".")[0], f"for {config or spec.design}")
    with atomic_file(out) as stream:
        stream.write(yaml_text(table))
    click.echo(f"{out}: {len(table['actions'])} actions, over {extends}")
