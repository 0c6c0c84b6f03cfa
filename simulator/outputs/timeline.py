"""timeline.json: one batch of each phase of each design, for Perfetto or chrome://tracing."""

from typing import Any

from simulator.run.results import Results, RunResult
from workloads.schedule import Phase

_ARRAYS = ("PE array", "second PE array")
_TRACKS = ("ops", "tiles", "DMA in", "DMA out")
_CHANNEL = len(_ARRAYS) * len(_TRACKS)


def timeline(results: Results) -> dict[str, Any]:
    """Return the timeline in the object form of the Trace Event format.

    A process is a phase of a design; its threads are, for each array, its ops, its tiles and both DMA
    directions, and the DRAM channel. One microsecond on screen is one cycle.
    """
    events: list[dict[str, Any]] = []
    process = 0
    for run in results.runs:
        for phase in run.phases:
            process += 1
            events += _process(run, phase.phase, process)
    return {
        "traceEvents": events,
        "displayTimeUnit": "ns",
        "metadata": {
            "time_unit": "1 us on screen = 1 cycle of the accelerator's clock",
            "network": results.trace.network,
            "batch_size": results.trace.batch_size,
        },
    }


def _process(run: RunResult, phase: Phase, process: int) -> list[dict[str, Any]]:
    batch, layers = run.batch_runs[phase], _layers_of_ops(run, phase)
    events: list[dict[str, Any]] = [_name("process_name", f"{run.design} {run.dataflow} {phase}", process, 0)]
    for array in range(len(run.spec.arrays)):
        for track, what in enumerate(_TRACKS):
            events.append(_name("thread_name", f"{_ARRAYS[array]}: {what}", process, array * len(_TRACKS) + track))
    events.append(_name("thread_name", "DRAM channel", process, _CHANNEL))
    for op, layer in zip(batch.ops, layers, strict=True):
        arguments = {"layer": layer, "compute_cycles": op.compute_cycles, "stall_load_cycles": op.stall_load_cycles,
                     "stall_store_cycles": op.stall_store_cycles,
                     "stall_other_array_cycles": op.stall_other_array_cycles,
                     "stall_buffer_port_cycles": op.stall_buffer_port_cycles}  # fmt: skip
        events.append(
            _span(f"{layer} {op.task.pass_}", op.start_cycle, op.end_cycle, process, op.array * len(_TRACKS), arguments)
        )
    for tiles in batch.tiles:
        op, layer = batch.ops[tiles.op], layers[tiles.op]
        first = op.array * len(_TRACKS)
        for tile, times in enumerate(tiles.times.tolist()):
            load, stream, store = times[0:2], times[2:4], times[4:6]
            name = f"{layer} {op.task.pass_} [{tile}]"
            if stream[1] > stream[0]:
                events.append(_span(name, stream[0], stream[1], process, first + 1))
            if load[1] > load[0]:
                events += [_span(f"load {name}", load[0], load[1], process, tid) for tid in (first + 2, _CHANNEL)]
            if store[1] > store[0]:
                events += [_span(f"store {name}", store[0], store[1], process, tid) for tid in (first + 3, _CHANNEL)]
    return events


def _layers_of_ops(run: RunResult, phase: Phase) -> list[str]:
    """Return the layer of each op of a phase's batch."""
    return [row.layer for row in run.rows if row.phase == phase and row.pass_]


def _name(kind: str, name: str, process: int, thread: int) -> dict[str, Any]:
    return {"ph": "M", "name": kind, "pid": process, "tid": thread, "args": {"name": name}}


def _span(
    name: str, start: int, end: int, process: int, thread: int, arguments: dict[str, Any] | None = None
) -> dict[str, Any]:
    span = {"ph": "X", "name": name, "ts": start, "dur": end - start, "pid": process, "tid": thread}
    return span if arguments is None else span | {"args": arguments}
