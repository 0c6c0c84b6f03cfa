"""Widths of numbers: what an update moves."""

from networks import make_trace

from simulator.machine.spec_loading import load_accelerator
from simulator.run.simulation import simulate

LINEAR = {"id": "fc", "kind": "linear", "inputs": ("input",), "C": 6, "K": 10}


def update_bytes(overrides: list[str]) -> tuple[int, int]:
    trace = make_trace([LINEAR], inputs={"input": (6,)})
    run = simulate(trace, load_accelerator(design="baseline", overrides=overrides)).runs[0]
    row = next(r for r in run.rows if r.pass_ == "update")
    return row.counts.dram_read_bytes, row.counts.dram_write_bytes


def test_an_update_by_hand() -> None:
    # 60 weights, SGD with momentum: reads weight, gradient, momentum; writes weight and momentum
    assert update_bytes([]) == (60 * (2 + 2 + 2), 60 * (2 + 2))
    # master weights and momentum of four bytes, and the words for the passes written beside them
    assert update_bytes(["precision.master_weight_bits=32"]) == (60 * (4 + 2 + 4), 60 * (4 + 2 + 4))


def test_words_as_wide_as_master_weights() -> None:
    assert update_bytes(["precision.word_bits=32", "precision.master_weight_bits=32"]) == (
        60 * (4 + 4 + 4),
        60 * (4 + 4),
    )
