"""A sequential pipeline of one device and one micro-batch is the single device: every design, dataflow and setting."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from networks import chains, make_trace

from dataflows.dataflow import dataflow_names
from simulator.machine.spec_loading import load_designs
from simulator.phases.design import designs
from simulator.pipelines.schedule import find_schedule
from simulator.pipelines.simulation import PipelineSetup, simulate_pipelines
from simulator.run.simulation import compare
from workloads.trace import Trace, load_trace

# Another value for what changes the cycles of a batch.
SETTINGS = {
    "frequency_hz": [100_000_000], "global_buffer.bank_bytes": [2048], "global_buffer.bank_port_bytes": [1],
    "dram": ["dram.model=commands", "dram.peak_bytes_per_second=1000000000", "dram.latency_ns=500"],
    "precision.word_bits": [8], "precision.master_weight_bits": [32], "vector_unit.costed": ["[activation,batch_norm]"],
    "vector_unit.lanes": [3], "batch_mean": ["reread"], "dgrad": ["dense"], "gp_outputs_stay": ["false"],
    "tiling_slack_percent": ["null"], "array.rows": [5],
}  # fmt: skip


def equal(trace: Trace, dataflow: str, overrides: list[str]) -> dict[str, int]:
    specs = load_designs(dataflow=dataflow, overrides=overrides)
    single = {run.design: run.total_cycles for run in compare(trace, specs).runs}
    setup = PipelineSetup(1, 1, stretch=(0, 1))
    piped = simulate_pipelines(trace, specs, [find_schedule("sequential")], setup).runs
    assert {run.spec.design: run.total_cycles for run in piped} == single
    assert list(single) == list(designs())
    return single


@pytest.mark.parametrize("dataflow", sorted(dataflow_names()))
@pytest.mark.parametrize("costed", ["[]", "[activation,pool]"])
def test_digits_cnn(dataflow: str, costed: str) -> None:
    cycles = equal(load_trace("digits-cnn"), dataflow, [f"vector_unit.costed={costed}"])
    if costed != "[]":  # these layers take time: a pipeline that left them out would take as long as without them
        free = equal(load_trace("digits-cnn"), dataflow, ["vector_unit.costed=[]"])
        assert all(cycles[name] > free[name] for name in free)


def with_activations(trace: Trace) -> Trace:
    """Return a chain with an activation behind every convolution."""
    layers: list[dict] = []
    for layer in trace.layers:
        one = layer.model_dump()
        one["inputs"] = tuple(f"{name}.relu" if name.startswith("conv") else name for name in layer.inputs)
        layers.append(one)
        if layer.kind == "conv2d":
            layers.append({"id": f"{layer.id}.relu", "kind": "activation", "op": "relu", "inputs": (layer.id,),
                           "shape": layer.output_shape})  # fmt: skip
    return make_trace(layers, trace.batch_size, dict(trace.inputs))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(chains(), st.sampled_from(sorted(dataflow_names())), st.data())
def test_random_networks_and_settings(chain: Trace, dataflow: str, data: st.DataObject) -> None:
    """Every setting that changes a batch, drawn apart: what a pipeline left out would show."""
    chosen = data.draw(st.lists(st.sampled_from(list(SETTINGS)), unique=True, max_size=6))
    overrides = []
    for key in chosen:
        value = data.draw(st.sampled_from(SETTINGS[key]))
        overrides.append(str(value) if key == "dram" else f"{key}={value}")
    equal(with_activations(chain), dataflow, overrides)


@pytest.mark.parametrize("key", SETTINGS)
def test_every_setting_alone_changes_both_alike(key: str) -> None:
    trace = load_trace("digits-cnn")
    for value in SETTINGS[key]:
        equal(trace, "ws", [str(value) if key == "dram" else f"{key}={value}"])


def test_an_output_that_crosses_a_cut_stays_in_no_buffer() -> None:
    """Two equal layers on two devices: in Phase GP each reads its input and writes its output in DRAM.

    So one device does the same work as two without `gp_outputs_stay`, and one device with it saves time.
    """
    conv = {"kind": "conv2d", "C": 8, "H": 8, "W": 8, "K": 8, "R": 1, "S": 1, "P": 8, "Q": 8}
    trace = make_trace([{"id": "a", "inputs": ("input",), **conv}, {"id": "b", "inputs": ("a",), **conv}])
    found = {}
    for devices in (1, 2):
        for stay in ("true", "false"):
            specs = load_designs(overrides=[f"gp_outputs_stay={stay}"])
            setup = PipelineSetup(devices, 1, stretch=(0, 1))
            runs = simulate_pipelines(trace, specs, [find_schedule("sequential")], setup).runs
            (kind,) = [kind for kind in next(run for run in runs if run.spec.design == "efficient").kinds
                       if kind.kind == "gp"]  # fmt: skip
            found[devices, stay] = kind.cycles_alone
    assert found[2, "true"] == found[2, "false"] == found[1, "false"] > found[1, "true"]
