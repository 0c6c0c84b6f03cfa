"""Nothing is lost between ops, rows, phases and the summary."""

import csv
import io
import itertools
from collections import defaultdict
from math import fsum

import pytest
from hypothesis import given, settings
from networks import chains

from dataflows.actions import ACTIONS
from simulator.machine.spec_loading import load_designs
from simulator.outputs.layers_csv import layers_csv
from simulator.outputs.summary import summary
from simulator.run.results import BATCH_ROW, Results
from simulator.run.simulation import compare
from workloads.graph import needs_input_gradient
from workloads.layers import Conv2d
from workloads.trace import Trace, load_trace

SMALL = ["global_buffer.banks=4", "global_buffer.bank_bytes=4096", "second_array.buffer_banks=1",
         "predictor_sram.banks=1", "predictor_sram.bank_bytes=20000"]  # fmt: skip


def meetings(layer: Conv2d, axis: int) -> int:
    extent, kernel = (layer.H, layer.W)[axis], (layer.R, layer.S)[axis]
    return sum(
        (position + layer.padding[axis] - tap * layer.dilation[axis]) % layer.stride[axis] == 0
        for position in range(extent)
        for tap in range(kernel)
    )


def closed_macs(trace: Trace, layer_id: str, name: str) -> int:
    """Return the MACs of a pass by docs/machine.md's table, from the layer's own sizes."""
    layer = next(layer for layer in trace.layers if layer.id == layer_id)
    N = trace.batch_size
    if isinstance(layer, Conv2d):
        window = layer.C // layer.groups * layer.R * layer.S
        weights = layer.K * window
        pq = N * layer.P * layer.Q
        # Of every position of dX and every tap, those that meet a row and a column of the grid of dY.
        hw_taps = N * meetings(layer, 0) * meetings(layer, 1)
        features_in = window
    else:
        weights, pq, features_in = layer.K * layer.C, N * layer.L, layer.C
        hw_taps = pq
    predictor = trace.predictor
    pooled = predictor.pool[0] * predictor.pool[1]
    kernel = predictor.channels * predictor.kernel[0] * predictor.kernel[1]
    linear, conv = layer.K * predictor.channels * pooled * features_in, layer.K * pooled * kernel
    trained = kernel + predictor.channels * pooled * features_in
    return {
        "forward": pq * weights,
        "dgrad": hw_taps * layer.K * layer.C // getattr(layer, "groups", 1),
        "wgrad": pq * weights,
        "update": 2 * weights,
        "predictor_forward": linear + conv,
        "predictor_backward": 2 * linear + conv,
        "predictor_update": 13 * trained,
        "predictor_load": 0,
        "predictor_store": 0,
    }[name]


def check(results: Results) -> None:
    rows = list(csv.DictReader(io.StringIO(layers_csv(results))))
    totals = summary(results)
    needed = needs_input_gradient(results.trace.layers)
    sums: dict[tuple[str, str], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    busy: dict[tuple[str, str, str], int] = defaultdict(int)
    for row in rows:
        cycles = int(row["cycles"])
        assert int(row["end_cycle"]) - int(row["start_cycle"]) == cycles
        stalls = sum(int(value) for name, value in row.items() if name.startswith("stall_"))
        assert cycles == int(row["compute_cycles"]) + stalls
        assert min(int(value) for name, value in row.items() if name.startswith("stall_")) >= 0
        parts = [float(v) for k, v in row.items() if k.startswith("energy_") and k != "energy_pj"]
        assert fsum(parts) == pytest.approx(float(row["energy_pj"]), rel=1e-12)
        if row["layer"] != BATCH_ROW:
            assert int(row["macs"]) == closed_macs(results.trace, row["layer"], row["pass"])
            assert not (row["pass"] == "dgrad" and not needed[row["layer"]])
            assert 0 <= float(row["utilization"]) <= 1
            busy[row["design"], row["phase"], row["array"]] += cycles
        phase = sums[row["design"], row["phase"]]
        for name in ("macs", "dram_read_bytes", "dram_write_bytes", "energy_pj"):
            phase[name].append(float(row[name]))
        phase["count"].append(float(row["count"]))
    for run in totals["runs"]:
        energy = []
        for name, phase in run["phases"].items():
            found = sums[run["design"], name]
            for key in ("macs", "dram_read_bytes", "dram_write_bytes"):
                assert sum(found[key]) == phase[f"{key}_per_batch"]
            assert fsum(found["energy_pj"]) == pytest.approx(phase["energy_pj_per_batch"], rel=1e-12)
            assert set(found["count"]) == {phase["batches"]}
            energy.append(phase["batches"] * phase["energy_pj_per_batch"])
            for use in phase["arrays"]:
                assert use["busy_cycles"] == busy[run["design"], name, str(use["array"])]
                assert use["busy_cycles"] + use["idle_cycles"] == phase["cycles_per_batch"]
                assert use["idle_cycles"] >= 0
        assert fsum(energy) == pytest.approx(run["energy_pj"], rel=1e-12)
        assert run["total_cycles"] == sum(p["batches"] * p["cycles_per_batch"] for p in run["phases"].values())
        causes = run["causes"]
        if causes:
            assert causes[-1]["speedup"] == pytest.approx(run["speedup"], rel=1e-12)
            assert run["ideal_speedup"] + fsum(c["change"] for c in causes) == pytest.approx(run["speedup"])


@pytest.mark.parametrize("name", ["vgg13-cifar10", "digits-cnn"])
def test_shipped_traces(name: str) -> None:
    check(compare(load_trace(name)))


@settings(max_examples=40, deadline=None)
@given(chains())
def test_random_networks(trace: Trace) -> None:
    check(compare(trace))


@settings(max_examples=40, deadline=None)
@given(chains())
def test_random_networks_in_a_small_buffer(trace: Trace) -> None:
    check(compare(trace, load_designs(overrides=SMALL)))


@settings(max_examples=30, deadline=None)
@given(chains())
def test_low_is_never_faster_than_efficient(trace: Trace) -> None:
    runs = {run.design: run for run in compare(trace).runs}
    for phase in ("warm_up", "bp", "gp"):
        assert runs["efficient"].phase(phase).cycles_per_batch <= runs["low"].phase(phase).cycles_per_batch


@settings(max_examples=30, deadline=None)
@given(chains())
def test_ops_on_an_array_do_not_overlap_and_steps_are_barriers(trace: Trace) -> None:
    for run in compare(trace).runs:
        for phase, batch in run.batch_runs.items():
            for array in (0, 1):
                ops = [op for op in batch.ops if op.array == array]
                assert all(a.end_cycle <= b.start_cycle for a, b in itertools.pairwise(ops))
            assert max(op.end_cycle for op in batch.ops) == batch.cycles, phase


def test_layers_that_share_weights_are_updated_once() -> None:
    from networks import make_trace

    conv = {"kind": "conv2d", "C": 8, "H": 6, "W": 6, "K": 8, "R": 3, "S": 3, "P": 6, "Q": 6, "padding": (1, 1)}
    trace = make_trace([
        {"id": "a", "inputs": ("input",), **conv},
        {"id": "b", "inputs": ("a",), "shares_weights_with": "a", **conv},
    ])  # fmt: skip
    for run in compare(trace).runs:
        for phase in ("bp", "gp"):
            updated = [r.layer for r in run.rows if r.phase == phase and r.pass_ == "update"]
            assert updated == ["a"]


def test_attention_product_has_both_gradients_and_no_update() -> None:
    from networks import make_trace

    trace = make_trace(
        [
            {"id": "q", "kind": "linear", "inputs": ("input",), "L": 5, "C": 8, "K": 8},
            {"id": "k", "kind": "linear", "inputs": ("input",), "L": 5, "C": 8, "K": 8},
            {"id": "qk", "kind": "matmul", "inputs": ("q", "k"), "G": 2, "M": 5, "C": 4, "K": 5},
        ],
        batch_size=3,
        inputs={"input": (5, 8)},
    )
    rows = [r for r in compare(trace).runs[0].rows if r.phase == "bp" and r.layer == "qk"]
    forward = 3 * 2 * 5 * 4 * 5
    assert {r.pass_: r.counts.macs for r in rows} == {"forward": forward, "dgrad": 2 * forward}


def test_energy_table_swaps_without_simulating_again() -> None:
    from simulator.energy.energy import energy_table_of

    trace = load_trace("digits-cnn")
    one = compare(trace)
    specs = load_designs(overrides=["energy_table=eyeriss"])
    two = compare(trace, specs)
    table = energy_table_of(specs[0])
    for a, b in zip(one.rows, two.rows, strict=True):
        assert a.counts == b.counts and (a.start_cycle, a.end_cycle) == (b.start_cycle, b.end_cycle)
        if a.layer != BATCH_ROW:
            assert table.energy(a.counts, a.array) == b.energy
    assert set(ACTIONS) == set(table.actions)
