"""Pictures of a result, colour-blind safe."""

from pathlib import Path
from typing import Any

import numpy as np

from simulator.energy.energy import ENERGY_PARTS
from simulator.outputs import colours
from simulator.outputs.drawing import Picture, label, save, subplots
from simulator.outputs.units import energy_unit
from simulator.phases.design import batch_kind
from simulator.phases.stages import PHASE_RULES
from simulator.run.results import LayerRow, Results, RunResult
from simulator.studies.explain import ideal_speedup
from workloads.schedule import Phase

_MOST_BARS = 40  # so many can be distinguished, and their labels read, in a panel of 9 inches
_LEAST_PLACES = 3  # a picture of one design is no wall


def plot_comparison(results: Results, path: Path) -> None:
    """Write the picture of `comparison_picture` as PNG."""
    save(comparison_picture(results), path)


def comparison_picture(results: Results) -> Picture:
    """Draw cycles per batch by phase, the whole training run, and energy by component of every run.

    The training run is drawn as speedup over the baseline, or as cycles where no baseline ran.
    """
    names = [run.design for run in results.runs]
    places = np.arange(len(names))
    figure, (cycles, whole, energy) = subplots(1, 3, figsize=(13, 4.2), layout="constrained")
    trace = results.trace
    figure.suptitle(
        f"{label(trace.network)} on {label(trace.dataset.name)}, batch {trace.batch_size}, {results.runs[0].dataflow}, "
        f"{trace.schedule.batches:,} batches ({label(trace.schedule.name)})"
    )
    phases = [phase.phase for phase in results.runs[0].phases]
    width = 0.8 / len(phases)
    for i, phase in enumerate(phases):
        heights = [run.phase(phase).cycles_per_batch / 1e6 for run in results.runs]
        cycles.bar(places + (i - (len(phases) - 1) / 2) * width, heights, width, color=colours.PHASES[phase],
                   label=PHASE_RULES[phase].title)  # fmt: skip
    cycles.set_ylabel("million cycles a batch")
    cycles.set_title("Cycles per batch")
    cycles.set_ylim(0, cycles.get_ylim()[1] * 1.22)
    cycles.legend(ncols=len(phases), loc="upper center", frameon=False, columnspacing=1.0, handlelength=1.2)

    if results.baseline is None:
        _draw_whole_runs(whole, places, results)
    else:
        _draw_speedups(whole, places, results)
    whole.set_title("Training run")

    bottom = np.zeros(len(names))
    unit, size = energy_unit(run.energy_pj for run in results.runs)
    most = max(run.energy_pj for run in results.runs) / size
    for component in ENERGY_PARTS:
        parts = np.array([_energy_pj(run, component) for run in results.runs]) / size
        if parts.max() < most / 1000:  # no one could see it
            continue
        energy.bar(places, parts, 0.6, bottom=bottom, label=component.replace("_", " "),
                   color=colours.COMPONENTS[component])  # fmt: skip
        bottom += parts
    energy.set_ylabel(unit)
    energy.set_title("Energy of the training run")
    energy.set_ylim(0, energy.get_ylim()[1] * 1.4)
    energy.legend(ncols=2, loc="upper center", frameon=False)
    for axes in (cycles, whole, energy):
        axes.set_xticks(places, names)
        free = max(0, _LEAST_PLACES - len(names)) / 2
        axes.set_xlim(-0.6 - free, len(names) - 0.4 + free)
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def _draw_speedups(axes: Any, places: Any, results: Results) -> None:
    values = [results.speedup(run) for run in results.runs]
    drawn = [0.0 if value is None else value for value in values]
    bars = axes.bar(places, drawn, 0.6, color=_design_colours(results))
    labels = ["" if value is None else f"{value:.3f}" for value in values]
    axes.bar_label(bars, labels, label_type="center")
    ideals = [ideal_speedup(run) for run in results.runs]
    axes.hlines(ideals, places - 0.36, places + 0.36, colors="#000000", linestyles="dashed",
                label="ideal: backward takes 2 x forward, free predictor")  # fmt: skip
    axes.set_ylabel("speedup over the baseline")
    axes.set_ylim(0, max([*drawn, *ideals]) * 1.25)
    axes.legend(loc="upper left", frameon=False)


def _draw_whole_runs(axes: Any, places: Any, results: Results) -> None:
    """Draw cycles: without a baseline there is nothing to be faster than."""
    cycles = [run.total_cycles / 1e9 for run in results.runs]
    bars = axes.bar(places, cycles, 0.6, color=_design_colours(results))
    axes.bar_label(bars, [f"{value:,.4g}" for value in cycles], label_type="center")
    axes.set_ylabel("billion cycles")
    axes.set_ylim(0, max(cycles) * 1.25)


def _design_colours(results: Results) -> list[str]:
    of_design = colours.series_colours(run.design for run in results.runs)
    return [of_design[run.design] for run in results.runs]


def _energy_pj(run: RunResult, component: str) -> float:
    return sum(row.count * getattr(row.energy, component) for row in run.rows)


def plot_layers(results: Results, path: Path) -> None:
    """Write the picture of `layers_picture` as PNG."""
    save(layers_picture(results), path)


def layers_picture(results: Results) -> Picture:
    """Draw, layer by layer, the cycles of every pass: a row of panels for each run, one for each kind of batch.

    Where there is a second array, its passes are in a narrower bar beside the first one's. A network of many layers
    has several that follow each other in a bar.
    """
    layers = [layer.id for layer in results.trace.mac_layers]
    together = -(-len(layers) // _MOST_BARS)
    bar_of = {layer: index // together for index, layer in enumerate(layers)}
    bars = max(bar_of.values()) + 1
    kinds = [_distinct_phases(run) for run in results.runs]
    columns = max(len(phases) for phases in kinds)
    width = max(6.5 if columns == 1 else 5.0, min(0.28 * bars, 7.5) + 1.5)
    figure, grid = subplots(
        len(results.runs), columns, figsize=(columns * width, 2.3 * len(results.runs) + 2.6), layout="constrained",
        squeeze=False, sharex=True, sharey=True,
    )  # fmt: skip
    a_bar = "a bar for each layer" if together == 1 else f"a bar for {together} layers in a row"
    figure.suptitle(
        f"{label(results.trace.network)} on {label(results.trace.dataset.name)}: "
        f"cycles of the passes of a batch, {a_bar}"
    )
    labels: dict[str, Any] = {}
    for axes_row, run, phases in zip(grid, results.runs, kinds, strict=True):
        for axes, phase in zip(axes_row, phases, strict=False):
            name = "every batch" if len(phases) == 1 and len(run.phases) > 1 else PHASE_RULES[phase].title
            _draw_layers(axes, [row for row in run.rows if row.phase == phase and row.layer in bar_of], bar_of, labels)
            axes.set_title(f"{run.design}: {name}", fontsize=10)
            axes.spines[["top", "right"]].set_visible(False)
        axes_row[0].set_ylabel("million cycles")
        for axes in axes_row[len(phases) :]:
            axes.set_axis_off()
    for axes in grid[-1]:
        axes.set_xticks(range(bars), _bar_names(layers, together), rotation=90, fontsize=8)
    figure.legend(labels.values(), [name.replace("_", " ") for name in labels], loc="outside lower center",
                  ncols=min(5, len(labels)), frameon=False)  # fmt: skip
    return figure


def _bar_names(layers: list[str], together: int) -> list[str]:
    """Return the first layer of each bar, and how many follow it there."""
    names = []
    for first in range(0, len(layers), together):
        more = min(together, len(layers) - first) - 1
        names.append(label(layers[first], 28) + (f" + {more}" if more else ""))
    return names


def _distinct_phases(run: RunResult) -> list[Phase]:
    """Return one phase for each kind of batch that the run carries out."""
    kinds = {batch_kind(run.spec.design_rules, phase.phase): phase.phase for phase in run.phases}
    return [phase.phase for phase in run.phases if phase.phase in kinds.values()]


def _draw_layers(axes: Any, rows: list[LayerRow], bar_of: dict[str, int], labels: dict[str, Any]) -> None:
    """Stack the passes of each bar's layers: on the first array, and beside it, narrower, on the second."""
    count = max(bar_of.values()) + 1
    arrays = sorted({row.array for row in rows if row.array is not None})
    offsets = {0: 0.0} if len(arrays) == 1 else {0: -0.12, 1: 0.36}
    widths = {0: 0.75} if len(arrays) == 1 else {0: 0.6, 1: 0.26}
    for array in arrays:
        bottom = np.zeros(count)
        for name, colour in colours.PASSES.items():
            heights = np.zeros(count)
            for row in rows:
                if row.pass_ == name and row.array == array:
                    heights[bar_of[row.layer]] += row.cycles / 1e6
            if heights.any():
                places = np.arange(count) + offsets[array]
                labels[name] = axes.bar(places, heights, widths[array], bottom=bottom, color=colour)
                bottom += heights
