"""Pictures of a result, colour-blind safe."""

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from simulator.energy.energy import ENERGY_PARTS
from simulator.phases.design import batch_kind
from simulator.phases.stages import PHASE_RULES
from simulator.run.results import LayerRow, Results, RunResult
from simulator.studies.explain import ideal_speedup
from workloads.schedule import Phase

# Okabe and Ito's palette, which people with any colour vision can tell apart.
_COLOURS = {
    "forward": "#0072B2", "dgrad": "#E69F00", "wgrad": "#D55E00", "update": "#999999",
    "predictor_forward": "#009E73", "predictor_backward": "#CC79A7", "predictor_update": "#F0E442",
    "predictor_load": "#56B4E9", "predictor_store": "#000000",
    "vector_forward": "#332288", "vector_backward": "#88CCEE",
}  # fmt: skip
_COMPONENT_COLOURS = dict(
    zip(ENERGY_PARTS, ("#0072B2", "#56B4E9", "#CC79A7", "#009E73", "#F0E442", "#D55E00", "#999999"), strict=True)
)
_PHASE_COLOURS: dict[Phase, str] = {"warm_up": "#56B4E9", "bp": "#0072B2", "gp": "#E69F00", "dni": "#CC79A7"}


def plot_comparison(results: Results, path: Path) -> None:
    """Draw cycles per batch by phase, speedup, and energy by component of every run."""
    names = [run.design for run in results.runs]
    places = np.arange(len(names))
    figure, (cycles, speedup, energy) = plt.subplots(1, 3, figsize=(13, 4.2), layout="constrained")
    trace = results.trace
    figure.suptitle(
        f"{trace.network} on {trace.dataset.name}, batch {trace.batch_size}, {results.runs[0].dataflow}, "
        f"{trace.schedule.batches:,} batches ({trace.schedule.name})"
    )
    phases = [phase.phase for phase in results.runs[0].phases]
    width = 0.8 / len(phases)
    for i, phase in enumerate(phases):
        heights = [run.phase(phase).cycles_per_batch / 1e6 for run in results.runs]
        cycles.bar(places + (i - (len(phases) - 1) / 2) * width, heights, width, color=_PHASE_COLOURS[phase],
                   label=PHASE_RULES[phase].title)  # fmt: skip
    cycles.set_ylabel("million cycles a batch")
    cycles.set_title("Cycles per batch")
    cycles.set_ylim(0, cycles.get_ylim()[1] * 1.22)
    cycles.legend(ncols=len(phases), loc="upper center", frameon=False, columnspacing=1.0, handlelength=1.2)

    values = [results.speedup(run) or 1.0 for run in results.runs]
    bars = speedup.bar(places, values, 0.6, color="#0072B2")
    speedup.bar_label(bars, [f"{value:.3f}" for value in values], label_type="center", color="white")
    ideals = [ideal_speedup(run) for run in results.runs]
    speedup.hlines(ideals, places - 0.36, places + 0.36, colors="#D55E00", linestyles="dashed",
                   label="ideal: BW = 2 FW, free predictor")  # fmt: skip
    speedup.set_ylabel("speedup over the baseline")
    speedup.set_title("Training run")
    speedup.set_ylim(0, max([*values, *ideals]) * 1.25)
    speedup.legend(loc="upper left", frameon=False)

    bottom = np.zeros(len(names))
    most = max(run.energy_pj for run in results.runs) * 1e-12
    for component in ENERGY_PARTS:
        joules = np.array([_energy_j(run, component) for run in results.runs])
        if joules.max() < most / 1000:  # no one could see it
            continue
        energy.bar(places, joules, 0.6, bottom=bottom, label=component.replace("_", " "),
                   color=_COMPONENT_COLOURS[component])  # fmt: skip
        bottom += joules
    energy.set_ylabel("joules")
    energy.set_title("Energy of the training run")
    energy.set_ylim(0, energy.get_ylim()[1] * 1.3)
    energy.legend(ncols=2, loc="upper center", frameon=False)
    for axes in (cycles, speedup, energy):
        axes.set_xticks(places, names)
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=130)
    plt.close(figure)


def _energy_j(run: RunResult, component: str) -> float:
    return sum(row.count * getattr(row.energy, component) for row in run.rows) * 1e-12


def plot_layers(results: Results, path: Path) -> None:
    """Draw, layer by layer, the cycles of every pass: a row of panels for each run, one for each kind of batch.

    Where there is a second array, its passes stand beside the first one's in a narrower bar.
    """
    layers = [layer.id for layer in results.trace.mac_layers]
    kinds = [_distinct_phases(run) for run in results.runs]
    columns = max(len(phases) for phases in kinds)
    width = max(6.5 if columns == 1 else 5.0, 0.28 * len(layers) + 1.5)
    figure, grid = plt.subplots(
        len(results.runs), columns, figsize=(columns * width, 2.3 * len(results.runs) + 1.6), layout="constrained",
        squeeze=False, sharex=True, sharey=True,
    )  # fmt: skip
    figure.suptitle(
        f"{results.trace.network} on {results.trace.dataset.name}: cycles of each layer and pass in one batch"
    )
    labels: dict[str, Any] = {}
    for axes_row, run, phases in zip(grid, results.runs, kinds, strict=True):
        for axes, phase in zip(axes_row, phases, strict=False):
            _draw_layers(axes, [row for row in run.rows if row.phase == phase and row.pass_], layers, labels)
            axes.set_title(f"{run.design}: {_panel_name(run, phase)}", fontsize=10)
            axes.spines[["top", "right"]].set_visible(False)
        axes_row[0].set_ylabel("million cycles")
        for axes in axes_row[len(phases) :]:
            axes.set_axis_off()
    for axes in grid[-1]:
        axes.set_xticks(range(len(layers)), layers, rotation=90, fontsize=8)
    figure.legend(labels.values(), [name.replace("_", " ") for name in labels], loc="outside lower center",
                  ncols=min(5, len(labels)), frameon=False)  # fmt: skip
    figure.savefig(path, dpi=130)
    plt.close(figure)


def _distinct_phases(run: RunResult) -> list[Phase]:
    """Return one phase for each kind of batch that the run carries out."""
    kinds = {batch_kind(run.spec.design_rules, phase.phase): phase.phase for phase in run.phases}
    return [phase.phase for phase in run.phases if phase.phase in kinds.values()]


def _panel_name(run: RunResult, phase: Phase) -> str:
    return "every batch" if run.design == "baseline" else PHASE_RULES[phase].title


def _draw_layers(axes: Any, rows: list[LayerRow], layers: list[str], labels: dict[str, Any]) -> None:
    """Stack the passes of each layer: on the first array, and beside it, narrower, on the second."""
    arrays = sorted({row.array for row in rows if row.array is not None})
    offsets = {0: 0.0} if len(arrays) == 1 else {0: -0.12, 1: 0.36}
    widths = {0: 0.75} if len(arrays) == 1 else {0: 0.6, 1: 0.26}
    for array in arrays:
        bottom = np.zeros(len(layers))
        for name, colour in _COLOURS.items():
            heights = np.zeros(len(layers))
            for row in rows:
                if row.pass_ == name and row.array == array:
                    heights[layers.index(row.layer)] += row.cycles / 1e6
            if heights.any():
                places = np.arange(len(layers)) + offsets[array]
                labels[name] = axes.bar(places, heights, widths[array], bottom=bottom, color=colour)
                bottom += heights
