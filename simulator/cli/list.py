"""`adagp-sim list`: what is known by name."""

import click


@click.command("list")
@click.argument("kind", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def list_shipped(kind: str | None, as_json: bool) -> None:
    """List what is known by name: all of it, or one KIND.

    \b
    adagp-sim list traces       recorded and trained networks
    adagp-sim list configs      machines, schedules, energy tables, DRAM parts
    adagp-sim list designs      also dataflows, arrays, networks, pipeline-schedules, ...

    What an installed extension package gives has the package and its version behind it.
    """  # noqa: D301 (click reads the \b)
    import json

    from simulator.api.catalogue import chosen_groups, described

    groups = {group.title if not as_json else group.kind: described(group) for group in chosen_groups(kind)}
    if as_json:
        click.echo(json.dumps(groups, indent=2))
        return
    width = max(len(name) for names in groups.values() for name in names)
    for title, names in groups.items():
        click.echo(f"{title}:")
        for name, text in names.items():
            click.echo(f"  {name:{width}}  {text}")
