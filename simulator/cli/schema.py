"""`adagp-sim schema`: JSON Schemas for editors."""

import click

from simulator.cli.options import Named

_KINDS = ("spec", "trace", "schedule", "energy-table", "dram-part", "mapping", "pipeline-schedule", "sweep")


@click.command()
@click.argument("kind", type=Named(_KINDS), metavar="KIND")
def schema(kind: str) -> None:
    """Print the JSON Schema of a KIND of file, with which an editor completes keys and marks mistakes.

    KIND is spec (a machine), trace, schedule, energy-table, dram-part, mapping, pipeline-schedule or sweep.

    \b
    adagp-sim schema spec > spec.schema.json
    and as the first line of a machine's file, for editors with a YAML language server:
    # yaml-language-server: $schema=spec.schema.json
    """  # noqa: D301 (click reads the \b)
    import json

    from simulator.api.schemas import schema as schema_of

    click.echo(json.dumps(schema_of(kind), indent=2))
