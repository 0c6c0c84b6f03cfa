"""Outputs that a GP batch leaves in the buffer: what is not moved, and when it must be."""

import pytest
from networks import make_trace

from simulator.machine.spec_loading import load_accelerator
from simulator.run.results import RunResult
from simulator.run.simulation import simulate


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


def test_an_output_that_is_too_large_goes_to_dram() -> None:
    """a's output is 2,048 bytes, a quarter of 8,192: it stays there and not in less; LOW keeps a sixteenth."""
    for design, capacity, stays in (("efficient", 8192, True), ("efficient", 8188, False),
                                    ("low", 32768, True), ("low", 32764, False)):  # fmt: skip
        overrides = ["global_buffer.banks=1", f"global_buffer.bank_bytes={capacity}"]
        run = simulate(make_trace(CHAIN), load_accelerator(design=design, overrides=overrides)).runs[0]
        assert (moved(run, "gp", "a")[1] == 0) == stays
