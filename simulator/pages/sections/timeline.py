"""One batch of each phase, op after op on each array."""

from collections.abc import Sequence
from typing import Any

from simulator.outputs.colours import PASSES
from simulator.pages.page import Chart, Part
from simulator.pages.result import ResultFolder, Row, layer_rows
from simulator.pages.run_report import ReportSection


def parts(result: ResultFolder) -> Sequence[Part]:
    """Return a timeline of every batch."""
    figures = {
        result.batch_names[run, phase]: _figure(layer_rows(rows)) for (run, phase), rows in result.batches.items()
    }
    words = "Each bar is one pass of one layer. Drag to zoom, double-click to see all."
    return [Chart("One batch", figures, words, 300, result.typical)]


def _figure(rows: Sequence[Row]) -> dict[str, Any]:
    data = []
    for name, colour in PASSES.items():
        own = [row for row in rows if row["pass"] == name]
        if own:
            data.append({
                "type": "bar", "orientation": "h", "name": name.replace("_", " "), "marker": {"color": colour},
                "y": [f"array {row['array'] + 1}" for row in own], "base": [row["start_cycle"] for row in own],
                "x": [row["cycles"] for row in own], "text": [row["layer"] for row in own], "textposition": "none",
                "customdata": [row["end_cycle"] for row in own],
                "hovertemplate": "%{text}, cycles %{base:,} to %{customdata:,}: %{value:,}"
                                 "<extra>%{fullData.name}</extra>",
            })  # fmt: skip
    return {"data": data, "layout": {"barmode": "overlay", "xaxis": {"title": {"text": "cycle of the batch"}},
                                     "yaxis": {"autorange": "reversed", "type": "category"}}}  # fmt: skip


SECTION = ReportSection("timeline", "Timeline", 50, parts)
