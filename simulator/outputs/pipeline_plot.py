"""A Gantt picture of the stretch of batches, as figures 10 to 12 of the paper, colour-blind safe."""

from pathlib import Path
from typing import Any

from matplotlib.patches import Patch

from simulator.outputs.drawing import label, save, subplots
from simulator.phases.stages import PHASE_RULES
from simulator.pipelines.operation import Kind
from simulator.pipelines.results import PipelineResults, PipelineRun

# Okabe and Ito's palette; forward passes take the colour of their batch's phase.
_FORWARD = {"warm_up": "#56B4E9", "bp": "#56B4E9", "gp": "#E69F00", "dni": "#CC79A7", "inference": "#0072B2"}
_BACKWARD: dict[Kind, str] = {"backward": "#009E73", "input_gradient": "#009E73", "weight_gradient": "#F0E442"}
_LEGEND = {
    "forward, Warm Up and Phase BP": "#56B4E9", "forward, Phase GP": "#E69F00", "forward, DNI": "#CC79A7",
    "forward, Inference": "#0072B2",
    "backward, or its input gradient": "#009E73", "weight gradient": "#F0E442",
}  # fmt: skip


def plot_pipeline(results: PipelineResults, path: Path) -> None:
    """Draw every run's stretch, one panel each on one axis of time; numbers are micro-batches, shades batches."""
    runs = results.runs
    longest = max(run.stretch.run.cycles for run in runs)
    devices = runs[0].devices
    figure, grid = subplots(
        len(runs), 1, figsize=(14, len(runs) * (0.36 * devices + 0.55) + 1.0), layout="constrained", squeeze=False,
        sharex=True,
    )  # fmt: skip
    trace = results.trace
    phases = ", ".join(PHASE_RULES[phase].title for phase in runs[0].stretch.phases[:8])
    figure.suptitle(
        f"{label(trace.network)} on {label(trace.dataset.name)}, {devices} devices, "
        f"{runs[0].micro_batches} micro-batches of "
        f"{runs[0].micro_batch_size}: batches {runs[0].stretch.first_batch} ff. of the trace ({phases})",
        fontsize=11,
    )
    used: set[str] = set()
    for axes, run in zip(grid[:, 0], runs, strict=True):
        _draw(axes, run, longest, used)
    grid[-1, 0].set_xlabel("million cycles")
    patches = [Patch(color=colour, label=name) for name, colour in _LEGEND.items() if colour in used]
    figure.legend(handles=patches, loc="outside lower center", ncols=len(patches), frameon=False)
    save(figure, path)


def _draw(axes: Any, run: PipelineRun, longest: int, used: set[str]) -> None:
    stretch = run.stretch
    for execution in stretch.run.executions:
        one = stretch.works[execution.batch].programme.placed[execution.index]
        length = execution.end_cycle - execution.start_cycle
        if not length:
            continue
        # A batch is carried out as the design does it: the baseline's Phase GP is a Phase BP.
        phase = run.kind_of(stretch.phases[execution.batch])
        kind = one.operation.kind
        colour = _FORWARD[phase] if kind == "forward" else _BACKWARD[kind]
        used.add(colour)
        middle = (execution.start_cycle + execution.end_cycle) / 2e6
        axes.barh(one.device, length / 1e6, left=execution.start_cycle / 1e6, height=0.9, color=colour,
                  alpha=1.0 if execution.batch % 2 == 0 else 0.62, edgecolor="white", linewidth=0.6)  # fmt: skip
        if length > longest / 110:
            axes.text(middle, one.device, str(one.operation.micro_batch), ha="center", va="center", fontsize=7)
    axes.set_ylim(run.devices - 0.45, -0.55)
    axes.set_xlim(0, longest / 1e6)
    axes.set_yticks(range(run.devices), [f"device {device}" for device in range(run.devices)], fontsize=8)
    axes.set_title(f"{label(run.schedule)}, {run.design}: {stretch.run.cycles:,} cycles", fontsize=9, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
