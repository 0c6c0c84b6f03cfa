"""`adagp-sim list`: what is shipped and known by name."""

import click


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def list_shipped(as_json: bool) -> None:
    """List shipped traces and configs, and the names of designs and dataflows."""
    import json

    from dataflows.dataflow import dataflows
    from simulator.energy.energy_table import load_energy_table
    from simulator.phases.design import designs
    from simulator.pipelines.schedule import schedules
    from workloads.foundation.shipped import shipped_names
    from workloads.networks import find_recipe, recipe_names
    from workloads.trace import load_policy, load_trace

    def trace_line(name: str) -> str:
        if name in recorded:  # reading all of them would take seconds
            return f"{recorded[name].network} on {recorded[name].dataset}, batch {recorded[name].batch_size}"
        trace = load_trace(name)
        return (
            f"{trace.network} on {trace.dataset.name}, batch {trace.batch_size}, "
            f"{len(trace.mac_layers)} layers with MACs, {trace.schedule.epoch_count} epochs ({trace.provenance.origin})"
        )

    recorded = {name: find_recipe(name) for name in recipe_names() if find_recipe(name).training is None}
    groups = {
        "traces": {name: trace_line(name) for name in shipped_names("traces")},
        "networks": {name: f"{find_recipe(name).network} on {find_recipe(name).dataset}; for trace export"
                     for name in recipe_names()},
        "designs": {name: design.description for name, design in designs().items()},
        "pipeline schedules": {name: schedule.description for name, schedule in schedules().items()},
        "dataflows": {f"{name} {wires}": flow.description for (wires, name), flow in sorted(dataflows().items())},
        "accelerators": {name: f"see show {name}" for name in shipped_names("configs/accelerators")},
        "DRAM parts": {name: f"see show {name}" for name in shipped_names("configs/dram")},
        "energy tables": {name: load_energy_table(name).description for name in shipped_names("configs/energy")},
        "values of kinds": {name: f"see show {name}" for name in shipped_names("configs/kinds")},
        "paper's numbers": dict.fromkeys(shipped_names("configs/paper"), "what reproduce holds its own beside"),
        "schedules": {name: load_policy(name).description for name in shipped_names("configs/schedules")},
    }  # fmt: skip
    if as_json:
        click.echo(json.dumps(groups, indent=2))
        return
    width = max(len(name) for names in groups.values() for name in names)
    for group, names in groups.items():
        click.echo(f"{group}:")
        for name, text in names.items():
            click.echo(f"  {name:{width}}  {text}")
