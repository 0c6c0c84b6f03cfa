"""Charts as pictures in files, drawn by matplotlib."""

from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any

import numpy as np

from simulator.outputs.charts.chart import Bars, Changes, Chart, Dots, Lines, Stacks, Timeline
from simulator.outputs.charts.drawn_timeline import draw_timeline, timeline_height, timeline_legend
from simulator.outputs.colours import DESIGNS, DOWN, MARK, UP, series_colours, shades
from simulator.outputs.drawing import Picture, subplots

_MARKERS, _DASHES = "osD^vPX*", ("--", ":")
_ENTRY, _LETTER = 0.6, 0.07  # inches of a legend's line and space, and of a letter of nine points


def picture(chart: Chart, heading: str = "") -> Picture:
    """Draw a chart, row by row, with a heading above and one legend for all panels below them."""
    panels, columns = chart.panels, chart.columns
    rows = [panels[first : first + columns] for first in range(0, len(panels), columns)]
    sizes = [[_SIZES[type(one)](one) for one in row] for row in rows]
    heights = [max(height for _, height in row) for row in sizes]
    width = columns * max(width for row in sizes for width, _ in row)
    figure, grid = subplots(
        len(rows), columns, figsize=(width, sum(heights) + 0.9), layout="constrained", squeeze=False,
        height_ratios=heights,
    )  # fmt: skip
    for axes, panel in zip(grid.flat, panels, strict=False):
        _DRAWN[type(panel)](axes, panel)
        axes.set_title(panel.title, fontsize=10)
        axes.spines[["top", "right"]].set_visible(False)
    for axes in grid.flat[len(panels) :]:
        axes.set_axis_off()
    if heading:
        figure.suptitle(heading, fontsize=11)
    boxes = [one for one in panels if isinstance(one, Timeline)]
    if boxes:
        timeline_legend(figure, boxes)
    else:
        _legend(figure, grid.flat)
    return figure


def _lines(axes: Any, panel: Lines) -> None:
    places: set[float] = set()
    colours = series_colours([*panel.lines, *panel.marks])
    for index, (label, points) in enumerate(panel.lines.items()):
        xs, ys = zip(*points, strict=True)
        places.update(xs)
        heights = [float("nan") if y is None else y for y in ys]
        marker = _MARKERS[index % len(_MARKERS)] if panel.dots else ""
        axes.plot(xs, heights, marker=marker, markersize=4, linewidth=1.3, color=colours[label], label=label)
    for index, (label, height) in enumerate(panel.marks.items()):
        axes.axhline(height, color=MARK, linestyle=_DASHES[index % 2], linewidth=1.1, label=label)
    for label, named in panel.named.items():
        axes.plot(*zip(*named, strict=True), marker="D", markersize=5, linestyle="-.", linewidth=1, color=MARK,
                  label=label)  # fmt: skip
    if panel.logarithmic == "x":
        axes.set_xscale("log", base=2)
        axes.set_xticks(sorted(places), [f"{place:g}" for place in sorted(places)], minor=False)
    elif panel.logarithmic == "y":
        axes.set_yscale("log")
    if panel.ticks:
        axes.set_xticks(range(len(panel.ticks)), panel.ticks, rotation=45, ha="right", fontsize=8)
    axes.set_xlabel(panel.x_label)
    axes.set_ylabel(panel.y_label)


def _bars(axes: Any, panel: Bars) -> None:
    places, width = np.arange(len(panel.names) + 1), 0.82 / len(panel.series)
    colours = series_colours(panel.series)
    for index, (label, heights) in enumerate(panel.series.items()):
        offset = (index - (len(panel.series) - 1) / 2) * width
        axes.bar(places + offset, [*heights, fmean(heights)], width, label=label, color=colours[label])
    for index, (label, height) in enumerate(panel.marks):
        axes.axhline(height, color="#000000", linestyle=_DASHES[index % 2], linewidth=1.2, label=label)
    axes.set_ylabel(panel.y_label + ("" if panel.floor is None else f"\n(axis from {panel.floor:g})"))
    tops = [height for heights in panel.series.values() for height in heights]
    bottom = panel.floor or 0.0
    axes.set_ylim(min(bottom, *tops), max(tops) + 0.22 * (max(tops) - bottom))
    axes.set_xticks(places, [*panel.names, "average"], rotation=35, ha="right", fontsize=8)


def _stacks(axes: Any, panel: Stacks) -> None:
    places, width = np.arange(len(panel.names)), 0.4
    axes.bar(places - width / 2, panel.plain, width, color=DESIGNS["baseline"], label=panel.plain_name)
    bottom = np.zeros(len(places))
    tints = shades(DESIGNS[panel.design], len(panel.parts))
    for (label, heights), colour in zip(panel.parts.items(), tints, strict=True):
        axes.bar(places + width / 2, heights, width, bottom=bottom, color=colour, label=label)
        bottom += np.array(heights)
    for place, note, top in zip(places, panel.notes, np.maximum(bottom, panel.plain), strict=True):
        axes.annotate(note, (place, top), (0, 3), textcoords="offset points", ha="center", fontsize=8)
    axes.margins(y=0.12)
    axes.set_ylabel(panel.y_label)
    axes.set_xticks(places, panel.names, rotation=30, ha="right")


def _changes(axes: Any, panel: Changes) -> None:
    ordered = sorted(panel.rows, key=lambda row: abs(row[1]))
    colours = [UP if value >= 0 else DOWN for _, value in ordered]
    bars = axes.barh([name for name, _ in ordered], [value for _, value in ordered], color=colours)
    axes.bar_label(bars, [f"{value:+.3f}" for _, value in ordered], padding=3, fontsize=8)
    axes.axvline(0, color="#000000", linewidth=0.8)
    axes.margins(x=0.16, y=0.01)
    axes.set_xlabel(panel.x_label)


def _dots(axes: Any, panel: Dots) -> None:
    colours, place = series_colours(panel.series), {name: row for row, name in enumerate(panel.names)}
    for index, (label, points) in enumerate(panel.series.items()):
        rows, values = [place[name] for name, *_ in points], [value for _, value, _ in points]
        axes.plot(values, rows, _MARKERS[index], color=colours[label], label=label, markersize=6, linestyle="")
    for index, (label, value) in enumerate(panel.marks.items()):
        axes.axvline(value, color="#000000", linestyle=_DASHES[index % 2], linewidth=1.1, label=label)
    if panel.logarithmic:
        axes.set_xscale("log")
    axes.set_yticks(list(place.values()), list(place))
    axes.grid(axis="y", color=MARK, alpha=0.3)
    axes.invert_yaxis()
    axes.set_xlabel(panel.x_label)


def _legend(figure: Picture, panels: Sequence[Any]) -> None:
    found: dict[str, Any] = {}
    for axes in panels:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    if found:
        widest = _ENTRY + _LETTER * max(map(len, found))
        columns = max(1, min(5, len(found), int(figure.get_figwidth() / widest)))
        figure.legend(found.values(), list(found), loc="outside lower center", ncols=columns, frameon=False,
                      fontsize=9)  # fmt: skip


_DRAWN: dict[type, Callable[[Any, Any], None]] = {
    Lines: _lines, Bars: _bars, Stacks: _stacks, Changes: _changes, Dots: _dots, Timeline: draw_timeline,
}  # fmt: skip
# Inches of width and height of a panel.
_SIZES: dict[type, Callable[[Any], tuple[float, float]]] = {
    Lines: lambda _: (5.4, 3.3),
    Bars: lambda panel: (max(7.0, 0.75 * len(panel.names) + 3.25), 3.0),
    Stacks: lambda _: (11.0, 3.6),
    Changes: lambda panel: (8.5, 0.3 * len(panel.rows) + 1.0),
    Dots: lambda panel: (9.0, 0.3 * len(panel.names) + 1.2),
    Timeline: timeline_height,
}
