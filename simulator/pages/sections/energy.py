"""Energy by component, of the whole run and layer by layer."""

from collections.abc import Sequence
from typing import Any

from simulator.outputs.colours import COMPONENTS
from simulator.pages.page import Chart, Part
from simulator.pages.result import ResultFolder, Row, layer_rows, name_of
from simulator.pages.run_report import ReportSection


def parts(result: ResultFolder) -> Sequence[Part]:
    """Return energy of whole runs, and of the layers of every batch."""
    names = [name_of(run) for run in result.runs]
    joules: dict[str, list[float]] = {component: [0.0] * len(names) for component in COMPONENTS}
    for row in result.rows:
        for component, values in joules.items():
            values[names.index(name_of(row))] += row["count"] * row[f"energy_{component}_pj"] * 1e-12
    runs = _figure(names, joules, "joules")
    layers = {
        result.batch_names[run, phase]: _of_layers(layer_rows(rows), result.layers)
        for (run, phase), rows in result.batches.items()
    }
    return [
        Chart("Energy of the whole run", {"all": runs}, "Energy of every batch of the run, by component."),
        Chart("Energy by layer", layers, "Energy of a layer's passes in one batch, by component.", 460, result.typical),
    ]


def _of_layers(rows: Sequence[Row], layers: Sequence[str]) -> dict[str, Any]:
    joules = {component: dict.fromkeys(layers, 0.0) for component in COMPONENTS}
    for row in rows:
        for component, values in joules.items():
            values[row["layer"]] += row[f"energy_{component}_pj"] * 1e-6
    return _figure(layers, {component: list(values.values()) for component, values in joules.items()}, "microjoules")


def _figure(names: Sequence[str], values: dict[str, list[float]], unit: str) -> dict[str, Any]:
    data = [
        {"type": "bar", "name": component.replace("_", " "), "x": list(names), "y": own,
         "marker": {"color": COMPONENTS[component]},
         "hovertemplate": f"%{{x}}: %{{y:.4~g}} {unit}<extra>{component.replace('_', ' ')}</extra>"}
        for component, own in values.items() if any(own)
    ]  # fmt: skip
    return {"data": data, "layout": {"barmode": "stack", "yaxis": {"title": {"text": unit}},
                                     "xaxis": {"type": "category"}}}  # fmt: skip


SECTION = ReportSection("energy", "Energy", 60, parts)
