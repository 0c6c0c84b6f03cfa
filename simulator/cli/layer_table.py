"""A run's layers on the terminal, as SCALE-Sim's users know them from its compute report."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from simulator.cli.console import long_table, percent, thousands
from simulator.phases.design import batch_kind
from simulator.phases.stages import PHASE_RULES

if TYPE_CHECKING:
    from simulator.run.results import LayerRow, Results, RunResult
    from workloads.schedule import Phase

_COLUMNS = (
    ("layer", False), ("pass", False), ("array", True), ("cycles", True), ("compute", True), ("stalled", True),
    ("utilization", True), ("bound", False),
)  # fmt: skip


def print_layers(results: "Results") -> None:
    """Print a table of ops for each run and kind of batch; phases that share a batch share its table."""
    for run in results.runs:
        for phases in _alike(run):
            titles = " and ".join(PHASE_RULES[phase].title for phase in phases)
            title = f"Layers of {run.design}, one batch of {titles}"
            rows = [row for row in run.rows if row.phase == phases[0] and row.array is not None]
            cells = [_cells(row) for row in sorted(rows, key=lambda row: row.start_cycle)]
            cycles = thousands(run.phase(phases[0]).cycles_per_batch)
            click.echo("\n" + long_table(title, _COLUMNS, [*cells, ["whole batch", "", "", cycles, "", "", "", ""]]))


def _alike(run: "RunResult") -> list[list["Phase"]]:
    """Return the run's phases, those that are carried out by the same batch together."""
    kinds: dict[Phase, list[Phase]] = {}
    for phase in run.phases:
        kinds.setdefault(batch_kind(run.spec.design_rules, phase.phase), []).append(phase.phase)
    return list(kinds.values())


def _cells(row: "LayerRow") -> Sequence[str]:
    stalled = row.cycles - row.compute_cycles
    return [
        row.layer, row.pass_, str(row.array), thousands(row.cycles), thousands(row.compute_cycles), thousands(stalled),
        percent(row.utilization), row.roofline_bound,
    ]  # fmt: skip
