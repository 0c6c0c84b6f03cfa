"""timeline.json of a pipeline: a process for each schedule and design, a thread for each device."""

from typing import Any

from simulator.pipelines.results import PipelineResults, PipelineRun


def pipeline_timeline(results: PipelineResults) -> dict[str, Any]:
    """Return the stretch of batches in the object form of the Trace Event format, 1 us on screen for a cycle."""
    events: list[dict[str, Any]] = []
    for process, run in enumerate(results.runs, start=1):
        events += _process(run, process)
    return {
        "traceEvents": events,
        "displayTimeUnit": "ns",
        "metadata": {
            "time_unit": "1 us on screen = 1 cycle of the accelerator's clock",
            "network": results.trace.network,
            "batch_size": results.trace.batch_size,
        },
    }


def _process(run: PipelineRun, process: int) -> list[dict[str, Any]]:
    def named(kind: str, name: str, thread: int) -> dict[str, Any]:
        return {"ph": "M", "name": kind, "pid": process, "tid": thread, "args": {"name": name}}

    events = [named("process_name", f"{run.schedule} {run.design}", 0)]
    events += [named("thread_name", f"device {device}", device) for device in range(run.devices)]
    for execution in run.stretch.run.executions:
        one = run.stretch.works[execution.batch].programme.placed[execution.index]
        batch, phase = run.stretch.first_batch + execution.batch, run.stretch.phases[execution.batch]
        events.append({
            "ph": "X",
            "name": f"{one.operation.kind} {one.operation.micro_batch} of batch {batch}",
            "ts": execution.start_cycle,
            "dur": execution.end_cycle - execution.start_cycle,
            "pid": process,
            "tid": one.device,
            "args": {"batch": batch, "phase": phase, "micro_batch": one.operation.micro_batch,
                     "stage": one.operation.stage},
        })  # fmt: skip
    return events
