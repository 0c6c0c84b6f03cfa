"""The report of a sweep: its front, all its points, and what failed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from simulator.outputs.resolved import plain, spec_data, to_yaml
from simulator.outputs.units import in_readable_unit
from simulator.pages.page import Chart, Code, Column, DataTable, Number, Page, Part, Section, Text
from simulator.sweep.objectives import Row
from simulator.sweep.point import BESIDE_BASELINE, TOTALS
from simulator.sweep.results import SweepResults, shown
from simulator.sweep.run import Sweep, results_of

_MOST_SPECS = 40  # of points whose machine the page shows
_PLAIN = 1e6  # from which numbers are written with an exponent
_MOST_POINTS = 20_000  # of points that a chart draws


def sweep_page(folder: Path) -> Page:
    """Return the report of the sweep in a folder.

    Raises
    ------
    InputError
        If it holds no sweep.
    """
    sweep = Sweep.kept_in(folder)
    results = results_of(sweep)
    lead = f"Objectives: {', '.join(f'{name} ({way})' for name, way in results.objectives.directions.items())}."
    numbers = [
        Number("points", f"{len(results.rows):,}"), Number("on the front", f"{len(results.front):,}"),
        Number("without a result", f"{len(results.failed):,}"),
    ]  # fmt: skip
    if results.stale:
        numbers.append(Number("rows of another version of the model", f"{results.stale:,}", "in the store"))
    sections = [
        Section("front", "Front", _front(results)),
        Section("points", "Points", [DataTable("All points", *_table(results, results.done))] if results.done else []),
        Section("failed", "Points without a result", _failed(results)),
        Section("sweep", "The sweep", [Code("Its file", to_yaml(plain(sweep.file.model_dump(exclude_defaults=True))))]),
    ]
    traces = ", ".join(sweep.file.traces)
    return Page(f"Sweep of {traces}", lead, numbers, [one for one in sections if one.parts])


def _front(results: SweepResults) -> Sequence[Part]:
    if not results.done:
        return []
    found: list[Part] = [
        Text("No other point is as good in every objective and better in one."),
        DataTable("Front: settings and results", *_table(results, results.front)),
        *_charts(results),
    ]
    for row in results.front[:_MOST_SPECS]:
        spec = to_yaml(spec_data(results.point(row).spec()))
        found.append(Code(f"Machine of point {row['point']}: {_name(results, row)}", spec))
    return found


def _name(results: SweepResults, row: Row) -> str:
    return ", ".join(f"{key} {shown(row.get(key))}" for key in results.keys)


def _table(results: SweepResults, rows: Sequence[Row]) -> tuple[list[Column], list[list[Any]]]:
    measured = [name for name in (*BESIDE_BASELINE, *TOTALS) if any(name in row for row in rows)]
    names = ["point", *results.keys, *measured]
    read = [in_readable_unit(name, [_cell(row.get(name)) for row in rows]) for name in names]
    columns = [
        Column(shown_name, 4, filtered=name in results.keys and _few(rows, name))
        for name, (shown_name, _) in zip(names, read, strict=True)
    ]
    return columns, [list(row) for row in zip(*(cells for _, cells in read), strict=True)]


def _few(rows: Sequence[Row], name: str) -> bool:
    return len({str(row.get(name)) for row in rows}) <= 20


def _cell(value: Any) -> Any:
    return (
        value if value is None or (isinstance(value, str | int | float) and not isinstance(value, bool)) else str(value)
    )


def _charts(results: SweepResults) -> Sequence[Part]:
    """Return the first objective against each other one and against the area, and every setting beside each other."""
    names = list(results.objectives.directions)
    rows = results.done[:_MOST_POINTS]
    reached = [dict(zip(names, results.objectives.reached(row), strict=True)) | row for row in rows]
    best = {row["point"] for row in results.front}
    across = [name for name in dict.fromkeys([*names[1:], "logic_area_um2", "energy_pj"]) if name != names[0]]
    figures = {
        f"{names[0]} and {name}".replace("_pj", ""): _scatter(results, reached, best, name, names[0]) for name in across
    }
    words = "Each point is a machine; the orange ones are on the front. The settings are under the pointer."
    return [
        Chart("Objectives", figures, words, 480),
        Chart("Settings", {"all": _parallel(results, reached, best)},
              "A line for each point, through its settings and objectives; drag along an axis to choose.", 460),
    ]  # fmt: skip


def _scatter(results: SweepResults, rows: Sequence[Row], best: set[int], across: str, up: str) -> dict[str, Any]:
    traces = []
    (across_name, xs), (up_name, ys) = (in_readable_unit(name, [row[name] for row in rows]) for name in (across, up))
    for name, on_front, colour in (("other points", False, "#999999"), ("front", True, "#D55E00")):
        own = [place for place, row in enumerate(rows) if (row["point"] in best) == on_front]
        traces.append({
            "type": "scatter", "mode": "markers", "name": name,
            "marker": {"color": colour, "size": 8 if on_front else 5},
            "x": [xs[place] for place in own], "y": [ys[place] for place in own],
            "text": [f"point {rows[place]['point']}: {_name(results, rows[place])}" for place in own],
            "hovertemplate": "%{text}<br>%{x:.5~g}, %{y:.5~g}<extra></extra>",
        })  # fmt: skip
    titles = {"xaxis": {"title": {"text": across_name}}, "yaxis": {"title": {"text": up_name}}}
    return {"data": traces, "layout": titles}


def _parallel(results: SweepResults, rows: Sequence[Row], best: set[int]) -> dict[str, Any]:
    dimensions = []
    for name in [*results.keys, *results.objectives.directions]:
        label, values = in_readable_unit(name, [row.get(name) for row in rows])
        if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
            large = max(abs(value or 0) for value in values) >= _PLAIN
            dimensions.append({"label": label, "values": values, "tickformat": ".3~e" if large else ".4~g"})
        else:
            said = list(dict.fromkeys(map(str, values)))
            places = [said.index(str(value)) for value in values]
            dimensions.append({"label": label, "values": places, "tickvals": list(range(len(said))), "ticktext": said})
    colours = {"color": [int(row["point"] in best) for row in rows], "colorscale": [[0, "#bbbbbb"], [1, "#D55E00"]],
               "cmin": 0, "cmax": 1}  # fmt: skip
    drawn = {"type": "parcoords", "dimensions": dimensions, "line": colours, "labelside": "bottom"}
    return {"data": [drawn], "layout": {"margin": {"l": 60, "r": 60, "t": 20, "b": 50}}}  # names of the outer axes


def _failed(results: SweepResults) -> Sequence[Part]:
    if not results.failed:
        return []
    columns = [Column("point"), *(Column(key) for key in results.keys), Column("reason")]
    rows = [[row["point"], *(_cell(row.get(key)) for key in results.keys), row["reason"]] for row in results.failed]
    return [DataTable("Reasons", columns, rows)]
