"""Timelines of random networks keep the format's rules, and their counters add up to the rows of layers.csv."""

import csv
import io
import json
from collections import defaultdict
from itertools import pairwise
from math import fsum
from pathlib import Path

import pytest
from array_specs import RUN_NAMES, RUNS
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import chains
from trace_event_rules import faults

from dataflows.dataflow import Dataflow
from simulator.machine.spec_loading import load_designs
from simulator.outputs.counters import MOST_STEPS
from simulator.outputs.counters import counters as make_counters
from simulator.outputs.layers_csv import layers_csv
from simulator.outputs.timeline import timeline
from simulator.outputs.trace_events import write_events
from simulator.run.results import Results, RunResult
from simulator.run.simulation import compare
from workloads.trace import Trace, load_trace

SMALL = ["global_buffer.banks=4", "global_buffer.bank_bytes=8192", "second_array.buffer_banks=1"]
Steps = list[tuple[int, float]]


def written(results: Results, with_tiles: bool, folder: Path) -> list[dict]:
    """Return the events as a reader of the file gets them, once they keep the rules."""
    write_events(folder / "timeline.json", timeline(results, with_tiles), "n", 1)
    read = json.loads((folder / "timeline.json").read_text())
    assert faults(read) == []
    return read["traceEvents"]


def counters(events: list[dict]) -> dict[str, dict[str, Steps]]:
    """Return the steps of each counter of each process."""
    names = {event["pid"]: event["args"]["name"] for event in events if event["name"] == "process_name"}
    found: dict[str, dict[str, Steps]] = defaultdict(lambda: defaultdict(list))
    for event in events:
        if event["ph"] == "C":
            ((unit, value),) = event["args"].items()
            found[names[event["pid"]]][f"{event['name']} {unit}"].append((event["ts"], value))
    return found


def integral(steps: Steps) -> float:
    assert steps[0][0] == 0
    assert steps[-1][1] == 0
    assert all(before[0] < after[0] and before[1] != after[1] for before, after in pairwise(steps))
    return fsum((after[0] - before[0]) * before[1] for before, after in pairwise(steps))


def check(results: Results, events: list[dict], moves_at_once: bool = False) -> None:
    rows = list(csv.DictReader(io.StringIO(layers_csv(results))))
    shown = counters(events)
    for run in results.runs:
        for phase in (one.phase for one in run.phases):
            mine = shown[f"{run.design} {run.dataflow} {phase}"]
            of_phase = [row for row in rows if (row["design"], row["phase"]) == (run.design, phase)]
            for name, column in (("DRAM read", "dram_read_bytes"), ("DRAM write", "dram_write_bytes")):
                moved = sum(int(row[column]) for row in of_phase)
                if not moves_at_once:
                    assert integral(mine[f"{name} bytes per cycle"]) == pytest.approx(moved, rel=1e-12)
            for array, name in enumerate(("PE array", "second PE array")[: len(run.spec.arrays)]):
                macs = sum(int(row["macs"]) for row in of_phase if row["array"] == str(array))
                active = mine[f"{name}: active PEs"]
                assert integral(active) == pytest.approx(macs, rel=1e-9)
                assert max(value for _, value in active) <= run.spec.arrays[array].pes * (1 + 1e-9)
                fill = mine[f"{name}: buffer fill bytes"]
                assert min(value for _, value in fill) >= 0
                assert max(value for _, value in fill) <= run.spec.budget(array).capacity_bytes


@pytest.mark.parametrize(("flow", "kind"), RUNS, ids=RUN_NAMES)
@settings(max_examples=3, deadline=None)
@given(trace=chains())
def test_counters_add_up_on_every_array(
    flow: Dataflow, kind: str, tmp_path_factory: pytest.TempPathFactory, trace: Trace
) -> None:
    """Bytes and MACs of a timeline are those of the rows, for all designs."""
    folder = tmp_path_factory.mktemp("timeline")
    overrides = [f"array.kind={kind}", f"dataflow={flow.name}", *SMALL]
    results = compare(trace, load_designs(overrides=overrides))
    check(results, written(results, True, folder))


@pytest.mark.parametrize("model", ["ideal", "commands"])
def test_counters_with_other_models_of_dram(model: str, tmp_path: Path) -> None:
    """Transfers that take no time have no bandwidth; those with refreshes in them move the same bytes."""
    results = compare(load_trace("digits-cnn"), load_designs(overrides=[f"dram.model={model}"]))
    for with_tiles in (True, False):
        events = written(results, with_tiles, tmp_path)
        check(results, events, moves_at_once=model == "ideal")
        assert any(event["name"] == "DRAM read" for event in events) == (model != "ideal")


def naive_fill(run: RunResult, events: list[dict], process: int, array: int, cycles: int) -> list[int]:
    """Return the bytes held in each cycle, from the spans of loads, tiles and stores as the timeline shows them.

    A tile that only moves bytes has no span of its own; its bytes are then held while they move.
    """
    first = f"{('PE array', 'second PE array')[array]}: "
    threads = {
        (event["pid"], event["tid"]): event["args"]["name"] for event in events if event["name"] == "thread_name"
    }
    spans = {
        (threads[event["pid"], event["tid"]].removeprefix(first), event["name"]): (
            event["ts"],
            event["ts"] + event["dur"],
        )
        for event in events
        if event["ph"] == "X" and event["pid"] == process
    }
    held = [0] * (cycles + 1)
    phase = run.phases[process - 1].phase
    batch, rows = run.batch_runs[phase], [row for row in run.rows if row.phase == phase]
    for one in batch.tiles:
        for tile, (loaded, stored) in enumerate(zip(one.load_bytes, one.store_bytes, strict=True)):
            if batch.ops[one.op].array != array or not loaded + stored:
                continue
            text = f"{rows[one.op].layer} {rows[one.op].pass_} [{tile}]"
            load, store = spans.get(("DMA in", f"load {text}")), spans.get(("DMA out", f"store {text}"))
            _, streamed = spans.get(("tiles", text)) or load or (store[0], store[0])
            for start, end, moved in ((load and load[0], streamed, loaded), (streamed, store and store[1], stored)):
                for cycle in range(start, end) if moved else ():
                    held[cycle] += int(moved)
    return held


def test_the_buffer_fills_as_the_spans_say(tmp_path: Path) -> None:
    """Cycle by cycle: a load's bytes from its start to its tile's end, a result's from there to its store's end."""
    from networks import make_trace

    layers = [{"id": "a", "kind": "conv2d", "inputs": ("input",), "C": 6, "H": 6, "W": 6, "K": 30, "R": 3, "S": 3,
               "P": 6, "Q": 6, "padding": (1, 1)}]  # fmt: skip
    overrides = ["global_buffer.banks=4", "global_buffer.bank_bytes=1024", "second_array.buffer_banks=2"]
    (run,) = (one for one in compare(make_trace(layers), load_designs(overrides=overrides)).runs if one.design == "max")
    events = written(Results(make_trace(layers), (run,)), True, tmp_path)
    for process, phase in enumerate(run.phases, start=1):
        for array, name in enumerate(("PE array", "second PE array")):
            steps = counters(events)[f"max {run.dataflow} {phase.phase}"][f"{name}: buffer fill bytes"]
            shown = [0.0] * (phase.cycles_per_batch + 1)
            for (start, value), (end, _) in pairwise([*steps, (phase.cycles_per_batch + 1, 0)]):
                shown[start:end] = [value] * (end - start)
            assert shown == naive_fill(run, events, process, array, phase.cycles_per_batch), (phase.phase, name)
            assert max(shown) > 0


def test_a_counter_of_many_steps_has_means_that_add_up(tmp_path: Path) -> None:
    """In `efficient` the predictor's many small tiles go beyond the most steps; the file keeps to them."""
    (spec,) = (one for one in load_designs() if one.design == "efficient")
    results = compare(load_trace("vgg13-cifar10"), [spec])
    events = written(results, False, tmp_path)
    check(results, events)
    (run,) = results.runs
    assert max(len(one.times) for one in run.batch_runs["bp"].tiles) > MOST_STEPS / 2
    most = MOST_STEPS + 2 * len(run.batch_runs["bp"].ops) + 2
    steps = [len(one) for shown in counters(events).values() for one in shown.values()]
    assert MOST_STEPS / 2 < max(steps) <= most


@settings(max_examples=5, deadline=None)
@given(trace=chains(), most=st.integers(1, 40))
def test_means_add_up_however_few_they_are(trace: Trace, most: int) -> None:
    for run in compare(trace).runs:
        for phase, batch in run.batch_runs.items():
            whole = list(make_counters(run, phase, ("a", "b")))
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("simulator.outputs.counters.MOST_STEPS", most)
                means = list(make_counters(run, phase, ("a", "b")))
            for one, other in zip(whole, means, strict=True):
                pairs = [list(zip(each.starts.tolist(), each.values.tolist(), strict=True)) for each in (one, other)]
                assert integral(pairs[1]) == pytest.approx(integral(pairs[0]), rel=1e-9)
                assert len(pairs[1]) <= most + 2 * len(batch.ops) + 2
