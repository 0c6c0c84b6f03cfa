"""Pictures in the paper's form: grouped bars and lines, in colours that all can tell apart."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

# Okabe and Ito's palette, which people with any colour vision can tell apart.
BLUE, ORANGE, GREEN, RED, PURPLE, SKY, YELLOW, GREY = (
    "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442", "#999999",
)  # fmt: skip
PALETTE = (SKY, BLUE, ORANGE, GREEN, RED, PURPLE, GREY, YELLOW)


def grouped_bars(
    panels: Mapping[str, Mapping[str, Sequence[float]]],
    names: Sequence[str],
    unit: str,
    marks: Mapping[str, Sequence[tuple[str, float]]] | None = None,
    floor: float | None = None,
) -> Figure:
    """Draw a panel below the other, each with groups of bars.

    Parameters
    ----------
    panels : dict of dict of sequence of float
        By panel title and by label of a series: a height for each name.
    names : sequence of str
        The groups on the x axis.
    unit : str
        Of the y axis.
    marks : dict of sequence of (str, float), optional
        By panel title: horizontal lines with their labels, such as the paper's average.
    floor : float, optional
        Where the y axis begins, if not at 0; the picture then says so.
    """
    figure, grid = plt.subplots(
        len(panels), 1, figsize=(max(7.0, 0.75 * len(names) + 2.5), 2.7 * len(panels) + 0.6), layout="constrained",
        squeeze=False, sharex=True,
    )  # fmt: skip
    places = np.arange(len(names))
    for axes, (title, series) in zip(grid[:, 0], panels.items(), strict=True):
        width = 0.82 / len(series)
        for index, (label, heights) in enumerate(series.items()):
            offset = (index - (len(series) - 1) / 2) * width
            axes.bar(places + offset, heights, width, label=label, color=PALETTE[index])
        for index, (label, height) in enumerate((marks or {}).get(title, ())):
            axes.axhline(height, color=(RED, "#000000")[index % 2], linestyle=("--", ":")[index % 2], linewidth=1.2,
                         label=label)  # fmt: skip
        axes.set_title(title, fontsize=10)
        axes.set_ylabel(unit + ("" if floor is None else f" (axis from {floor:g})"))
        tops = [height for heights in series.values() for height in heights]
        bottom = 0.0 if floor is None else floor
        axes.set_ylim(min(bottom, *tops), max(tops) + 0.22 * (max(tops) - bottom))
        tidy(axes)
    grid[-1, 0].set_xticks(places, names, rotation=35, ha="right")
    legend(figure, grid[:, 0])
    return figure


def lines(
    panels: Mapping[str, Mapping[str, Sequence[tuple[float, float]]]],
    x_label: str,
    unit: str,
    logarithmic: bool = False,
    columns: int = 2,
    marks: Mapping[str, float] | None = None,
) -> Figure:
    """Draw panels with lines through points (x, y), by panel title and by label; `marks` are horizontal lines."""
    rows = -(-len(panels) // columns)
    figure, grid = plt.subplots(
        rows, columns, figsize=(5.2 * columns, 3.1 * rows + 0.5), layout="constrained", squeeze=False
    )
    for axes, (title, series) in zip(grid.flat, panels.items(), strict=False):
        for index, (label, points) in enumerate(series.items()):
            xs, ys = zip(*points, strict=True)
            axes.plot(
                xs, ys, marker="osD^vPX*"[index % 8], markersize=4, label=label, color=(BLUE, *PALETTE[2:])[index]
            )
        for label, height in (marks or {}).items():
            axes.axhline(height, color="#000000", linestyle=":", linewidth=1, label=label)
        if logarithmic:
            axes.set_xscale("log", base=2)
            ticks = sorted({x for points in series.values() for x, _ in points})
            axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks], minor=False)
        axes.set_title(title, fontsize=10)
        axes.set_xlabel(x_label)
        axes.set_ylabel(unit)
        tidy(axes)
    for axes in grid.flat[len(panels) :]:
        axes.set_axis_off()
    legend(figure, grid.flat)
    return figure


def tornado(rows: Sequence[tuple[str, float]], unit: str, title: str) -> Figure:
    """Draw a bar from zero for each row, such as what an assumption moves, the longest on top."""
    ordered = sorted(rows, key=lambda row: abs(row[1]))
    figure, axes = plt.subplots(figsize=(8.5, 0.3 * len(rows) + 1.4), layout="constrained")
    colours = [BLUE if value >= 0 else ORANGE for _, value in ordered]
    bars = axes.barh([name for name, _ in ordered], [value for _, value in ordered], color=colours)
    axes.bar_label(bars, [f"{value:+.3f}" for _, value in ordered], padding=3, fontsize=8)
    axes.axvline(0, color="#000000", linewidth=0.8)
    axes.margins(x=0.16, y=0.01)
    axes.set_xlabel(unit)
    axes.set_title(title, fontsize=10)
    tidy(axes)
    return figure


def tidy(axes: Any) -> None:
    """Leave out the frame's upper and right side."""
    axes.spines[["top", "right"]].set_visible(False)


def legend(figure: Figure, panels: Any) -> None:
    """Put one legend for all panels above them."""
    found: dict[str, Any] = {}
    for axes in panels:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    figure.legend(found.values(), list(found), loc="outside upper center", ncols=min(5, len(found)), frameon=False,
                  fontsize=9)  # fmt: skip
