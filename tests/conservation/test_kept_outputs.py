"""Outputs that a GP batch leaves in the buffer: what is not moved, and when it must be."""

from collections.abc import Callable
from math import prod
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from networks import make_trace
from registries import PREDICTING_DESIGNS

from simulator.cli.main import cli
from simulator.machine.spec_loading import load_accelerator
from simulator.phases.design import designs
from simulator.run.results import RunResult
from simulator.run.simulation import compare, simulate
from workloads.foundation.errors import InputError
from workloads.trace import Trace, load_trace

DATA = Path(__file__).parents[1] / "data"


def conv(name: str, before: str, C: int, K: int) -> dict:
    return {"id": name, "kind": "conv2d", "inputs": (before,), "C": C, "H": 8, "W": 8, "K": K, "R": 3, "S": 3, "P": 8,
            "Q": 8, "padding": (1, 1)}  # fmt: skip


def activation(name: str, before: str, K: int) -> dict:
    return {"id": name, "kind": "activation", "inputs": (before,), "op": "relu", "shape": (K, 8, 8)}


def moved(run: RunResult, phase: str, layer: str) -> tuple[int, int]:
    """DRAM bytes read and written by a layer's forward pass."""
    rows = [r for r in run.rows if (r.phase, r.layer, r.pass_) == (phase, layer, "forward")]
    return sum(r.counts.dram_read_bytes for r in rows), sum(r.counts.dram_write_bytes for r in rows)


CHAIN = [conv("a", "input", 3, 4), activation("relu", "a", 4), conv("b", "relu", 4, 5), conv("c", "b", 5, 6)]


@pytest.mark.parametrize("design", ["efficient", "max"])
def test_a_chain_by_hand(design: str) -> None:
    """Batches of 4 images of 8 x 8 words of 2 bytes: a makes 4 channels, b 5, c 6."""
    run = simulate(make_trace(CHAIN), load_accelerator(design=design)).runs[0]
    image, word = 4 * 64, 2
    weights = {"a": 3 * 4 * 9, "b": 4 * 5 * 9, "c": 5 * 6 * 9}
    assert moved(run, "gp", "a") == ((3 * image + weights["a"]) * word, 0)
    assert moved(run, "gp", "b") == (weights["b"] * word, 0)
    assert moved(run, "gp", "c") == (weights["c"] * word, 6 * image * word)  # the last layer's output leaves
    # in BP all is kept for the backward pass
    assert moved(run, "bp", "b") == ((4 * image + weights["b"]) * word, 5 * image * word)


@pytest.mark.parametrize(("costed", "stays"), [("pool", True), ("activation", False)])
def test_what_the_vector_unit_works_on_does_not_stay(costed: str, stays: bool) -> None:
    """The activation between a and b: where it costs nothing it works in place, and else it reads DRAM."""
    spec = load_accelerator(design="efficient", overrides=[f"vector_unit.costed=[{costed}]"])
    run = simulate(make_trace(CHAIN), spec).runs[0]
    output, weights, word = 4 * 4 * 64, 4 * 5 * 9, 2
    assert moved(run, "gp", "a")[1] == (0 if stays else output * word)
    assert moved(run, "gp", "b")[0] == (weights + (0 if stays else output)) * word


def test_it_can_be_switched_off_and_costs_no_macs() -> None:
    trace = make_trace(CHAIN)
    on, off = (
        simulate(trace, load_accelerator(design="efficient", overrides=[f"gp_outputs_stay={stay}"])).runs[0]
        for stay in ("true", "false")
    )
    image, word = 4 * 64, 2
    assert moved(off, "gp", "b") == ((4 * image + 4 * 5 * 9) * word, 5 * image * word)
    for phase, other in zip(on.phases, off.phases, strict=True):
        assert phase.macs_per_batch == other.macs_per_batch
        assert phase.cycles_per_batch <= other.cycles_per_batch
        assert (phase.dram_write_bytes_per_batch < other.dram_write_bytes_per_batch) == (phase.phase == "gp")


def test_an_output_that_two_layers_read_goes_to_dram() -> None:
    add = {"id": "sum", "kind": "add", "op": "add", "inputs": ("a", "b"), "shape": (4, 8, 8)}
    layers = [conv("a", "input", 3, 4), conv("b", "a", 4, 4), add, conv("c", "sum", 4, 4), conv("d", "c", 4, 4)]
    run = simulate(make_trace(layers), load_accelerator(design="efficient")).runs[0]
    assert [moved(run, "gp", name)[1] > 0 for name in "abcd"] == [True, True, False, True]


def test_an_output_that_is_too_large_goes_to_dram() -> None:
    """a's output is 2,048 bytes, a quarter of 8,192: it stays there and not in less; LOW keeps a sixteenth."""
    for design, capacity, stays in (("efficient", 8192, True), ("efficient", 8188, False),
                                    ("low", 32768, True), ("low", 32764, False)):  # fmt: skip
        overrides = ["global_buffer.banks=1", f"global_buffer.bank_bytes={capacity}"]
        run = simulate(make_trace(CHAIN), load_accelerator(design=design, overrides=overrides)).runs[0]
        assert (moved(run, "gp", "a")[1] == 0) == stays


@pytest.fixture
def imported(tmp_path: Path) -> Callable[[str], Trace]:
    """Import a topology of tests/data."""

    def read(name: str) -> Trace:
        out = str(tmp_path / "t.yaml")
        done = CliRunner().invoke(cli, ["trace", "import", str(DATA / name), "--schedule", "paper", "--out", out])
        assert done.exit_code == 0, done.output
        return load_trace(out)

    return read


def test_a_reader_of_more_than_was_written_goes_to_dram(imported: Callable[[str], Trace]) -> None:
    """A leaves 10 x 10 words; B reads 16 x 58 x 58 and 32 x 16 x 3 x 3 weights, all of 2 bytes."""
    run = simulate(imported("handed_grows.csv"), load_accelerator(design="efficient")).runs[0]
    for phase in ("gp", "bp"):
        assert moved(run, phase, "B")[0] == 2 * (16 * 58 * 58 + 32 * 16 * 3 * 3) == 116_864
        assert moved(run, phase, "A")[1] == 2 * 10 * 10


def test_a_reader_of_more_than_the_buffer_is_simulated(imported: Callable[[str], Trace]) -> None:
    trace = imported("handed_crash.csv")
    results = compare(trace)
    assert [run.design for run in results.runs] == list(designs())
    for run in results.runs:
        assert moved(run, run.phases[0].phase, "B")[0] >= 2 * 128 * 226 * 226


def test_nothing_stays_where_the_connection_is_not_known(imported: Callable[[str], Trace]) -> None:
    """Two layers of a topology whose shapes would chain: nobody says that they do."""
    trace = imported("handed_chain.csv")
    run = simulate(trace, load_accelerator(design="efficient")).runs[0]
    assert moved(run, "gp", "A") == moved(run, "bp", "A")
    assert moved(run, "gp", "B") == moved(run, "bp", "B")


# What may stand between two convolutions: its kind, and how many times its rows and columns are the output's.
BETWEEN = {
    "nothing": None, "relu": ("activation", 1), "pool": ("pool", 0.5), "enlarged": ("pool", 2), "unknown": ("other", 1),
}  # fmt: skip


@st.composite
def mixed_chains(draw: st.DrawFn) -> list[dict]:
    """Draw 3 x 3 convolutions with layers between them, and sometimes a second reader of an output."""
    layers: list[dict] = []
    before, channels, size = "input", 3, 8
    for index in range(draw(st.integers(2, 5))):
        name, K = f"c{index}", draw(st.integers(1, 4))
        layers.append({"id": name, "kind": "conv2d", "inputs": (before,), "C": channels, "H": size, "W": size, "K": K,
                       "R": 3, "S": 3, "P": size, "Q": size, "padding": (1, 1)})  # fmt: skip
        before, channels = name, K
        if draw(st.sampled_from([False, False, False, True])):
            layers.append({"id": f"{name}.out", "kind": "activation", "op": "relu", "inputs": (name,),
                           "shape": (K, size, size)})  # fmt: skip
        between = BETWEEN[draw(st.sampled_from(sorted(BETWEEN)))]
        if between is not None:
            kind, times = between
            size = max(1, int(size * times))
            layers.append({"id": f"{name}.{kind}", "kind": kind, "op": kind, "inputs": (name,),
                           "shape": (K, size, size)})  # fmt: skip
            before = f"{name}.{kind}"
    return layers


@settings(max_examples=60, deadline=None)
@given(mixed_chains(), st.sampled_from(PREDICTING_DESIGNS), st.sampled_from([2048, 8192, 1 << 19]))
def test_what_is_read_was_written(layers: list[dict], design: str, capacity: int) -> None:
    """A walk over the layers of a GP batch that keeps account of each tensor: where it lies, and how many words of it.

    A tensor that was not written to DRAM is in the buffer, so it is there whole and for one reader.
    """
    trace = make_trace(layers)
    overrides = ["global_buffer.banks=1", f"global_buffer.bank_bytes={capacity}"]
    if design == "max":
        overrides = [f"global_buffer.bank_bytes={capacity // 64}"]
    try:
        run = simulate(trace, load_accelerator(design=design, overrides=overrides)).runs[0]
    except InputError as error:  # three rows of the widest images do not fit twice in the smallest buffer
        assert "the smallest tile needs" in str(error)
        assume(False)
    words = {name: 4 * prod(shape) for name, shape in trace.inputs.items()}
    words |= {layer.id: 4 * prod(layer.output_shape) for layer in trace.layers}
    in_buffer: dict[str, int] = {}  # bytes of a tensor that its maker left there
    for layer in trace.layers:
        (source,) = layer.inputs
        readers = [one.id for one in trace.layers if source in one.inputs]
        if layer.kind != "conv2d":  # works in place on what is in the buffer
            if source in in_buffer:
                assert readers == [layer.id] and layer.kind != "other"
                assert 2 * words[layer.id] <= in_buffer[source]
                in_buffer[layer.id] = in_buffer.pop(source)
            continue
        read, written = moved(run, "gp", layer.id)
        weights = 2 * layer.K * layer.C * 9
        if source in in_buffer:
            assert readers == [layer.id]
            assert 2 * words[source] <= in_buffer.pop(source)
            assert read >= weights
        else:
            assert read >= 2 * words[source] + weights
        assert not in_buffer, "it waits for a layer that is not the next"
        if written == 0:
            assert 2 * words[layer.id] <= capacity / 4
            in_buffer[layer.id] = 2 * words[layer.id]
        else:
            assert written >= 2 * words[layer.id]
    assert not in_buffer, "an output that nobody reads must leave"
