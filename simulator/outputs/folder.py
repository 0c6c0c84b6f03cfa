"""Write the files of a result into a folder."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from simulator.outputs.layers_csv import layers_csv
from simulator.outputs.provenance import provenance
from simulator.outputs.resolved import resolved_config
from simulator.outputs.summary import summary
from simulator.outputs.timeline import timeline
from simulator.outputs.trace_events import write_events
from simulator.run.results import Results


def write_results(
    results: Results,
    folder: Path,
    inputs: dict[str, Path],
    arguments: Sequence[str] = (),
    with_timeline: Literal["ops", "tiles"] | None = None,
    with_plot: bool = False,
    target_accuracy: float | None = None,
) -> None:
    """Write summary.json, layers.csv, config.resolved.yaml and provenance.json, and what else is asked for.

    Parameters
    ----------
    results : Results
        What to write.
    folder : Path
        An existing folder; see `simulator.outputs.staging.staged_output`.
    inputs : dict of str to Path
        Files that were read, by the name to record.
    arguments : sequence of str
        The command line, without the program's name.
    with_timeline : str, optional
        Whether to write timeline.json: of the ops alone, or of all tiles too.
    with_plot : bool
        Whether to draw comparison.png and layers.png.
    target_accuracy : float, optional
        Of a trained trace: the accuracy to which costs are counted, if not the default.
    """
    (folder / "summary.json").write_text(json_text(summary(results, target_accuracy)), encoding="utf-8")
    (folder / "layers.csv").write_text(layers_csv(results), encoding="utf-8", newline="")
    (folder / "config.resolved.yaml").write_text(resolved_config(results), encoding="utf-8")
    if with_timeline:
        trace, events = results.trace, timeline(results, with_timeline == "tiles")
        write_events(folder / "timeline.json", events, trace.network, trace.batch_size)
    if with_plot:
        from simulator.outputs.plots import plot_comparison, plot_layers

        plot_comparison(results, folder / "comparison.png")
        plot_layers(results, folder / "layers.png")
    (folder / "provenance.json").write_text(json_text(provenance(inputs, arguments, folder)), encoding="utf-8")


def json_text(data: Any) -> str:
    """Return data as indented JSON with a final newline."""
    return json.dumps(data, indent=2) + "\n"
