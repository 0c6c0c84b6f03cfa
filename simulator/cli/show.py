"""`adagp-sim show`: every parameter of an accelerator, an energy table or a schedule."""

import click


@click.command()
@click.argument("config")
@click.option("--design", metavar="NAME", help="For an accelerator: the design; else the config's own.")
@click.option("--dataflow", metavar="NAME", help="For an accelerator: the dataflow.")
@click.option(
    "--set", "overrides", metavar="KEY=VALUE", multiple=True, help="For an accelerator: set one key. Can be repeated."
)
def show(config: str, design: str | None, dataflow: str | None, overrides: tuple[str, ...]) -> None:
    """Print CONFIG (a file or a shipped name) with every parameter, as YAML.

    An accelerator is printed with what it extends filled in.
    """
    from simulator.energy import load_energy_table
    from simulator.outputs.resolved import plain, spec_data, to_yaml
    from simulator.spec_loading import load_accelerator
    from workloads.errors import InputError, nearest
    from workloads.shipped import resolve, shipped_names
    from workloads.strict_yaml import read_yaml
    from workloads.trace import load_policy

    shipped = {kind: shipped_names(f"configs/{kind}") for kind in ("accelerators", "energy", "schedules")}
    kind = next((kind for kind, names in shipped.items() if config in names), None)
    if kind is None:
        try:
            data = read_yaml(resolve(config, "configs/accelerators", "config"))
        except InputError as error:
            if error.problem != "no such config":
                raise
            known = [name for names in shipped.values() for name in names]
            raise InputError(config, "", "no such config", f"give a file or {nearest(config, known)}") from None
        keys = data if isinstance(data, dict) else {}
        kind = "energy" if "actions" in keys else "schedules" if "stages" in keys else "accelerators"
    if kind != "accelerators" and (design or dataflow or overrides):
        raise click.UsageError(f"--design, --dataflow and --set go with an accelerator, and {config} is none")
    if kind == "energy":
        shown = plain(load_energy_table(config).model_dump())
    elif kind == "schedules":
        shown = plain(load_policy(config).model_dump())
    else:
        shown = spec_data(load_accelerator(config, design, dataflow, overrides))
    click.echo(to_yaml(shown), nl=False)
