"""`adagp-sim memory`: memory-access energy under one counting rule after another."""

import click

from simulator.cli.options import config_option, given_trace, named_places


@click.command()
@click.argument("trace")
@click.option(
    "--design", default="max", metavar="NAME", show_default=True, help="Design that is compared with the baseline."
)
@config_option
@click.option("--dataflow", metavar="NAME", help="Dataflow, such as ws.")
@click.option(
    "--set", "overrides", metavar="KEY=VALUE", multiple=True,
    help="Set one key of the spec, such as array.rows=32. Can be repeated.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print as JSON and nothing else.")
def memory(
    trace: str, design: str, config: str | None, dataflow: str | None, overrides: tuple[str, ...], as_json: bool
) -> None:
    """Print how much energy of memory accesses a design saves on TRACE, under each counting rule."""
    import json

    from simulator.cli.console import console, print_table, table
    from simulator.cli.numba_start import start_numba
    from simulator.cli.progress import progress

    start_numba()
    from simulator.machine.spec_loading import load_designs
    from simulator.phases.design import find_design
    from simulator.studies.memory_study import memory_study

    specs = {spec.design: spec for spec in load_designs(config, dataflow, overrides)}
    workload = given_trace(trace)
    with named_places(trace, config, dataflow, overrides), progress(2, "count memory accesses") as say:
        rows = memory_study(workload, specs["baseline"], specs[find_design(design).name], say)
    if as_json:
        found = [
            {"rule": r.rule, "baseline_pj": r.baseline_pj, "design_pj": r.design_pj, "reduction": r.reduction}
            for r in rows
        ]
        click.echo(json.dumps({"network": workload.network, "design": design, "rules": found}, indent=2))
        return
    columns = [("counted, with all above", False), ("baseline, J", True), (f"{design}, J", True), ("saved", True)]
    lines = [
        [row.rule, f"{row.baseline_pj / 1e12:,.1f}", f"{row.design_pj / 1e12:,.1f}", f"{row.reduction:.1%}"]
        for row in rows
    ]
    title = f"Energy of memory accesses, {workload.network} on {workload.dataset.name}, {specs['baseline'].dataflow}"
    print_table(console(), table(title, columns, lines))
