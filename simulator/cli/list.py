"""`adagp-sim list`: what is shipped and known by name."""

from collections.abc import Mapping

import click


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def list_shipped(as_json: bool) -> None:
    """List shipped traces and configs, and the designs and dataflows known by name.

    What an installed extension package gives has the package and its version behind it.
    """
    import json

    from dataflows.array import arrays
    from dataflows.dataflow import dataflows
    from simulator.dram.models import DRAM_MODELS
    from simulator.energy.energy_table import load_energy_table
    from simulator.machine.importers import machine_importers
    from simulator.pages.run_report import sections
    from simulator.phases.design import designs
    from simulator.pipelines.schedule import schedules
    from workloads.foundation.extensions import given_by
    from workloads.foundation.shipped import shipped_names
    from workloads.importers import importers
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

    def noted(group: str, texts: Mapping[str, str]) -> dict[str, str]:
        given = given_by(group)
        return {name: f"{text} [{given[name]}]" if name in given else text for name, text in texts.items()}

    def first_line(kind: type) -> str:
        return (kind.__doc__ or "").strip().partition("\n")[0]

    recorded = {name: find_recipe(name) for name in recipe_names() if find_recipe(name).training is None}
    flows = {flow.name: flow for flow in dataflows().values()}
    runs_on = {name: ", ".join(kind for kind, flow in dataflows() if flow == name) for name in flows}
    groups = {
        "traces": noted("traces", {name: trace_line(name) for name in shipped_names("traces")}),
        "networks": noted("networks", {name: f"{find_recipe(name).network} on {find_recipe(name).dataset}; for trace "
                                             "export" for name in recipe_names()}),
        "designs": noted("designs", {name: design.description for name, design in designs().items()}),
        "pipeline schedules": noted("pipeline_schedules", {name: one.description for name, one in schedules().items()}),
        "dataflows": noted("dataflows", {name: f"{flows[name].description} (array: {runs_on[name]})"
                                         for name in sorted(flows)}),
        "arrays": noted("arrays", {name: first_line(one) for name, one in arrays().items()}),
        "accelerators": noted("machines", {name: f"see show {name}" for name in shipped_names("configs/accelerators")}),
        "DRAM models": noted("dram_models", {name: first_line(one) for name, one in DRAM_MODELS.items()}),
        "DRAM parts": noted("dram_parts", {name: f"see show {name}" for name in shipped_names("configs/dram")}),
        "energy tables": noted("energy_tables", {name: load_energy_table(name).description
                                                 for name in shipped_names("configs/energy")}),
        "values of kinds": {name: f"see show {name}" for name in shipped_names("configs/kinds")},
        "paper's numbers": dict.fromkeys(shipped_names("configs/paper"), "what reproduce holds its own beside"),
        "schedules": noted("schedules", {name: load_policy(name).description
                                         for name in shipped_names("configs/schedules")}),
        "trace importers": noted("trace_importers", {name: one.description for name, one in importers().items()}),
        "machine importers": noted("machine_importers", {name: one.description
                                                         for name, one in machine_importers().items()}),
        "report sections": noted("report_sections", {name: one.title for name, one in sections().items()}),
    }  # fmt: skip
    if as_json:
        click.echo(json.dumps(groups, indent=2))
        return
    width = max(len(name) for names in groups.values() for name in names)
    for group, names in groups.items():
        click.echo(f"{group}:")
        for name, text in names.items():
            click.echo(f"  {name:{width}}  {text}")
