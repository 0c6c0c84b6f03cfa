"""Each op under the roof of its array and of the DRAM."""

from collections.abc import Sequence
from typing import Any

from simulator.outputs.colours import PASSES
from simulator.pages.page import Chart, Part
from simulator.pages.result import ResultFolder, Row, layer_rows
from simulator.pages.run_report import ReportSection


def parts(result: ResultFolder) -> Sequence[Part]:
    """Return a roofline of every batch; nothing where DRAM takes no time."""
    figures = {}
    for (run, phase), rows in result.batches.items():
        spec = result.specs[run]
        speed = spec["dram"].get("peak_bytes_per_second")
        done = [row for row in layer_rows(rows) if row["macs"] and _bytes(row)]
        if done and spec["array"]:
            figures[result.batch_names[run, phase]] = _figure(done, spec, speed)
    words = (
        "MACs a cycle of each op over its MACs a byte of DRAM traffic. The lines are what the array and the DRAM's "
        "bandwidth allow at most; a point far below both waits for something else."
    )
    return [Chart("Roofline", figures, words, 480, result.typical)] if figures else []


def _bytes(row: Row) -> int:
    found: int = row["dram_read_bytes"] + row["dram_write_bytes"]
    return found


def _figure(rows: Sequence[Row], spec: dict[str, Any], bytes_per_second: int | None) -> dict[str, Any]:
    points = []
    for name, colour in PASSES.items():
        own = [row for row in rows if row["pass"] == name]
        if own:
            points.append({
                "type": "scatter", "mode": "markers", "name": name.replace("_", " "), "marker": {"color": colour},
                "x": [row["macs"] / _bytes(row) for row in own], "y": [row["macs"] / row["cycles"] for row in own],
                "text": [row["layer"] for row in own],
                "hovertemplate": "%{text}: %{y:.4~g} MACs a cycle, %{x:.4~g} a byte<extra>%{fullData.name}</extra>",
            })  # fmt: skip
    pes = spec["array"].get("count", 1) * spec["array"]["rows"] * spec["array"]["columns"]
    intensity = [row["macs"] / _bytes(row) for row in rows]
    ends = [min(intensity) / 2, max(intensity) * 2]
    roofs = [{"type": "scatter", "mode": "lines", "name": "array", "x": ends, "y": [pes, pes],
              "line": {"color": "#777777"}, "hoverinfo": "skip"}]  # fmt: skip
    if bytes_per_second:
        bytes_per_cycle = bytes_per_second / spec["frequency_hz"]
        corner = min(max(pes / bytes_per_cycle, ends[0]), ends[1])
        roofs.append({"type": "scatter", "mode": "lines", "name": "DRAM", "x": [ends[0], corner],
                      "y": [ends[0] * bytes_per_cycle, corner * bytes_per_cycle],
                      "line": {"color": "#777777", "dash": "dash"}, "hoverinfo": "skip"})  # fmt: skip
    axes = {"xaxis": {"type": "log", "title": {"text": "MACs a byte of DRAM"}},
            "yaxis": {"type": "log", "title": {"text": "MACs a cycle"}}}  # fmt: skip
    return {"data": [*roofs, *points], "layout": axes}


SECTION = ReportSection("roofline", "Roofline", 40, parts)
