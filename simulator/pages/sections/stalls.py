"""Where an array waits, and for what."""

from collections.abc import Sequence
from typing import Any

from simulator.outputs.colours import STALLS
from simulator.pages.page import Chart, Part
from simulator.pages.result import ResultFolder, layer_rows
from simulator.pages.run_report import ReportSection


def parts(result: ResultFolder) -> Sequence[Part]:
    """Return all cycles of a batch's ops by what they are, for each run and phase."""
    names = list(result.batch_names.values())
    batches = [layer_rows(rows) for rows in result.batches.values()]
    share, whole = ([_trace(key, names, batches, as_share) for key in STALLS] for as_share in (True, False))
    layout = {"barmode": "stack", "yaxis": {"autorange": "reversed", "type": "category"}}
    figures = {
        "share of the cycles": {"data": share, "layout": {**layout, "xaxis": {"title": {"text": "per cent"}}}},
        "cycles": {"data": whole, "layout": {**layout, "xaxis": {"title": {"text": "cycles of a batch's ops"}}}},
    }
    words = "Cycles of a batch's ops: computing, or waiting for a load, a store, the other array or a port."
    return [Chart("Cycles and stalls", figures, words, 120 + 26 * len(names))]


def _trace(key: str, names: Sequence[str], batches: Sequence[list[dict[str, Any]]], as_share: bool) -> dict[str, Any]:
    values = []
    for rows in batches:
        total = sum(row["cycles"] for row in rows)
        own = sum(row[key] for row in rows)
        values.append(100 * own / total if as_share and total else own)
    name = key.removesuffix("_cycles").replace("_", " ")
    return {
        "type": "bar", "orientation": "h", "name": name, "y": list(names), "x": values,
        "marker": {"color": STALLS[key]},
        "hovertemplate": "%{y}: %{x:,.4~g}" + (" %" if as_share else " cycles") + f"<extra>{name}</extra>",
    }  # fmt: skip


SECTION = ReportSection("stalls", "Stalls", 30, parts)
