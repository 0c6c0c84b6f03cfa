"""Rows of layers.csv against a naive model of one op that was written from docs/ and shares no code.

The naive model lists all tilings of a product, plans each tile by tile and takes one by the rule of docs/machine.md.
"""

from fractions import Fraction
from math import ceil

import naive_op
import pytest
from hypothesis import assume, example, given, reject, settings
from hypothesis import strategies as st
from naive_predictor import Predictor
from naive_time import COLUMNS
from networks import make_trace

from simulator.machine.spec_loading import load_accelerator
from simulator.run.simulation import simulate
from workloads.foundation.errors import InputError

FREQUENCY = 200_000_000


@st.composite
def machines(draw, flow: str, most_bytes: int = 4096) -> dict:
    """Draw a small machine, as the settings of the accelerator's file."""
    word = draw(st.sampled_from([8, 16]))
    machine = {
        "array.rows": draw(st.integers(1, 6)),
        "array.columns": draw(st.integers(1, 5)),
        "array.weight_port_words_per_cycle": draw(st.integers(1, 6)),
        "array.input_port_words_per_cycle": draw(st.integers(1, 6)),
        "array.output_port_words_per_cycle": draw(st.integers(1, 5)),
        "array.accumulator_sums": draw(st.sampled_from([0, 3, 8, 1024])),
        "precision.word_bits": word,
        "precision.partial_sum_bits": draw(st.sampled_from([16, 32])),
        "precision.master_weight_bits": draw(st.sampled_from([n for n in (8, 16, 32) if n >= word])),
        "global_buffer.banks": draw(st.sampled_from([1, 2, 4])),
        "global_buffer.bank_bytes": draw(st.sampled_from([n for n in (32, 64, 256, 1024, 4096) if n <= most_bytes])),
        "global_buffer.bank_port_bytes": draw(st.sampled_from([1, 2, 8])),
        "dram.peak_bytes_per_second": draw(st.sampled_from([100_000_000, 300_000_000, 1_000_000_000, 12_800_000_000])),
        "dram.latency_ns": draw(st.sampled_from([0, 28, 100])),
        "dram.part": None,
        "tiling_slack_percent": draw(st.sampled_from([0, 2, 50, None])),
        "dgrad": draw(st.sampled_from(["decomposed", "dense"])),
        "batch_mean": draw(st.sampled_from(["drain", "reread"])),
    }
    if flow == "rs":
        machine["array.scratchpads.input_words"] = draw(st.integers(1, 6))
        machine["array.scratchpads.filter_words"] = draw(st.integers(1, 24))
        machine["array.scratchpads.partial_sum_words"] = draw(st.integers(1, 4))
        machine["array.row_stationary_sets"] = draw(st.sampled_from(["whole", "free"]))
    else:
        machine["array.kind"] = draw(st.sampled_from(["broadcast", "systolic", "systolic_overlapped"]))
    if machine.get("array.kind") == "systolic":
        machine["array.systolic_os_drain"] = draw(st.sampled_from(["free", "serial"]))
    if flow in ("ws", "is"):
        machine["array.reduction_on_rows"] = draw(st.sampled_from(["channels_and_taps", "channels"]))
    return machine


@st.composite
def layers(draw, most: int = 5) -> dict:
    """Draw a small convolution."""
    H, W = draw(st.integers(1, most)), draw(st.integers(1, most))
    R, S = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    stride = draw(st.tuples(st.sampled_from([1, 1, 2]), st.sampled_from([1, 1, 2, 3])))
    padding = draw(st.tuples(st.integers(0, 1), st.integers(0, 1)))
    dilation = draw(st.tuples(st.sampled_from([1, 1, 2]), st.sampled_from([1, 1, 2])))
    groups = draw(st.sampled_from([1, 1, 2]))
    C, K = groups * draw(st.integers(1, most - 2)), groups * draw(st.integers(1, 3 if groups > 1 else most))
    P = (H + 2 * padding[0] - dilation[0] * (R - 1) - 1) // stride[0] + 1
    Q = (W + 2 * padding[1] - dilation[1] * (S - 1) - 1) // stride[1] + 1
    assume(P > 0 and Q > 0)
    return {
        "C": C,
        "H": H,
        "W": W,
        "K": K,
        "R": R,
        "S": S,
        "P": P,
        "Q": Q,
        "stride": stride,
        "padding": padding,
        "dilation": dilation,
        "groups": groups,
    }


def plain(settings_: dict, flow: str) -> dict:
    """Return the machine as the naive model takes it."""
    weight, moving, output = (settings_[f"array.{name}_port_words_per_cycle"] for name in ("weight", "input", "output"))
    stationary, other = (moving, weight) if flow == "is" else (weight, moving)
    banks = settings_["global_buffer.banks"]
    machine = {
        "rows": settings_["array.rows"],
        "columns": settings_["array.columns"],
        "SP": stationary,
        "MP": other,
        "OP": output,
        "weight_port": weight,
        "input_port": moving,
        "output_port": output,
        "sums": settings_["array.accumulator_sums"],
        "master": settings_["precision.master_weight_bits"] // settings_["precision.word_bits"],
        "word": settings_["precision.word_bits"] // 8,
        "psum": settings_["precision.partial_sum_bits"] // 8,
        "share": banks * settings_["global_buffer.bank_bytes"],
        "banks": banks,
        "port": settings_["global_buffer.bank_port_bytes"],
        "bandwidth": Fraction(settings_.get("dram.peak_bytes_per_second", 0), FREQUENCY),  # 0: no time at all
        "latency": ceil(Fraction(settings_.get("dram.latency_ns", 0) * FREQUENCY, 10**9)),
        "slack": settings_["tiling_slack_percent"],
        "dense": settings_["dgrad"] == "dense",
        "reread": settings_["batch_mean"] == "reread",
        "flow": flow,
        "kind": settings_.get("array.kind", "broadcast"),
        "serial": settings_.get("array.systolic_os_drain") == "serial",
        "channels": settings_.get("array.reduction_on_rows") == "channels",
    }
    if flow == "rs":
        names = {"IW": "input_words", "FW": "filter_words", "PW": "partial_sum_words"}
        machine["pads"] = {name: settings_[f"array.scratchpads.{key}"] for name, key in names.items()}
        machine["whole_sets"] = settings_["array.row_stationary_sets"] == "whole"
    if "predictor_sram.banks" in settings_:
        machine["sram_banks"] = settings_["predictor_sram.banks"]
        machine["sram_port"] = settings_["predictor_sram.bank_port_bytes"]
        machine["sram"] = machine["sram_banks"] * settings_["predictor_sram.bank_bytes"]
    return machine


def rows_of(trace, settings_: dict, design: str, flow: str) -> list[dict]:
    """Return the ops of layers.csv; drop examples whose buffer is too small."""
    named = sorted(settings_.items(), key=lambda pair: pair[0] != "array.kind")
    overrides = [f"{key}={'null' if value is None else value}" for key, value in named]
    spec = load_accelerator(design=design, dataflow=flow, overrides=overrides)
    try:
        return [row for row in simulate(trace, spec).table() if row["layer"] != "(batch)"]
    except InputError as error:
        assert "too small" in str(error)
        reject()


def check(row: dict, possible: list[dict] | None) -> None:
    """Assert that a row is one of those that the pages allow."""
    found = {key: row[key] for key in COLUMNS}
    assert possible, found
    assert found in [{key: one[key] for key in COLUMNS} for one in possible]
    assert row["stall_other_array_cycles"] == 0


def check_own_passes(settings_: dict, layer: dict, batch: int, flow: str) -> None:
    """Compare forward, dgrad, wgrad and update of a layer behind another one."""
    first = {
        "id": "first",
        "kind": "conv2d",
        "inputs": ("input",),
        "C": 1,
        "H": layer["H"],
        "W": layer["W"],
        "K": layer["C"],
        "R": 1,
        "S": 1,
        "P": layer["H"],
        "Q": layer["W"],
    }
    one = dict(layer, id="layer", kind="conv2d", inputs=("first",))
    machine = plain(settings_, flow)
    rows = rows_of(make_trace([first, one], batch), settings_, "baseline", flow)
    rows = [row for row in rows if row["layer"] == "layer" and row["phase"] == "warm_up"]
    assert {row["pass"] for row in rows} == {"forward", "dgrad", "wgrad", "update"}
    for row in rows:
        check(row, naive_op.op_rows(dict(layer, N=batch), machine, flow, row["pass"]))


def check_predictor(settings_: dict, layer: dict, batch: int, flow: str, design: str, shape: dict) -> None:
    """Compare the predictor's passes in a batch that trains it and in one of Phase GP."""
    layer_in_trace = dict(layer, id="layer", kind="conv2d", inputs=("input",))
    trace = make_trace([layer_in_trace], batch, outputs=shape["outputs"])
    trace = trace.model_copy(update={"predictor": trace.predictor.model_copy(update=shape)})
    predictor = Predictor(dict(layer, N=batch), plain(settings_, flow), flow, shape)
    visits: dict = {}
    for row in rows_of(trace, settings_, design, flow):
        if row["phase"] not in ("warm_up", "gp"):
            continue
        key = row["phase"], row["pass"]
        backward = visits.setdefault(key, 0) > 0
        visits[key] += 1
        if row["pass"] == "predictor_forward":
            check(row, predictor.forward(trains=row["phase"] != "gp"))
        elif row["pass"] == "predictor_backward":
            check(row, predictor.backward())
        elif row["pass"] == "predictor_update":
            check(row, predictor.update())
        elif row["pass"] == "predictor_load":
            check(row, predictor.load(backward))
        elif row["pass"] == "predictor_store":
            check(row, predictor.store(backward))
        elif key == ("gp", "update"):
            check(row, predictor.gp_update())
    assert {"predictor_forward", "predictor_backward", "predictor_update"} <= {name for _, name in visits}


FLOWS = st.sampled_from(["ws", "is", "os", "rs"])


@st.composite
def own_passes(draw) -> tuple:
    """Draw all that a layer's own passes depend on."""
    flow = draw(FLOWS)
    return draw(machines(flow)), draw(layers(4 if flow == "rs" else 5)), draw(st.integers(1, 3)), flow


@st.composite
def predictions(draw) -> tuple:
    """Draw all that a predictor's passes depend on."""
    flow, design = draw(FLOWS), draw(st.sampled_from(["efficient", "low"]))
    settings_, layer = draw(machines(flow)), draw(layers(3))
    if design == "efficient":
        settings_["predictor_sram.banks"] = draw(st.sampled_from([1, 2]))
        settings_["predictor_sram.bank_bytes"] = draw(st.sampled_from([32, 128, 512, 2048]))
        settings_["predictor_sram.bank_port_bytes"] = draw(st.sampled_from([1, 8]))
    outputs = layer["C"] // layer["groups"] * layer["R"] * layer["S"] + draw(st.sampled_from([0, 3]))
    shape = {
        "pool": (draw(st.integers(1, 2)), draw(st.integers(1, 2))),
        "channels": draw(st.integers(1, 2)),
        "kernel": (draw(st.sampled_from([1, 3])), draw(st.sampled_from([1, 3]))),
        "outputs": outputs,
    }
    return settings_, layer, draw(st.integers(1, 2)), flow, design, shape


# The fastest tiling has a tile that touches padding alone, so loads nothing: 342 cycles, no other takes less than 346.
PADDING_ALONE = (
    {
        "array.rows": 3,
        "array.columns": 2,
        "array.weight_port_words_per_cycle": 2,
        "array.input_port_words_per_cycle": 2,
        "array.output_port_words_per_cycle": 1,
        "array.accumulator_sums": 3,
        "precision.word_bits": 16,
        "precision.partial_sum_bits": 32,
        "precision.master_weight_bits": 16,
        "global_buffer.banks": 1,
        "global_buffer.bank_bytes": 1024,
        "global_buffer.bank_port_bytes": 8,
        "dram.peak_bytes_per_second": 100_000_000,
        "dram.latency_ns": 28,
        "tiling_slack_percent": 0,
        "dgrad": "dense",
        "batch_mean": "drain",
    },
    {
        "C": 2,
        "H": 3,
        "W": 5,
        "K": 2,
        "R": 1,
        "S": 2,
        "P": 5,
        "Q": 4,
        "stride": (1, 1),
        "padding": (1, 0),
        "dilation": (2, 1),
        "groups": 1,
    },
    1,
    "is",
)


@settings(max_examples=20, deadline=None)
@given(own_passes())
@example(PADDING_ALONE)
def test_own_passes(drawn: tuple) -> None:
    """Time, waits and counts of forward, dgrad, wgrad and update are the naive model's."""
    check_own_passes(*drawn)


@settings(max_examples=15, deadline=None)
@given(predictions())
def test_predictor_passes(drawn: tuple) -> None:
    """Those of the predictor's passes, with its weights in a memory of its own and in DRAM, are too."""
    check_predictor(*drawn)


@pytest.mark.long
@settings(max_examples=300, deadline=None)
@given(own_passes())
def test_many_own_passes(drawn: tuple) -> None:
    """The same on many layers and machines."""
    check_own_passes(*drawn)


@pytest.mark.long
@settings(max_examples=200, deadline=None)
@given(predictions())
def test_many_predictor_passes(drawn: tuple) -> None:
    """The same for the predictor on many."""
    check_predictor(*drawn)


def test_memory_energy_counts_accumulators() -> None:
    """The memories of docs/machine.md, "Energy", make up the memory energy of a batch."""
    layer = dict.fromkeys(["H", "W", "P", "Q"], 4) | {"C": 40, "K": 3, "R": 1, "S": 1}
    trace = make_trace([{"id": "layer", "kind": "conv2d", "inputs": ("input",), **layer}])
    results = simulate(trace, load_accelerator(design="efficient", dataflow="ws"))
    dram = ("dram_access", "dram_background", "dram_refresh")
    memories = ("accumulator", "global_buffer", "predictor_sram", *dram)
    for phase in results.runs[0].phases:
        rows = [row for row in results.table() if row["phase"] == phase.phase]
        energy = {name: sum(row[f"energy_{name}_pj"] for row in rows) for name in memories}
        assert all(energy[name] for name in memories if name != "dram_refresh")  # a batch may be too short for one
        assert phase.memory_energy_pj_per_batch == pytest.approx(sum(energy.values()))


def test_the_bound_of_two_tiles_is_no_longer_than_their_time() -> None:
    """Two tiles of a dgrad take 45 cycles (10 + 7 + 16 + 4 + 8), in one 48 (11 + 7 + 16 + 4 + 10)."""
    machine = PADDING_ALONE[0] | {
        "array.rows": 4,
        "array.columns": 3,
        "array.weight_port_words_per_cycle": 1,
        "precision.partial_sum_bits": 16,
        "global_buffer.banks": 2,
        "global_buffer.bank_bytes": 256,
        "array.output_port_words_per_cycle": 2,
        "dram.peak_bytes_per_second": 1_000_000_000,
    }
    ones = dict.fromkeys(["H", "W", "R", "S", "P", "Q", "groups"], 1)
    layer = ones | {"C": 4, "K": 2, "stride": (1, 1), "padding": (0, 0), "dilation": (1, 1)}
    check_own_passes(machine, layer, 2, "is")
