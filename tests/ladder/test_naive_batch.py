"""Every row of layers.csv of whole batches against a naive model that was written from docs/ and shares no code."""

from math import prod

import pytest
from hypothesis import HealthCheck, example, given, reject, settings
from hypothesis import strategies as st
from naive_batch import Batch, Network
from naive_energy import Prices
from naive_step import TIMES
from naive_time import SUMS
from naive_vector import WORK
from networks import make_trace
from registries import ENERGY_TABLES
from test_naive_op import FREQUENCY, machines, plain

from simulator.machine.spec_loading import load_accelerator
from simulator.run.simulation import simulate
from workloads.foundation.errors import InputError
from workloads.trace import Trace

CHECKED = ("start_cycle", "end_cycle", *TIMES, *SUMS)
FLOWS = st.sampled_from(["ws", "is", "os", "rs"])


@st.composite
def networks(draw) -> tuple[list[dict], dict]:
    """Draw a small network: convolutions, layers without MACs, then a linear layer and at times a product of two."""
    shape = (draw(st.integers(1, 2)), draw(st.integers(1, 4)), draw(st.integers(1, 4)))
    inputs, layers, at = {"input": shape}, [], "input"

    def add(kind: str, out: tuple, **keys) -> None:
        nonlocal at, shape
        name = f"{len(layers)}-{kind}"
        layers.append({"id": name, "kind": kind, "inputs": (at,), "out": out, **keys})
        at, shape = name, out

    def vectors() -> None:
        for kind in draw(st.lists(st.sampled_from([*WORK, "other"]), max_size=2)):
            before = [one["id"] for one in layers if one["out"] == shape and one["id"] != at]
            if kind in ("add", "multiply"):
                if before:
                    add(kind, shape)
                    layers[-1]["inputs"] = (*layers[-1]["inputs"], draw(st.sampled_from(before)))
            elif kind == "pool":
                add(kind, (shape[0], -(-shape[1] // 2), -(-shape[2] // 2)))
            elif kind == "other":
                tied = {"wants_gradient": True} if draw(st.booleans()) else {}
                add(kind, (draw(st.integers(1, 4)), *shape[1:]), **tied)
            else:
                add(kind, shape, **({"parameters": 4} if kind in ("batch_norm", "layer_norm") else {}))

    vectors()
    for _ in range(draw(st.integers(1, 2))):
        (C, H, W), K = shape, draw(st.integers(1, 4))
        R = draw(st.sampled_from([1, 1, 2])) if min(H, W) > 1 else 1
        stride = draw(st.sampled_from([1, 1, 2]))
        out = (K, (H - R) // stride + 1, (W - R) // stride + 1)
        sizes = {"C": C, "H": H, "W": W, "K": K, "R": R, "S": R, "P": out[1], "Q": out[2]}
        plain_window = {"stride": (stride, stride), "padding": (0, 0), "dilation": (1, 1), "groups": 1}
        add("conv2d", out, **sizes, **plain_window, predicted=draw(st.sampled_from([True, True, False])))
        vectors()
    add("reshape", (prod(shape),))
    G, M, C, K = (draw(st.integers(1, 2)) for _ in range(4))
    product = draw(st.booleans())
    add("linear", (G * M * C + G * C * K if product else K,), C=shape[0], L=1)
    layers[-1]["K"] = layers[-1]["out"][0]
    if product:
        add("matmul", (G, M, K) if G > 1 else (M, K), G=G, M=M, C=C, K=K)
    return layers, inputs


@st.composite
def batches(draw) -> tuple:
    """Draw a network, its predictor, a machine and a design."""
    flow = draw(FLOWS)
    design = draw(st.sampled_from(["baseline", "low", "efficient", "max"]))
    layers, inputs = draw(networks())
    chosen = draw(machines(flow))
    chosen["global_buffer.bank_bytes"] = draw(st.sampled_from([256, 1024, 4096]))
    if draw(st.sampled_from([False] * 5 + [True])):
        chosen = {key: value for key, value in chosen.items() if not key.startswith("dram.")}
        chosen["dram.model"] = "ideal"
    chosen["energy_table"] = draw(st.sampled_from(ENERGY_TABLES))
    chosen["gp_outputs_stay"] = draw(st.booleans())
    chosen["vector_unit.lanes"] = draw(st.integers(1, 5))
    costed = draw(st.sampled_from([(), (), ("activation", "batch_norm"), tuple(WORK)]))
    second = None
    if design in ("efficient", "max"):
        chosen["predictor_sram.banks"] = draw(st.sampled_from([1, 2]))
        chosen["predictor_sram.bank_bytes"] = draw(st.sampled_from([128, 512, 2048]))
        chosen["predictor_sram.bank_port_bytes"] = draw(st.sampled_from([1, 8]))
    if design == "max":
        chosen["global_buffer.banks"] = draw(st.sampled_from([2, 4]))
        second = {key: value for key, value in draw(machines(flow)).items() if key.startswith("array.")}
        second["buffer_banks"] = draw(st.integers(1, chosen["global_buffer.banks"] - 1))
    shape = {
        "pool": (draw(st.integers(1, 2)), draw(st.integers(1, 2))),
        "channels": draw(st.integers(1, 2)),
        "kernel": (draw(st.sampled_from([1, 3])), draw(st.sampled_from([1, 3]))),
    }
    return layers, inputs, draw(st.integers(1, 2)), flow, design, chosen, second, costed, shape


def simulated(drawn: tuple) -> list[dict]:
    """Return the rows of layers.csv."""
    layers, inputs, batch, flow, design, chosen, second, costed, shape = drawn
    written = []
    for layer in layers:
        keys = {key: value for key, value in layer.items() if key != "out"}
        if "C" not in layer:
            keys |= {"op": "x", "shape": layer["out"]}
        written.append(keys)
    trace = make_trace(written, batch, inputs).model_dump(exclude_unset=True)
    trace["schedule"]["epochs"] = ({"batches": tuple({"phase": name} for name in ("warm_up", "gp", "dni"))},)
    trace["predictor"] |= shape
    spec = {key: "null" if value is None else value for key, value in chosen.items()}
    spec["vector_unit.costed"] = f"[{','.join(costed)}]"
    for key, value in (second or {}).items():
        spec["second_array." + key.removeprefix("array.")] = value
    overrides = [f"{key}={value}" for key, value in spec.items()]
    try:
        return simulate(
            Trace.model_validate(trace), load_accelerator(design=design, dataflow=flow, overrides=overrides)
        ).table()
    except InputError as error:
        assert "too small" in str(error) or "buffer" in str(error), error
        reject()


def arrays_of(drawn: tuple) -> list[dict]:
    """Return the machine of each array as the naive model takes it."""
    _, _, _, flow, _, chosen, second, _, _ = drawn
    first = plain(chosen, flow) | {"lanes": chosen["vector_unit.lanes"]}
    if second is None:
        return [first]
    other = plain({**{k: v for k, v in chosen.items() if not k.startswith("array.")}, **second}, flow)
    for machine, banks in ((first, first["banks"] - second["buffer_banks"]), (other, second["buffer_banks"])):
        machine["banks"] = banks
        machine["share"] = banks * chosen["global_buffer.bank_bytes"]
    return [first, other]


def check_energy(drawn: tuple, rows: list[dict]) -> None:
    """Compare the energy of each row, by parts, and its other columns, with that of its counts and cycles."""
    _, _, _, _, design, chosen, _, _, _ = drawn
    machines_ = arrays_of(drawn)
    banks = sum(machine["banks"] for machine in machines_)
    prices = []
    for machine in machines_:
        sizes = {"bank_bytes": chosen["global_buffer.bank_bytes"], "all_banks": banks}
        if "predictor_sram.bank_bytes" in chosen:
            sizes["sram_bank_bytes"] = chosen["predictor_sram.bank_bytes"]
        prices.append(Prices(chosen["energy_table"], machine | sizes))
    lasts = {row["phase"]: max(one["end_cycle"] for one in rows if one["phase"] == row["phase"]) for row in rows}
    for row in rows:
        if row["layer"] == "(batch)":
            expected = prices[0].leakage(lasts[row["phase"]] / FREQUENCY)
            assert row["energy_leakage_pj"] == pytest.approx(expected, rel=1e-9), design
            assert row["energy_pj"] == pytest.approx(expected, rel=1e-9)
            continue
        parts = prices[row["array"]].energy({key: row[key] for key in SUMS})
        for part, expected in parts.items():
            assert row[f"energy_{part}_pj"] == pytest.approx(expected, rel=1e-9), part
        assert row["energy_pj"] == pytest.approx(sum(parts.values()), rel=1e-9)
        pes = machines_[row["array"]]["rows"] * machines_[row["array"]]["columns"]
        assert row["utilization"] == pytest.approx(row["macs"] / (row["cycles"] * pes) if row["cycles"] else 0)
        if row["compute_cycles"]:
            assert (row["roofline_bound"] == "memory") == (row["dram_cycles"] > row["compute_cycles"])
            assert row["roofline_ratio"] == pytest.approx(row["dram_cycles"] / row["compute_cycles"])


def check_batches(drawn: tuple) -> int:
    """Compare every row of every phase; return how many."""
    layers, inputs, batch, flow, design, chosen, _, costed, shape = drawn
    rows = simulated(drawn)
    check_energy(drawn, rows)
    widest = max(
        layer["C"] // layer.get("groups", 1) * layer.get("R", 1) * layer.get("S", 1)
        for layer in layers
        if layer["kind"] in ("conv2d", "linear") and layer.get("predicted", True)
    )
    network = Network(layers, batch, shape | {"outputs": widest}, costed)
    compared = 0
    for phase in dict.fromkeys(row["phase"] for row in rows):
        found: dict = {}
        for row in rows:
            if row["phase"] == phase:
                found.setdefault((row["layer"], row["pass"]), []).append(row)
        naive = Batch(network, design, arrays_of(drawn), flow, phase, inputs, chosen["gp_outputs_stay"])
        steps, end = naive.run(), None
        while True:
            try:
                alternatives = steps.send(end)
            except StopIteration:
                break
            assert alternatives is not None, "nothing fits"
            mine = [found[row["layer"], row["pass"]].pop(0) for row in alternatives[0]]
            keys = ("layer", "pass", "array", *CHECKED)
            simulated_step = [{key: row[key] for key in keys} for row in mine]
            assert simulated_step in [[{key: row[key] for key in keys} for row in step] for step in alternatives]
            end = max(row["end_cycle"] for row in mine)
            compared += len(mine)
        assert [key for key, left in found.items() if left] == [("(batch)", "")]
    return compared


ARRAY = {
    "array.rows": 1, "array.columns": 1, "array.weight_port_words_per_cycle": 1, "array.input_port_words_per_cycle": 1,
    "array.output_port_words_per_cycle": 1, "array.accumulator_sums": 0, "array.kind": "broadcast",
}  # fmt: skip
# The predictor's plain store holds the channel for the port of its bank, while an update's transfers take no cycles.
IDEAL_BESIDE_A_PORT = (
    [
        {"id": "0-conv2d", "kind": "conv2d", "inputs": ("input",), "out": (1, 1, 1), "C": 1, "H": 1, "W": 1, "K": 1,
         "R": 1, "S": 1, "P": 1, "Q": 1, "stride": (1, 1), "padding": (0, 0), "dilation": (1, 1), "groups": 1,
         "predicted": True},
        {"id": "1-reshape", "kind": "reshape", "inputs": ("0-conv2d",), "out": (1,)},
        {"id": "2-linear", "kind": "linear", "inputs": ("1-reshape",), "out": (1,), "C": 1, "L": 1, "K": 1},
    ],
    {"input": (1, 1, 1)}, 1, "os", "max",
    ARRAY | {
        "precision.word_bits": 8, "precision.partial_sum_bits": 16, "precision.master_weight_bits": 8,
        "global_buffer.banks": 2, "global_buffer.bank_bytes": 256, "global_buffer.bank_port_bytes": 1,
        "tiling_slack_percent": 0, "dgrad": "decomposed", "batch_mean": "drain", "dram.model": "ideal",
        "energy_table": "16nm", "gp_outputs_stay": False, "vector_unit.lanes": 1, "predictor_sram.banks": 1,
        "predictor_sram.bank_bytes": 128, "predictor_sram.bank_port_bytes": 1,
    },
    ARRAY | {"buffer_banks": 1}, (), {"pool": (2, 1), "channels": 1, "kernel": (3, 1)},
)  # fmt: skip


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@example(IDEAL_BESIDE_A_PORT)
@given(batches())
def test_batches(drawn: tuple) -> None:
    """Every op of a batch of each phase starts, ends, waits and counts as the naive model says."""
    check_batches(drawn)


@pytest.mark.long
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(batches())
def test_many_batches(drawn: tuple) -> None:
    """The same on many networks and machines."""
    check_batches(drawn)
