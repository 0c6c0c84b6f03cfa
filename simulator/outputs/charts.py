"""Pictures in the paper's form: bars, lines and dots, in colours that all can tell apart."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any, Literal

import numpy as np
from matplotlib.figure import Figure

from simulator.outputs.drawing import subplots

# Okabe and Ito's palette, which people with any colour vision can tell apart.
BLUE, ORANGE, GREEN, RED, PURPLE, SKY, YELLOW, GREY = (
    "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442", "#999999",
)  # fmt: skip
_OF_BARS = (SKY, BLUE, ORANGE, GREEN, RED, PURPLE, GREY, YELLOW)
_OF_LINES = (BLUE, ORANGE, GREEN, PURPLE, RED, SKY, GREY)
_MARKERS, _DASHES = "osD^vPX", ("--", ":")


@dataclass(frozen=True, slots=True)
class Lines:
    """A panel of lines.

    Attributes
    ----------
    lines : dict
        By label: the points (x, y); y may be None where there is none.
    marks : dict
        Horizontal lines by label.
    named : dict
        By label: few points such as those that the paper names, drawn large.
    logarithmic : str
        Which axes are: ``x`` has a tick for each value.
    dots : bool
        Whether each point is drawn.
    ticks : sequence of str
        Names of x = 0, 1, 2 and so on.
    """

    title: str
    x_label: str
    y_label: str
    lines: Mapping[str, Iterable[tuple[float, float | None]]]
    marks: Mapping[str, float] = field(default_factory=dict)
    named: Mapping[str, Sequence[tuple[float, float]]] = field(default_factory=dict)
    logarithmic: Literal["", "x", "y"] = ""
    dots: bool = False
    ticks: Sequence[str] = ()


def line_panels(panels: Sequence[Lines], columns: int = 2) -> Figure:
    """Draw panels with lines, row by row."""
    rows = -(-len(panels) // columns)
    size = (5.4 * columns, 3.3 * rows + 0.6)
    figure, grid = subplots(rows, columns, figsize=size, layout="constrained", squeeze=False)
    for axes, panel in zip(grid.flat, panels, strict=False):
        _draw_lines(axes, panel)
    for axes in grid.flat[len(panels) :]:
        axes.set_axis_off()
    legend(figure, grid.flat)
    return figure


def _draw_lines(axes: Any, panel: Lines) -> None:
    places: set[float] = set()
    for index, (label, points) in enumerate(panel.lines.items()):
        xs, ys = zip(*points, strict=True)
        places.update(xs)
        heights = [float("nan") if y is None else y for y in ys]
        marker = _MARKERS[index % len(_MARKERS)] if panel.dots else ""
        axes.plot(xs, heights, marker=marker, markersize=4, linewidth=1.3, color=_OF_LINES[index], label=label)
    for index, (label, height) in enumerate(panel.marks.items()):
        axes.axhline(height, color="#000000", linestyle=_DASHES[index % 2], linewidth=1.1, label=label)
    for label, named in panel.named.items():
        axes.plot(*zip(*named, strict=True), marker="D", markersize=5, linestyle="-.", linewidth=1, color=RED,
                  label=label)  # fmt: skip
    if panel.logarithmic == "x":
        axes.set_xscale("log", base=2)
        axes.set_xticks(sorted(places), [f"{place:g}" for place in sorted(places)], minor=False)
    elif panel.logarithmic == "y":
        axes.set_yscale("log")
    if panel.ticks:
        axes.set_xticks(range(len(panel.ticks)), panel.ticks, rotation=45, ha="right", fontsize=8)
    axes.set_title(panel.title, fontsize=10)
    axes.set_xlabel(panel.x_label)
    axes.set_ylabel(panel.y_label)
    tidy(axes)


def grouped_bars(
    panels: Mapping[str, Mapping[str, Sequence[float]]],
    names: Sequence[str],
    unit: str,
    marks: Mapping[str, Sequence[tuple[str, float]]] | None = None,
    floor: float | None = None,
) -> Figure:
    """Draw a panel below the other, each with groups of bars, and one more of every series' average.

    Parameters
    ----------
    panels : dict of dict of sequence of float
        By panel title and by label of a series: a height for each name.
    names : sequence of str
        The groups on the x axis, without the average.
    unit : str
        Of the y axis.
    marks : dict of sequence of (str, float), optional
        By panel title: horizontal lines with their labels, such as the paper's average.
    floor : float, optional
        Where the y axis begins, if not at 0; the picture then says so.
    """
    size = (max(7.0, 0.75 * len(names) + 3.25), 2.7 * len(panels) + 0.6)
    figure, grid = subplots(len(panels), 1, figsize=size, layout="constrained", squeeze=False, sharex=True)
    places = np.arange(len(names) + 1)
    for axes, (title, series) in zip(grid[:, 0], panels.items(), strict=True):
        width = 0.82 / len(series)
        for index, (label, heights) in enumerate(series.items()):
            offset = (index - (len(series) - 1) / 2) * width
            axes.bar(places + offset, [*heights, fmean(heights)], width, label=label, color=_OF_BARS[index])
        for index, (label, height) in enumerate((marks or {}).get(title, ())):
            axes.axhline(height, color=(RED, "#000000")[index % 2], linestyle=_DASHES[index % 2], linewidth=1.2,
                         label=label)  # fmt: skip
        axes.set_title(title, fontsize=10)
        axes.set_ylabel(unit + ("" if floor is None else f" (axis from {floor:g})"))
        tops = [height for heights in series.values() for height in heights]
        bottom = 0.0 if floor is None else floor
        axes.set_ylim(min(bottom, *tops), max(tops) + 0.22 * (max(tops) - bottom))
        tidy(axes)
    grid[-1, 0].set_xticks(places, [*names, "average"], rotation=35, ha="right")
    legend(figure, grid[:, 0])
    return figure


@dataclass(frozen=True, slots=True)
class Stacks:
    """A panel of bars in pairs: by name a plain bar, beside it one of parts, and a note above both."""

    title: str
    names: Sequence[str]
    plain: Sequence[float]
    parts: Mapping[str, Sequence[float]]
    notes: Sequence[str]


def stacked_bars(panels: Sequence[Stacks], plain: str, unit: str) -> Figure:
    """Draw a panel below the other; `plain` labels the plain bars."""
    figure, grid = subplots(len(panels), 1, figsize=(11, 3.6 * len(panels)), layout="constrained", squeeze=False)
    for axes, panel in zip(grid[:, 0], panels, strict=True):
        places, width = np.arange(len(panel.names)), 0.4
        axes.bar(places - width / 2, panel.plain, width, color=GREY, label=plain)
        bottom = np.zeros(len(places))
        for (label, heights), colour in zip(panel.parts.items(), (BLUE, ORANGE, GREEN, PURPLE), strict=False):
            axes.bar(places + width / 2, heights, width, bottom=bottom, color=colour, label=label)
            bottom += np.array(heights)
        for place, note, top in zip(places, panel.notes, np.maximum(bottom, panel.plain), strict=True):
            axes.annotate(note, (place, top), (0, 3), textcoords="offset points", ha="center", fontsize=8)
        axes.margins(y=0.12)
        axes.set_title(panel.title, fontsize=10)
        axes.set_ylabel(unit)
        axes.set_xticks(places, panel.names, rotation=30, ha="right")
        tidy(axes)
    legend(figure, grid[:, 0])
    return figure


def tornado(rows: Sequence[tuple[str, float]], unit: str, title: str) -> Figure:
    """Draw a bar from zero for each row, such as what an assumption moves, the longest on top."""
    ordered = sorted(rows, key=lambda row: abs(row[1]))
    figure, axes = subplots(figsize=(8.5, 0.3 * len(rows) + 1.4), layout="constrained")
    colours = [BLUE if value >= 0 else ORANGE for _, value in ordered]
    bars = axes.barh([name for name, _ in ordered], [value for _, value in ordered], color=colours)
    axes.bar_label(bars, [f"{value:+.3f}" for _, value in ordered], padding=3, fontsize=8)
    axes.axvline(0, color="#000000", linewidth=0.8)
    axes.margins(x=0.16, y=0.01)
    axes.set_xlabel(unit)
    axes.set_title(title, fontsize=10)
    tidy(axes)
    return figure


def dots(
    names: Sequence[str], series: Mapping[str, Sequence[float]], marks: Mapping[str, float], unit: str, title: str
) -> Figure:
    """Draw a row a name, a dot a series, and vertical lines such as the paper's numbers."""
    figure, axes = subplots(figsize=(9, 0.3 * len(names) + 1.6), layout="constrained")
    places = range(len(names))
    for index, (label, values) in enumerate(series.items()):
        axes.plot(values, places, _MARKERS[index], color=_OF_LINES[index], label=label, markersize=6)
    for index, (label, value) in enumerate(marks.items()):
        axes.axvline(value, color="#000000", linestyle=_DASHES[index % 2], linewidth=1.1, label=label)
    axes.set_yticks(list(places), names)
    axes.grid(axis="y", color=GREY, alpha=0.3)
    axes.invert_yaxis()
    axes.set_xlabel(unit)
    axes.set_title(title, fontsize=10)
    tidy(axes)
    legend(figure, [axes])
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
