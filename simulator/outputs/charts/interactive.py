"""Charts as figures of Plotly, as JSON; the page gives them its colours of text and ground."""

from collections.abc import Callable, Sequence
from math import log10
from statistics import fmean
from typing import Any

from simulator.outputs.charts.chart import Bars, Changes, Dots, Lines, Panel, Stacks, Timeline
from simulator.outputs.colours import BOXES, DESIGNS, DOWN, MARK, UP, lighter, series_colours, shades

Figure = dict[str, Any]
_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "triangle-down", "cross", "x", "star")
_DASHES = ("dash", "dot")


def figure(panel: Panel) -> Figure:
    """Return a panel as title, data and layout; ``height`` of the layout is in pixels."""
    made: Figure = _FIGURES[type(panel)](panel)
    return {"title": panel.title, **made}


def _lines(panel: Lines) -> Figure:
    colours, data = series_colours(panel.lines), []
    for index, (label, points) in enumerate(panel.lines.items()):
        xs, ys = zip(*points, strict=True)
        drawn = {"mode": "lines+markers" if panel.dots else "lines", "line": {"color": colours[label], "width": 1.8},
                 "marker": {"symbol": _SYMBOLS[index % len(_SYMBOLS)], "size": 7}}  # fmt: skip
        data.append(_scatter(label, xs, ys, "%{x:,~g}: %{y:,.4~g}") | drawn)
    places = sorted({x for points in panel.lines.values() for x, _ in points})
    for index, (label, height) in enumerate(panel.marks.items()):
        data.append(_mark(label, [places[0], places[-1]], [height, height], index))
    for label, named in panel.named.items():
        xs, ys = zip(*named, strict=True)
        data.append(_scatter(label, xs, ys, "%{x:,~g}: %{y:,.4~g}") | {
            "mode": "lines+markers", "line": {"color": MARK, "dash": "dashdot"}, "marker": {"symbol": "diamond"},
        })  # fmt: skip
    x_axis: Figure = {"title": {"text": panel.x_label}}
    if panel.logarithmic == "x":
        x_axis |= {"type": "log", "tickvals": places, "ticktext": [f"{place:,g}" for place in places]}
    if panel.ticks:
        x_axis |= {"tickvals": list(range(len(panel.ticks))), "ticktext": list(panel.ticks)}
    y_axis = {"title": {"text": panel.y_label}, "type": "log" if panel.logarithmic == "y" else "linear"}
    return {"data": data, "layout": {"height": 380, "xaxis": x_axis, "yaxis": y_axis}}


def _bars(panel: Bars) -> Figure:
    colours, names = series_colours(panel.series), [*panel.names, "average"]
    bottom = panel.floor or 0.0
    data: list[Figure] = [
        {"type": "bar", "name": label, "x": names, "y": [*heights, fmean(heights)],
         "marker": {"color": colours[label]}, "hovertemplate": _hover(f"%{{x}}: %{{y:,.4f}} {panel.y_label}", label)}
        for label, heights in panel.series.items()
    ]  # fmt: skip
    data += [_mark(label, names, [height] * len(names), index) for index, (label, height) in enumerate(panel.marks)]
    values = [height for heights in panel.series.values() for height in heights]
    values += [height for _, height in panel.marks]
    margin = 0.06 * (max(values) - bottom)
    title = panel.y_label + ("" if panel.floor is None else f"<br>(axis from {panel.floor:g})")
    axis = {"title": {"text": title}, "range": [min([bottom, *values]), max(values) + margin]}
    return {"data": data, "layout": {"height": 380, "barmode": "group", "yaxis": axis,
                                     "xaxis": {"type": "category", "tickangle": -45}}}  # fmt: skip


def _stacks(panel: Stacks) -> Figure:
    places, names = list(range(len(panel.names))), list(panel.names)

    def bar(label: str, offset: float, heights: Sequence[float], colour: str) -> Figure:
        return {"type": "bar", "name": label, "x": [place + offset for place in places], "y": list(heights),
                "width": 0.4, "customdata": names, "marker": {"color": colour},
                "hovertemplate": _hover("%{customdata}: %{y:,.4~g}", label)}  # fmt: skip

    tints = shades(DESIGNS[panel.design], len(panel.parts))
    data = [bar(panel.plain_name, -0.2, panel.plain, DESIGNS["baseline"])]
    data += [bar(label, 0.2, heights, tint) for (label, heights), tint in zip(panel.parts.items(), tints, strict=True)]
    tops = [max(plain, sum(parts)) for plain, *parts in zip(panel.plain, *panel.parts.values(), strict=True)]
    data.append({"type": "scatter", "mode": "text", "x": places, "y": tops, "text": list(panel.notes),
                 "textposition": "top center", "hoverinfo": "skip", "showlegend": False})  # fmt: skip
    axes = {"xaxis": {"tickvals": places, "ticktext": names, "tickangle": -45},
            "yaxis": {"title": {"text": panel.y_label}}}  # fmt: skip
    return {"data": data, "layout": {"height": 400, "barmode": "stack", **axes}}


def _changes(panel: Changes) -> Figure:
    ordered = sorted(panel.rows, key=lambda row: abs(row[1]))
    names, values = [name for name, _ in ordered], [value for _, value in ordered]
    data = {"type": "bar", "orientation": "h", "y": names, "x": values, "text": [f"{value:+.3f}" for value in values],
            "textposition": "outside", "cliponaxis": False, "showlegend": False,
            "marker": {"color": [UP if value >= 0 else DOWN for value in values]},
            "hovertemplate": "%{y}: %{x:+.4f}<extra></extra>"}  # fmt: skip
    least, most = min(values, default=0.0), max(values, default=0.0)
    room = 0.16 * (max(most, 0.0) - min(least, 0.0))
    axes = {"xaxis": {"title": {"text": panel.x_label}, "range": [min(least, 0.0) - room, max(most, 0.0) + room]},
            "yaxis": {"type": "category", "dtick": 1}}  # fmt: skip
    return {"data": [data], "layout": {"height": 24 * len(names) + 140, **axes}}


def _dots(panel: Dots) -> Figure:
    colours, data, ends = series_colours(panel.series), [], [panel.names[0], panel.names[-1]]
    for index, (label, points) in enumerate(panel.series.items()):
        names, values, words = zip(*points, strict=True) if points else ((), (), ())
        data.append(_scatter(label, values, names, "%{y}: %{x:,.4~g} %{customdata}") | {
            "mode": "markers", "customdata": list(words),
            "marker": {"color": colours[label], "symbol": _SYMBOLS[index], "size": 10, "opacity": 0.85},
        })  # fmt: skip
    data += [_mark(label, [value, value], ends, index) for index, (label, value) in enumerate(panel.marks.items())]
    x_axis: Figure = {"title": {"text": panel.x_label}}
    if panel.logarithmic:
        x_axis |= {"type": "log", "tickvals": _TICKS, "ticktext": [f"{tick:g}" for tick in _TICKS]}
        every = [value for points in panel.series.values() for _, value, _ in points]
        x_axis["range"] = [log10(min(every, default=1.0)) - 0.03, log10(max(every, default=1.0)) + 0.03]
    names_axis = {"type": "category", "categoryarray": list(panel.names), "autorange": "reversed", "dtick": 1}
    return {"data": data, "layout": {"height": 26 * len(panel.names) + 170, "xaxis": x_axis, "yaxis": names_axis}}


def _timeline(panel: Timeline) -> Figure:
    longest, data = panel.longest or panel.end, []
    for kind, colour in BOXES.items():
        own = [box for box in panel.boxes if box.kind == kind]
        if own:
            data.append({
                "type": "bar", "orientation": "h", "name": kind, "y": [panel.rows[box.row] for box in own],
                "base": [box.start for box in own], "x": [box.end - box.start for box in own],
                "text": [box.label for box in own], "textposition": "inside", "insidetextanchor": "middle",
                "textangle": 0, "constraintext": "none", "insidetextfont": {"color": "#000000"},
                "customdata": [box.end for box in own],
                "marker": {"color": [lighter(colour) if box.batch % 2 else colour for box in own],
                           "line": {"width": 1, "color": "#ffffff"}},
                "hovertemplate": _hover("%{text}, steps %{base:~g} to %{customdata:~g}", kind),
            })  # fmt: skip
    rows = {"type": "category", "categoryarray": list(panel.rows), "autorange": "reversed", "dtick": 1}
    axes = {"xaxis": {"title": {"text": "steps"}, "range": [0, longest * 1.01]}, "yaxis": rows}
    return {"data": data, "layout": {"height": 30 * len(panel.rows) + 150, "barmode": "overlay", **axes}}


def _scatter(name: str, xs: Sequence[Any], ys: Sequence[Any], words: str) -> Figure:
    return {"type": "scatter", "name": name, "x": list(xs), "y": list(ys), "hovertemplate": _hover(words, name)}


def _mark(name: str, xs: Sequence[Any], ys: Sequence[Any], index: int) -> Figure:
    drawn = {"mode": "lines", "line": {"color": MARK, "dash": _DASHES[index % 2], "width": 1.5}}
    return {"type": "scatter", "name": name, "x": list(xs), "y": list(ys), "hoverinfo": "name", **drawn}


def _hover(words: str, name: str) -> str:
    return f"{words}<extra>{name}</extra>"


_TICKS = (0.25, 0.5, 1, 2, 4)
_FIGURES: dict[type, Callable[[Any], Figure]] = {
    Lines: _lines, Bars: _bars, Stacks: _stacks, Changes: _changes, Dots: _dots, Timeline: _timeline,
}  # fmt: skip
