"""Pictures of tables 2 and 3."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from simulator.reproduce.charts import BLUE, GREEN, GREY, ORANGE, legend, tidy

_COLOURS = (ORANGE, GREEN, BLUE)
_MARKERS = "os^"
_STYLES = ("--", ":")


def by_epochs(panels: Mapping[str, Mapping[str, Sequence[tuple[int, float]]]], marks: Mapping[str, float]) -> Figure:
    """Draw speedups by epochs, a panel an assumption, with the paper's as horizontal lines."""
    figure, grid = plt.subplots(1, len(panels), figsize=(5.8 * len(panels), 4), layout="constrained", squeeze=False)
    for axes, (title, series) in zip(grid[0], panels.items(), strict=True):
        for (label, points), colour, marker in zip(series.items(), _COLOURS, _MARKERS, strict=True):
            xs, ys = zip(*points, strict=True)
            axes.plot(xs, ys, marker=marker, markersize=3.5, color=colour, label=label, linewidth=1.3)
        for (label, height), style in zip(marks.items(), _STYLES, strict=False):
            axes.axhline(height, color="#000000", linestyle=style, linewidth=1.1, label=label)
        axes.set_title(title, fontsize=10)
        axes.set_xlabel("epochs of the run")
        axes.set_ylabel("speedup (axis cut)")
        tidy(axes)
    legend(figure, grid[0])
    return figure


def by_assumption(
    names: Sequence[str], series: Mapping[str, Sequence[float]], marks: Mapping[str, float], title: str
) -> Figure:
    """Draw a row an assumption, a dot a design, with the paper's speedups as vertical lines."""
    figure, axes = plt.subplots(figsize=(9, 0.3 * len(names) + 1.6), layout="constrained")
    places = range(len(names))
    for (label, values), colour, marker in zip(series.items(), _COLOURS, _MARKERS, strict=True):
        axes.plot(values, places, marker, color=colour, label=label, markersize=6)
    for (label, value), style in zip(marks.items(), _STYLES, strict=False):
        axes.axvline(value, color="#000000", linestyle=style, linewidth=1.1, label=label)
    axes.set_yticks(list(places), names)
    axes.grid(axis="y", color=GREY, alpha=0.3)
    axes.invert_yaxis()
    axes.set_xlabel("speedup (axis cut)")
    axes.set_title(title, fontsize=10)
    tidy(axes)
    legend(figure, [axes])
    return figure
