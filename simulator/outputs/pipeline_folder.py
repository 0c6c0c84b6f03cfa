"""Write the files of a pipeline result into a folder, whole or not at all."""

from collections.abc import Sequence
from pathlib import Path

from simulator.outputs.folder import json_text
from simulator.outputs.pipeline_summary import operations_csv, pipeline_summary, stages_csv
from simulator.outputs.provenance import provenance
from simulator.outputs.resolved import spec_data, to_yaml
from simulator.outputs.trace_events import write_events
from simulator.pipelines.results import PipelineResults


def write_pipeline(
    results: PipelineResults,
    folder: Path,
    inputs: dict[str, Path],
    arguments: Sequence[str] = (),
    with_timeline: bool = False,
    with_plot: bool = False,
) -> None:
    """Write summary.json, stages.csv, operations.csv, config.resolved.yaml and provenance.json, and what is asked for.

    Parameters
    ----------
    results : PipelineResults
        What to write.
    folder : Path
        An existing folder; see `staged_output`.
    inputs : dict of str to Path
        Files that were read, by the name to record.
    arguments : sequence of str
        The command line, without the program's name.
    with_timeline, with_plot : bool
        Whether to write timeline.json, and pipeline.png.
    """
    summary = pipeline_summary(results)
    (folder / "summary.json").write_text(json_text(summary), encoding="utf-8")
    (folder / "stages.csv").write_text(stages_csv(results), encoding="utf-8", newline="")
    (folder / "operations.csv").write_text(operations_csv(results), encoding="utf-8", newline="")
    specs = {run.design: run.spec for run in results.runs}
    config = {
        "trace": summary["trace"],
        "pipeline": summary["pipeline"],
        "pipeline_schedules": list(dict.fromkeys(run.schedule for run in results.runs)),
        "accelerators": [spec_data(spec) for spec in specs.values()],
    }
    (folder / "config.resolved.yaml").write_text(to_yaml(config), encoding="utf-8")
    if with_timeline:
        from simulator.outputs.pipeline_timeline import pipeline_timeline

        trace = results.trace
        write_events(folder / "timeline.json", pipeline_timeline(results), trace.network, trace.batch_size)
    if with_plot:
        from simulator.outputs.pipeline_plot import plot_pipeline

        plot_pipeline(results, folder / "pipeline.png")
    (folder / "provenance.json").write_text(json_text(provenance(inputs, arguments, folder)), encoding="utf-8")
