"""What a pipeline run came to, as plain data: summary.json, and the rows of its tables."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from simulator.outputs.csv_text import csv_text
from simulator.outputs.summary import trace_summary
from simulator.pipelines.operation import KINDS
from simulator.pipelines.results import BatchKind, PipelineResults, PipelineRun
from simulator.run.results import RESULT_SCHEMA


def pipeline_summary(results: PipelineResults) -> dict[str, Any]:
    """Return the summary; docs/pipelines.md describes it."""
    first = results.runs[0]
    return {
        "schema": RESULT_SCHEMA,
        "trace": trace_summary(results.trace),
        "pipeline": {
            "devices": first.devices,
            "micro_batches": first.micro_batches,
            "micro_batch_size": first.micro_batch_size,
            "link_bytes_per_second": results.link.bytes_per_second,
            "link_latency_ns": results.link.latency_ns,
            "predictor_runs": results.predictor_runs,
        },
        "runs": [_run(results, run) for run in results.runs],
    }


def _run(results: PipelineResults, run: PipelineRun) -> dict[str, Any]:
    return {
        "schedule": run.schedule,
        "design": run.design,
        "dataflow": run.spec.dataflow,
        "total_cycles": run.total_cycles,
        "seconds": run.seconds,
        "speedup": results.speedup(run),
        "speedup_over_sequential": results.against_sequential(run),
        "bubble_share": run.bubble_share,
        "peak_device_bytes": run.peak_device_bytes,
        "peak_activation_bytes": run.peak_activation_bytes,
        "flushes_per_batch": run.flushes_per_batch,
        "messages_per_batch": run.messages_per_batch,
        "all_reduces_per_batch": run.all_reduces_per_batch,
        "kinds": {kind.kind: _kind(kind) for kind in run.kinds},
        "devices": [asdict(memory) | {"peak_bytes": memory.peak_bytes} for memory in run.memory],
        "exact": {
            "first_batch": run.stretch.first_batch,
            "phases": list(run.stretch.phases),
            "cycles": run.stretch.run.cycles,
            "composed_cycles": run.stretch.composed_cycles,
            "equal": run.stretch.equal,
        },
    }


def _kind(kind: BatchKind) -> dict[str, Any]:
    return {
        "batches": kind.batches,
        "cycles_alone": kind.cycles_alone,
        "cycles_in_a_row": kind.cycles_in_a_row,
        "device_busy_cycles": list(kind.work.device_cycles),
        "flushes": kind.flushes,
        "messages": kind.messages,
        "all_reduces": kind.all_reduces,
    }


def stages_csv(results: PipelineResults) -> str:
    """Return stages.csv: a row for each (schedule, design, kind of batch, stage) with the cycles of its operations.

    ``last_*`` is the operation with the last micro-batch, which carries what runs once a batch.
    """
    return _csv(row for run in results.runs for kind in run.kinds for row in _stage_rows(results, run, kind))


def _stage_rows(results: PipelineResults, run: PipelineRun, kind: BatchKind) -> Iterator[dict[str, Any]]:
    programme, layers = kind.work.programme, results.trace.mac_layers
    for part in run.parts:
        row: dict[str, Any] = {
            "schedule": run.schedule,
            "design": run.design,
            "kind": kind.kind,
            "stage": part.index,
            "devices": " ".join(str(device) for device in programme.replicas[part.index]),
            "first_layer": layers[part.first].id,
            "last_layer": layers[part.end - 1].id,
            "layers": part.end - part.first,
            "weight_words": part.weight_words,
            "entering_words_per_sample": part.entering_words,
        }
        for name in KINDS:
            row |= {f"{name}_cycles": "", f"last_{name}_cycles": ""}
        for index, one in enumerate(programme.placed):
            if one.operation.stage == part.index:
                last = "last_" if index in programme.last_on_device else ""
                row[f"{last}{one.operation.kind}_cycles"] = kind.work.cycles[index]
        yield row


def operations_csv(results: PipelineResults) -> str:
    """Return operations.csv: when each operation of the stretch ran."""
    return _csv(row for run in results.runs for row in _operation_rows(run))


def _operation_rows(run: PipelineRun) -> Iterator[dict[str, Any]]:
    for execution in sorted(run.stretch.run.executions, key=lambda one: (one.start_cycle, one.batch, one.index)):
        one = run.stretch.works[execution.batch].programme.placed[execution.index]
        yield {
            "schedule": run.schedule,
            "design": run.design,
            "device": one.device,
            "batch": run.stretch.first_batch + execution.batch,
            "phase": run.stretch.phases[execution.batch],
            "micro_batch": one.operation.micro_batch,
            "stage": one.operation.stage,
            "pass": one.operation.kind,
            "start_cycle": execution.start_cycle,
            "end_cycle": execution.end_cycle,
            "cycles": execution.end_cycle - execution.start_cycle,
        }


def _csv(rows: Iterator[dict[str, Any]]) -> str:
    table = list(rows)
    return csv_text(list(table[0]), [[row[name] for name in table[0]] for row in table])
