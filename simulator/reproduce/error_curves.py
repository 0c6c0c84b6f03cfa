"""The predictor's errors as curves over the epochs, a line a layer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from simulator.reproduce.charts import BLUE, GREEN, ORANGE, PURPLE, RED, legend, tidy

Values = Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Curves:
    """One panel.

    Attributes
    ----------
    lines : dict
        By label: a value an epoch from the first on, None where there is none.
    marks : tuple of (str, float)
        Horizontal lines.
    points : dict
        By label: points (epoch, value), such as those that the paper names.
    logarithmic : bool
        Of the y axis.
    """

    title: str
    unit: str
    lines: Mapping[str, Values]
    marks: tuple[tuple[str, float], ...] = ()
    points: Mapping[str, Sequence[tuple[int, float]]] | None = None
    logarithmic: bool = False


def draw_curves(panels: Sequence[Curves], columns: int = 2) -> Figure:
    """Draw panels, each with its lines over the epochs."""
    rows = -(-len(panels) // columns)
    figure, grid = plt.subplots(
        rows, columns, figsize=(5.4 * columns, 3.1 * rows + 0.6), layout="constrained", squeeze=False
    )
    for axes, panel in zip(grid.flat, panels, strict=False):
        for (label, values), colour in zip(panel.lines.items(), (BLUE, ORANGE, GREEN, PURPLE, RED), strict=False):
            heights = [float("nan") if value is None else value for value in values]
            axes.plot(range(1, len(values) + 1), heights, linewidth=1.3, label=label, color=colour)
        for (label, height), style in zip(panel.marks, (":", "--"), strict=False):
            axes.axhline(height, color="#000000", linestyle=style, linewidth=1, label=label)
        for label, points in (panel.points or {}).items():
            axes.plot(*zip(*points, strict=True), marker="D", markersize=5, linestyle="-.", linewidth=1, color=RED,
                      label=label)  # fmt: skip
        if panel.logarithmic:
            axes.set_yscale("log")
        axes.set_title(panel.title, fontsize=10)
        axes.set_xlabel("epoch")
        axes.set_ylabel(panel.unit)
        tidy(axes)
    for axes in grid.flat[len(panels) :]:
        axes.set_axis_off()
    legend(figure, grid.flat)
    return figure
