"""timeline.json: one batch of each phase of each design, for Perfetto or chrome://tracing."""

from collections.abc import Iterator

from simulator.outputs.counters import counters
from simulator.outputs.trace_events import Event, count, name, span
from simulator.run.results import Results, RunResult
from workloads.schedule import Phase

MOST_BYTES = 100_000_000  # of tiles: a browser can still show so many
_BYTES_BESIDE_NAME = 55  # of a span as text, with a duration of four digits and without its start
_ARRAYS = ("PE array", "second PE array")
_TRACKS = ("ops", "tiles", "DMA in", "DMA out")
_CHANNEL = len(_ARRAYS) * len(_TRACKS)


def timeline_tiles(results: Results) -> tuple[int, int]:
    """Return how many tiles a timeline has, and about how many bytes they fill."""
    count = size = 0
    for run in results.runs:
        for phase in run.phases:
            batch, layers = run.batch_runs[phase.phase], _layers_of_ops(run, phase.phase)
            for tiles in batch.tiles:
                text = len(f"load {layers[tiles.op]} {batch.ops[tiles.op].task.pass_} [{len(tiles.times)}]")
                loads, streams, stores = ((tiles.times[:, i + 1] > tiles.times[:, i]).sum() for i in (0, 2, 4))
                count += len(tiles.times)
                digits = len(str(tiles.times.max(initial=0)))
                size += int(2 * loads + streams + 2 * stores) * (text + digits + _BYTES_BESIDE_NAME)
    return count, size


def timeline(results: Results, with_tiles: bool = True) -> Iterator[Event]:
    """Yield the events of a timeline.

    A process is a phase of a design; its threads are, for each array, its ops, its tiles and both DMA directions, and
    the DRAM channel. Its counters are those of `simulator.outputs.counters`. Without tiles there are the ops and
    the counters alone.
    """
    process = 0
    for run in results.runs:
        for phase in run.phases:
            process += 1
            yield from _process(run, phase.phase, process, with_tiles)


def _process(run: RunResult, phase: Phase, process: int, with_tiles: bool) -> Iterator[Event]:
    batch, layers = run.batch_runs[phase], _layers_of_ops(run, phase)
    yield name("process_name", f"{run.design} {run.dataflow} {phase}", process, 0)
    tracks = _TRACKS if with_tiles else _TRACKS[:1]
    for array in range(len(run.spec.arrays)):
        for track, what in enumerate(tracks):
            yield name("thread_name", f"{_ARRAYS[array]}: {what}", process, array * len(_TRACKS) + track)
    if with_tiles:
        yield name("thread_name", "DRAM channel", process, _CHANNEL)
    for op, layer in zip(batch.ops, layers, strict=True):
        arguments = {"layer": layer, "compute_cycles": op.compute_cycles, "stall_load_cycles": op.stall_load_cycles,
                     "stall_store_cycles": op.stall_store_cycles,
                     "stall_other_array_cycles": op.stall_other_array_cycles,
                     "stall_buffer_port_cycles": op.stall_buffer_port_cycles}  # fmt: skip
        yield span(
            f"{layer} {op.task.pass_}", op.start_cycle, op.end_cycle, process, op.array * len(_TRACKS), arguments
        )
    for tiles in batch.tiles if with_tiles else ():
        op, layer = batch.ops[tiles.op], layers[tiles.op]
        first = op.array * len(_TRACKS)
        for tile, times in enumerate(tiles.times.tolist()):
            load, stream, store = times[0:2], times[2:4], times[4:6]
            text = f"{layer} {op.task.pass_} [{tile}]"
            if stream[1] > stream[0]:
                yield span(text, stream[0], stream[1], process, first + 1)
            for what, (start, end), track in (("load", load, first + 2), ("store", store, first + 3)):
                if end > start:
                    yield span(f"{what} {text}", start, end, process, track)
                    yield span(f"{what} {text}", start, end, process, _CHANNEL)
    yield from _counts(run, phase, process)


def _counts(run: RunResult, phase: Phase, process: int) -> Iterator[Event]:
    for counter in counters(run, phase, _ARRAYS):
        for start, value in zip(counter.starts.tolist(), counter.values.tolist(), strict=True):
            yield count(counter.name, counter.unit, start, value, process)


def _layers_of_ops(run: RunResult, phase: Phase) -> list[str]:
    """Return the layer of each op of a phase's batch."""
    return [row.layer for row in run.rows if row.phase == phase and row.pass_]
