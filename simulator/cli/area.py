"""`adagp-sim area`: area and power of the designs, and what a baseline of equal cost would do."""

from typing import TYPE_CHECKING, Any

import click

from simulator.cli.options import GivenPath, config_option, given_trace, named_places

if TYPE_CHECKING:
    from rich.console import Console

    from simulator.area.equal import EqualStudy, LargerBaseline
    from simulator.area.report import DesignCost
    from simulator.area.synthesized import SynthesizedArray


@click.command()
@click.argument("trace", required=False)
@config_option
@click.option("--dataflow", metavar="NAME", help="Dataflow of the studies, such as ws.")
@click.option(
    "--set", "overrides", metavar="KEY=VALUE", multiple=True,
    help="Set one key of the spec, such as array.rows=32. Can be repeated.",
)  # fmt: skip
@click.option(
    "--synthesis", metavar="FILE", type=GivenPath(dir_okay=False),
    help="Figures of the arrays, as `synthesize --out FILE` writes them; else those that are shipped.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print as JSON and nothing else.")
def area(
    trace: str | None,
    config: str | None,
    dataflow: str | None,
    overrides: tuple[str, ...],
    synthesis: str | None,
    as_json: bool,
) -> None:
    """Print FPGA resources, ASIC area and power of the four designs, scaled from the paper's tables 4 and 5.

    Beside them it prints what yosys makes of the RTL of their arrays (`adagp-sim synthesize`).

    With TRACE (a file or a shipped name), also simulate baselines with as many PEs as the power or area of
    a design allows.
    """
    import json
    from pathlib import Path

    from simulator.area.datapath import load_synthesis
    from simulator.area.equal import equal_runs, equal_studies, larger_baselines
    from simulator.area.report import area_data, cost_of
    from simulator.area.synthesized import synthesized_arrays, synthesized_baselines
    from simulator.cli.console import console
    from simulator.cli.numba_start import start_numba
    from simulator.cli.progress import progress
    from simulator.machine.spec_loading import load_designs

    specs = load_designs(config, dataflow, overrides)
    workload = None if trace is None else given_trace(trace)
    costs = [cost_of(spec) for spec in specs]
    figures = load_synthesis(None if synthesis is None else Path(synthesis))
    arrays, more = synthesized_arrays(specs, figures), synthesized_baselines(specs, figures)
    larger = [*larger_baselines(specs), *more]
    studies: list[EqualStudy] = []
    if workload is not None:
        start_numba()
        with named_places(str(trace), config, dataflow, overrides), progress(len(equal_runs(specs, more))) as say:
            studies = equal_studies(workload, specs, more, say)
    dataset = None if workload is None else workload.dataset.name
    if as_json:
        click.echo(json.dumps(area_data(costs, arrays, larger, studies, dataset), indent=2))
        return
    screen = console()
    _print_fpga(costs, screen)
    _print_asic(costs, screen)
    _print_synthesis(costs, arrays, screen)
    _print_equal(larger, studies, dataset, screen)


def _print_fpga(costs: "list[DesignCost]", screen: "Console") -> None:
    from simulator.cli.console import print_table, table

    rows = []
    for cost in costs:
        r, p = cost.resources, cost.power
        counts = (r.clb_luts, r.clb_registers, r.ramb36, r.ramb18, r.dsps)
        parts = (p.clocks_w, p.clb_logic_w, p.signals_w, p.block_ram_w, p.dsps_w, p.static_w, p.unnamed_w, p.total_w)
        more = p.total_w / costs[0].power.total_w - 1
        rows.append([cost.design, *(f"{n:,}" for n in counts), *(f"{watt:.3f}" for watt in parts), f"{more:+.2%}"])
    names = ["LUTs", "registers", "RAMB36", "RAMB18", "DSPs", "clocks", "logic", "signals", "BRAM", "DSPs", "static"]
    names += ["unnamed", "total"]
    columns = [("design", False), *((name, True) for name in names), ("more", True)]
    print_table(screen, table("FPGA (scaled from table 4): resources, and power in W", columns, rows))


def _print_asic(costs: "list[DesignCost]", screen: "Console") -> None:
    from simulator.cli.console import print_table, table

    rows = []
    for cost in costs:
        a, p = cost.area, cost.asic_power
        areas = (a.combinational_um2, a.buffers_inverters_um2, a.net_interconnect_um2, a.total_cell_um2, a.total_um2)
        powers = (p.internal_uw, p.switching_uw, p.leakage_uw, p.total_uw)
        more = a.total_um2 / costs[0].area.total_um2 - 1
        memory = "-" if cost.sram is None else f"{cost.sram.global_buffer_mm2 + cost.sram.predictor_sram_mm2:.2f}"
        values = [*(f"{value:,.0f}" for value in areas), f"{more:+.2%}", *(f"{value / 1000:.2f}" for value in powers)]
        rows.append([cost.design, *values, memory])
    names = ["combinational", "buf/inv", "interconnect", "cells", "total", "more"]
    names += ["internal", "switching", "leakage", "power"]
    columns = [("design", False), *((name, True) for name in names), ("SRAM mm2", True)]
    title = "ASIC (scaled from table 5): area of logic in um2, its power in mW; SRAM by CACTI"
    print_table(screen, table(title, columns, rows))


def _print_synthesis(costs: "list[DesignCost]", arrays: "list[SynthesizedArray]", screen: "Console") -> None:
    from simulator.cli.console import print_table, table

    rows, unknown = [], set[str]()
    for cost in costs:
        own = [one for one in arrays if one.design == cost.design]
        sizes = " + ".join(f"{one.datapath.rows} x {one.datapath.columns}" for one in own if one.datapath is not None)
        figures = [one.figures for one in own if one.figures is not None]
        unknown |= {str(one.datapath) for one in own if one.datapath is not None and one.figures is None}
        if len(figures) < len(own):
            rows.append([cost.design, sizes or "-", *["-"] * 8])
            continue
        r, values = cost.resources, list[str]()
        for count, all_of_it in (
            (sum(one.luts for one in figures), r.clb_luts),
            (sum(one.flip_flops for one in figures), r.clb_registers),
            (sum(one.dsps for one in figures), r.dsps),
        ):
            values += [f"{count:,}", f"{count / all_of_it:.1%}"]
        bits, gates = sum(one.register_bits for one in figures), sum(one.gates for one in figures)
        rows.append([cost.design, sizes, *values, f"{bits:,}", f"{gates:,.0f}"])
    names = ["LUTs", "of all", "registers", "of all", "DSPs", "of all", "register bits", "gates"]
    columns = [("design", False), ("arrays", True), *((name, True) for name in names)]
    print_table(screen, table("Arrays as synthesised from the RTL (docs/area.md), of all as above", columns, rows))
    if unknown:
        remedy = "adagp-sim synthesize --out FILE makes it, area --synthesis FILE shows it"
        screen.print(f"No synthesis is known of {', '.join(sorted(unknown))}: {remedy}.\n")


def _print_equal(
    larger: "list[LargerBaseline]", studies: "list[EqualStudy]", dataset: str | None, screen: "Console"
) -> None:
    from simulator.area.equal import published
    from simulator.cli.console import print_table, table

    rows: list[list[Any]] = []
    if not studies:
        for one in larger:
            paper = published().get(one.budget) if one.design == "max" else None
            rows.append([one.budget, one.design, f"{one.pes:,}", f"{one.extra_pes:+.1%}",
                         "-" if paper is None else f"{paper.extra_pes_percent:+.0f}%"])  # fmt: skip
        columns = [("equal", False), ("with", False), ("PEs", True), ("more", True), ("paper", True)]
        print_table(screen, table("PEs that a baseline may have", columns, rows))
        return
    for study in studies:
        one = study.larger
        paper = published().get(one.budget.removesuffix(", PEs as published")) if one.design == "max" else None
        stated = None if paper is None or dataset is None else paper.speedup_percent(dataset)
        rows.append([
            one.budget, one.design, f"{one.pes:,}", f"{one.extra_pes:+.1%}", f"{study.rows} x {study.columns}",
            f"{study.baseline_speedup - 1:+.2%}", f"{study.slowest_speedup - 1:+.2%}",
            "-" if stated is None else f"{stated:+.2f}%", f"{study.design_speedup:.4f}",
        ])  # fmt: skip
    columns = [("equal", False), ("with", False), ("PEs", True), ("more", True), ("array", True),
               ("gain", True), ("slowest array's", True), ("paper", True), ("design over it", True)]  # fmt: skip
    print_table(screen, table("What a larger baseline brings over the plain one", columns, rows))
