"""Cycles layer by layer and pass by pass."""

from collections.abc import Sequence
from typing import Any

from simulator.outputs.colours import PASSES
from simulator.pages.page import Chart, Column, DataTable, Part
from simulator.pages.result import ResultFolder, Row, layer_rows
from simulator.pages.run_report import ReportSection

_COLUMNS = {
    "run": Column("run", filtered=True), "phase": Column("phase", filtered=True), "layer": Column("layer"),
    "pass": Column("pass", filtered=True), "array": Column("array"), "cycles": Column("cycles"),
    "compute_cycles": Column("compute"), "stall_load_cycles": Column("load stalls"),
    "stall_store_cycles": Column("store stalls"), "stall_other_array_cycles": Column("other array"),
    "stall_buffer_port_cycles": Column("port stalls"), "utilization": Column("utilization"),
    "roofline_bound": Column("bound", filtered=True), "macs": Column("MACs"),
    "dram_read_bytes": Column("DRAM read, bytes"), "dram_write_bytes": Column("DRAM write, bytes"),
    "energy_uj": Column("energy, uJ"),
}  # fmt: skip


def parts(result: ResultFolder) -> Sequence[Part]:
    """Return a chart of every batch, and a table of every row."""
    figures = {
        result.batch_names[run, phase]: _figure(rows, result.layers) for (run, phase), rows in result.batches.items()
    }
    rows = [
        [run, phase, *(row[name] for name in list(_COLUMNS)[2:-1]), row["energy_pj"] * 1e-6]
        for (run, phase), batch in result.batches.items()
        for row in layer_rows(batch)
    ]
    words = "Cycles of each layer's passes in one batch; the second array's are hatched."
    return [
        Chart("Cycles by layer", figures, words, 460, result.typical),
        DataTable("Every pass of every layer, in one batch", list(_COLUMNS.values()), rows),
    ]


def _figure(rows: Sequence[Row], layers: Sequence[str]) -> dict[str, Any]:
    data = []
    for array in (0, 1):
        for name, colour in PASSES.items():
            own = {row["layer"]: row["cycles"] for row in rows if row["pass"] == name and row["array"] == array}
            if own:
                data.append({
                    "type": "bar", "name": name.replace("_", " ") + (", second array" if array else ""),
                    "x": list(layers), "y": [own.get(layer, 0) for layer in layers],
                    "marker": {"color": colour, **({"pattern": {"shape": "/"}} if array else {})},
                    "hovertemplate": "%{x}: %{y:,} cycles<extra>%{fullData.name}</extra>",
                })  # fmt: skip
    return {"data": data, "layout": {"barmode": "stack", "yaxis": {"title": {"text": "cycles"}},
                                     "xaxis": {"type": "category"}}}  # fmt: skip


SECTION = ReportSection("layers", "Layers", 20, parts)
