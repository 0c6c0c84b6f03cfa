"""What `simulate` and `compare` do after the options are read: run, print, write."""

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import click

from simulator.cli.options import RunRequest, exact_stretch, input_files, named_places
from simulator.cli.volume import Volume, note, volume

if TYPE_CHECKING:
    from rich.console import Console

    from simulator.machine.spec import Accelerator
    from simulator.run.results import Results, RunResult
    from workloads.trace import Trace


def check_places(request: RunRequest) -> None:
    """Refuse files that have no place to go to."""
    if request.all_tiles and not request.timeline:
        raise click.UsageError("--all-tiles is for a timeline: add --timeline")
    for option, wanted in (("--timeline", request.timeline), ("--plot", request.plot), ("--report", request.report)):
        if wanted and request.out is None:
            raise click.UsageError(f"{option} needs a place for its file: add --out DIR")


def run_and_report(
    trace_name: str, trace: "Trace", specs: "Sequence[Accelerator]", request: RunRequest, layers: bool = False
) -> None:
    """Simulate a trace on some specs, print the result, with `layers` also layer by layer, and write it where asked."""
    out = request.out
    from simulator.cli.console import console
    from simulator.cli.numba_start import start_numba
    from simulator.cli.progress import progress

    start_numba()
    from simulator.cli.two_compilers import compile_kernels

    compile_kernels()
    from simulator.outputs.staging import staged_output
    from simulator.run.simulation import compare
    from workloads.foundation.logs import stage as timed

    if request.report:
        from simulator.pages.page import plotly_script
        from simulator.pages.run_report import write_run_report

        plotly_script()  # whether it is there is known before the run
    if request.target_accuracy is not None:
        from simulator.studies.cost_to_target import check_target

        check_target(trace, request.target_accuracy)
    stretch = exact_stretch(request.exact, trace)
    steps = len(specs) * (len(trace.schedule.counts()) + (stretch[1] if stretch else 0)) + (out is not None)
    with ExitStack() as stack:
        stage = None if out is None else stack.enter_context(staged_output(out))
        with progress(steps, "plan") as say:
            with named_places(trace_name, request.config, request.dataflow, request.overrides):
                results = compare(trace, specs, stretch, say)
            if stage is not None:
                from simulator.outputs.folder import write_results

                say(f"writing {out}")
                files = input_files(trace_name, request, specs)
                detail = _timeline_detail(results, request.all_tiles) if request.timeline else None
                with timed(f"write {out}"):
                    write_results(results, stage, files, sys.argv[1:], detail, request.plot, request.target_accuracy)
                    if request.report:
                        write_run_report(stage)
    if request.as_json:
        from simulator.outputs.folder import json_text
        from simulator.outputs.summary import summary

        click.echo(json_text(summary(results, request.target_accuracy)), nl=False)
        for missing in trace.provenance.unrecorded:
            note(f"note: not recorded as it is: {missing}")
    else:
        screen = console()
        print_results(results, screen, request.target_accuracy)
        if layers:
            from simulator.cli.layer_table import print_layers

            print_layers(results)
        if volume() is not Volume.QUIET:
            _print_notes(trace, request, screen)
    if any(run.exact is not None and not run.exact.equal for run in results.runs):
        raise click.ClickException("batches simulated one by one differ from composed ones; please report this")


def _print_notes(trace: "Trace", request: RunRequest, screen: "Console") -> None:
    """Print what a reader of the tables has to know, and where the files are."""
    for missing in trace.provenance.unrecorded:
        screen.print(f"note: not recorded as it is: {missing}")
    if request.batch_size is not None and request.schedule is None:
        batches = trace.schedule.batches
        screen.print(f"note: the sequence of {batches:,} batches is the trace's, at another batch size; "
                     "--schedule plans a new one for all samples")  # fmt: skip
    if request.out is not None:
        screen.print(f"written to {request.out}")


def _timeline_detail(results: "Results", all_tiles: bool) -> 'Literal["ops", "tiles"]':
    """Return how much a timeline shows; tell the user where that is not all, or much."""
    from simulator.outputs.timeline import MOST_BYTES, timeline_tiles

    tiles, size = timeline_tiles(results)
    if size <= MOST_BYTES:
        return "tiles"
    how_large = f"{tiles:,} tiles, about {size / 1e6:,.0f} MB"
    if all_tiles:
        note(f"note: timeline.json gets {how_large}")
        return "tiles"
    note(f"note: timeline.json shows ops without their {how_large}; --all-tiles writes them too")
    return "ops"


def print_results(results: "Results", screen: "Console", target_accuracy: float | None = None) -> None:
    """Print the table of designs, why speedups are what they are, costs to an accuracy, and the exact stretch."""
    from simulator.cli.console import duration, joules, percent, print_table, table, thousands
    from simulator.phases.stages import PHASE_RULES

    trace = results.trace
    phases = [phase.phase for phase in results.runs[0].phases]
    first = results.runs[0]
    screen.print(
        f"{trace.network} on {trace.dataset.name} ({trace.provenance.origin}), batch {trace.batch_size}, "
        f"{trace.schedule.epoch_count} epochs, schedule {trace.schedule.name}: "
        + ", ".join(f"{phase.batches:,} {PHASE_RULES[phase.phase].title}" for phase in first.phases)
        + " batches"
    )
    screen.print(
        f"{first.dataflow}, {first.spec.array.rows} x {first.spec.array.columns} PEs at "
        f"{first.spec.frequency_hz / 1e6:g} MHz, energy table {first.spec.energy_table}\n"
        + "".join(dict.fromkeys(f"{line}\n" for run in results.runs for line in run.spec.narrow_ports))
    )
    cycle_rows, energy_rows = [], []
    for run in results.runs:
        speedup = results.speedup(run)
        cycle_rows.append([
            run.design,
            *(thousands(run.phase(phase).cycles_per_batch) for phase in phases),
            thousands(run.total_cycles),
            duration(run.seconds),
            "-" if speedup is None else f"{speedup:.4f}",
        ])  # fmt: skip
        energy_rows.append([
            run.design,
            joules(run.energy_pj),
            percent(results.energy_reduction(run)),
            joules(run.memory_energy_pj),
            percent(results.memory_energy_reduction(run)),
        ])  # fmt: skip
    columns = [("design", False), *((PHASE_RULES[phase].title, True) for phase in phases)]
    columns += [("whole run", True), ("time", True), ("speedup", True)]
    print_table(screen, table("Cycles of a batch in each phase, and of the whole run", columns, cycle_rows))
    columns = [("design", False), ("energy", True), ("reduction", True), ("memory energy", True), ("reduction", True)]
    print_table(screen, table("Energy of the whole run", columns, energy_rows))
    _print_gating(results, screen)
    with_predictor = [run for run in results.runs if run.design != "baseline"]
    trains = any(PHASE_RULES[phase].trains for phase in phases)
    if results.baseline is not None and with_predictor and trains:
        _print_causes(results, with_predictor, screen)
    _print_order(with_predictor, screen)
    _print_costs(results, target_accuracy, screen)
    for run in results.runs:
        if run.exact is not None:
            begin, cycles = run.exact.first_batch, run.exact.cycles
            verdict = "equal" if run.exact.equal else f"NOT equal to {sum(run.exact.composed_cycles):,} composed"
            line = (
                f"exact: {run.design}, batches {begin} to {begin + len(cycles) - 1} one by one: {sum(cycles):,} cycles"
            )
            screen.print(f"{line}, {verdict}")


def _print_gating(results: "Results", screen: "Console") -> None:
    """Print what zero gating would save, where the trace has shares of zeros that hold a multiplier still."""
    from simulator.cli.console import joules, percent, print_table, table
    from simulator.studies.zero_gating import zero_gating

    gated = zero_gating(results)
    if any(run.gated_macs for run in gated):
        columns = [("design", False), ("MACs gated", True), ("saves", True), ("of the energy", True)]
        rows = [
            [run.design, percent(run.gated_macs / run.macs), joules(run.saved_pj), percent(run.saved_share)]
            for run in gated
        ]
        title = "Zero gating, which is not counted above: multipliers held still where an input or dY is zero"
        print_table(screen, table(title, columns, rows))


def _print_causes(results: "Results", runs: "Sequence[RunResult]", screen: "Console") -> None:
    from simulator.cli.console import print_table, table
    from simulator.studies.explain import backward_ratio, explain, ideal_speedup

    causes = [explain(results, run) for run in runs]
    rows = [["ideal: backward takes 2 x forward, free predictor", *(f"{ideal_speedup(run):.4f}" for run in runs)]]
    for index, cause in enumerate(causes[0]):
        name = cause.name
        if index == 0:
            name = f"on the baseline backward takes {backward_ratio(results):.3f} x forward"
        rows.append([name, *(f"{column[index].change:+.4f}" for column in causes)])
    rows.append(["simulated", *(f"{column[-1].speedup:.4f}" for column in causes)])
    columns = [("", False), *((run.design, True) for run in runs)]
    print_table(screen, table("Speedup, and what each cause takes from it", columns, rows))


def _print_costs(results: "Results", target_accuracy: float | None, screen: "Console") -> None:
    """Print costs to an accuracy where one was asked for, or designs are compared on a trace with controls."""
    from simulator.cli.cost_table import print_costs
    from simulator.studies.cost_to_target import cost_to_target

    if target_accuracy is not None or (results.trace.controls and len(results.runs) > 1):
        found = cost_to_target(results, target_accuracy)
        if found is not None:
            print_costs(results, found, screen)


def _print_order(runs: "Sequence[RunResult]", screen: "Console") -> None:
    """Say so where a design with more hardware is slower than the one before it."""
    for less, more in pairwise(runs):
        if more.total_cycles > less.total_cycles:
            why = ""
            if len(more.spec.arrays) > len(less.spec.arrays):
                why = ": its second array is too small to hide the predictor, or both arrays wait for DRAM"
            screen.print(f"note: {more.design} is slower than {less.design} here{why}")
