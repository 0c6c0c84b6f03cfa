"""The exhibits of figures 8 and 9: four layers in a phase of ADA-GP, for several alphas, on each design."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from simulator.reproduce.exhibit import Cell, Comparison, Table
from simulator.reproduce.four_layers import ALPHA, ALPHAS, DRAWN_ALPHA, four_layer_timeline, paper_steps, steps_of
from simulator.reproduce.paper import DESIGNS
from workloads.schedule import Phase

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def step_comparisons(what: str, phases: Sequence[Phase], formula: str) -> list[Comparison]:
    """Return Efficient's steps beside the paper's formula for every alpha."""
    return [
        Comparison(f"steps of {what}, Efficient, alpha = {alpha}", float(paper_steps(formula, alpha)),
                   float(steps_of("efficient", phases, alpha)))
        for alpha in ALPHAS
    ]  # fmt: skip


def step_table(name: str, what: str, phases: Sequence[Phase], paper: str, two_arrays: str) -> Table:
    """Return every design's steps beside the paper's formula and the one that holds for MAX, as exact fractions."""
    rows: list[tuple[Cell, ...]] = []
    for alpha in ALPHAS:
        steps = {design: steps_of(design, phases, alpha) for design in ("baseline", *DESIGNS)}
        rows.append((
            str(alpha), str(steps["baseline"]), str(steps["low"]), str(steps["efficient"]),
            str(paper_steps(paper, alpha)), str(steps["max"]), str(paper_steps(two_arrays, alpha)),
            float(steps["baseline"] / steps["efficient"]), float(steps["baseline"] / steps["max"]),
        ))  # fmt: skip
    columns = (
        "alpha", "baseline", "LOW", "Efficient", f"paper: {paper}", "MAX", f"by hand: {two_arrays}",
        "speedup of Efficient", "of MAX",
    )  # fmt: skip
    return Table(name, f"Steps of {what} as exact fractions", columns, tuple(rows))


def draw_phases(phases: Sequence[Phase]) -> "Figure":
    """Draw Efficient and MAX."""
    from simulator.reproduce.gantt import gantt

    timelines = []
    for design, label in DESIGNS.items():
        if design == "low":  # as Efficient: what tells them apart, transfers, takes no step here
            continue
        steps = steps_of(design, phases, DRAWN_ALPHA)
        what = "a batch" if len(phases) == 1 else f"{len(phases)} batches"
        title = f"{label}, {what}: {float(steps):g} steps for {ALPHA} = {DRAWN_ALPHA}"
        timelines.append(four_layer_timeline(title, design, phases, DRAWN_ALPHA))
    return gantt(timelines)
