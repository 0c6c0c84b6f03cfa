"""Outputs that a GP batch leaves in the buffer: what is not moved, and when it must be."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from networks import make_trace
from registries import DESIGNS

from simulator.cli.main import cli
from simulator.machine.spec_loading import load_accelerator
from simulator.run.results import RunResult
from simulator.run.simulation import simulate
from workloads.trace import load_trace


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


def test_a_reader_finds_no_more_than_was_written() -> None:
    """A layer without MACs that makes more words than it reads (here from 4 to 64 rows and columns) ends the chain.

    The maker leaves 4 * 8 * 8 words of an image, the reader takes 4 * 64 * 64: they come from DRAM, as in BP.
    """
    wide = {**conv("b", "up", 4, 5), "H": 64, "W": 64, "P": 64, "Q": 64}
    for kind, op in (("other", "interpolate"), ("other", "unknown")):
        up = {"id": "up", "kind": kind, "op": op, "inputs": ("a",), "shape": (4, 64, 64)}
        run = simulate(make_trace([conv("a", "input", 3, 4), up, wide]), load_accelerator(design="efficient")).runs[0]
        read = (4 * 4 * 64 * 64 + 4 * 5 * 9) * 2
        assert moved(run, "gp", "b")[0] == moved(run, "bp", "b")[0] == read
        assert moved(run, "gp", "a")[1] == moved(run, "bp", "a")[1] == 4 * 4 * 64 * 2


@pytest.mark.parametrize("op", ["crop", "unknown"])
def test_a_layer_that_may_make_anything_ends_the_chain(op: str) -> None:
    other = {"id": "o", "kind": "other", "op": op, "inputs": ("a",), "shape": (4, 8, 8)}
    layers = [conv("a", "input", 3, 4), other, conv("b", "o", 4, 5), conv("c", "b", 5, 6)]
    run = simulate(make_trace(layers), load_accelerator(design="efficient")).runs[0]
    assert [moved(run, "gp", name)[1] > 0 for name in "abc"] == [True, False, True]


def test_both_operands_of_a_product_of_activations_come_from_dram() -> None:
    """Packed attention reads two operands of one tensor; what a layer leaves in the buffer is only one."""
    qk = {"id": "qk", "kind": "matmul", "inputs": ("a",), "G": 2, "M": 8, "C": 16, "K": 8}
    layers = [{"id": "a", "kind": "linear", "inputs": ("input",), "L": 8, "C": 32, "K": 32}, qk]
    run = simulate(make_trace(layers, inputs={"input": (8, 32)}), load_accelerator(design="efficient")).runs[0]
    assert moved(run, "gp", "a")[1] == 4 * 8 * 32 * 2
    assert moved(run, "gp", "qk")[0] == 4 * 2 * (8 * 16 + 16 * 8) * 2  # images, heads, words of both, bytes


HEADER = "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,"


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("rows", [
    # A leaves 100 words and B reads 53,824; a reader that is larger than the buffer; shapes that chain.
    ["A, 7, 7, 3, 3, 4, 4, 1,", "B, 58, 58, 3, 3, 16, 32, 1,"],
    ["A, 7, 7, 3, 3, 4, 4, 1,", "B, 600, 600, 3, 3, 16, 8, 1,"],
    ["A, 12, 12, 3, 3, 4, 8, 1,", "B, 10, 10, 3, 3, 8, 8, 1,"],
])  # fmt: skip
def test_nothing_stays_where_connections_are_assumed(rows: list[str], design: str, tmp_path: Path) -> None:
    """A SCALE-Sim topology does not say how its layers connect: GP reads what BP reads, under every design."""
    file = tmp_path / "net.csv"
    file.write_text("\n".join([HEADER, *rows]))
    out = tmp_path / "net.yaml"
    done = CliRunner().invoke(cli, ["trace", "import", str(file), "--format", "scalesim", "--batch-size", "1",
                                    "--out", str(out)])  # fmt: skip
    assert done.exit_code == 0, done.output
    trace = load_trace(str(out))
    assert trace.connections == "assumed"
    run = simulate(trace, load_accelerator(design=design)).runs[0]
    for layer in "AB":
        assert moved(run, "gp", layer) == moved(run, "bp", layer)


def test_an_output_that_is_too_large_goes_to_dram() -> None:
    """a's output is 2,048 bytes, a quarter of 8,192: it stays there and not in less; LOW keeps a sixteenth."""
    for design, capacity, stays in (("efficient", 8192, True), ("efficient", 8188, False),
                                    ("low", 32768, True), ("low", 32764, False)):  # fmt: skip
        overrides = ["global_buffer.banks=1", f"global_buffer.bank_bytes={capacity}"]
        run = simulate(make_trace(CHAIN), load_accelerator(design=design, overrides=overrides)).runs[0]
        assert (moved(run, "gp", "a")[1] == 0) == stays
