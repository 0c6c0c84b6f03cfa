"""timeline.json of a pipeline: a process for each schedule and design, a thread for each device."""

from collections.abc import Iterator

from simulator.outputs.trace_events import Event, name, span
from simulator.pipelines.results import PipelineResults, PipelineRun


def pipeline_timeline(results: PipelineResults) -> Iterator[Event]:
    """Yield the events of the stretch of batches."""
    for process, run in enumerate(results.runs, start=1):
        yield from _process(run, process)


def _process(run: PipelineRun, process: int) -> Iterator[Event]:
    yield name("process_name", f"{run.schedule} {run.design}", process, 0)
    for device in range(run.devices):
        yield name("thread_name", f"device {device}", process, device)
    for execution in run.stretch.run.executions:
        one = run.stretch.works[execution.batch].programme.placed[execution.index]
        batch, phase = run.stretch.first_batch + execution.batch, run.stretch.phases[execution.batch]
        text = f"{one.operation.kind} {one.operation.micro_batch} of batch {batch}"
        arguments = {"batch": batch, "phase": phase, "micro_batch": one.operation.micro_batch,
                     "stage": one.operation.stage}  # fmt: skip
        yield span(text, execution.start_cycle, execution.end_cycle, process, one.device, arguments)
