"""Layers without multiply-accumulates on the vector unit, by hand."""

from networks import make_trace
from test_kept_outputs import CHAIN

from simulator.machine.spec_loading import load_accelerator
from simulator.run.simulation import simulate

BATCH_NORM = {"id": "bn", "kind": "batch_norm", "op": "batch_norm", "inputs": ("a",), "shape": (4, 8, 8),
              "parameters": 8}  # fmt: skip
RELU = {"id": "relu", "kind": "activation", "op": "relu", "inputs": ("bn",), "shape": (4, 8, 8)}
LAYERS = [CHAIN[0], BATCH_NORM, RELU, *CHAIN[2:]]
COSTED = "vector_unit.costed=[batch_norm, activation]"


def test_by_hand() -> None:
    """Batches of 4 x 4 x 8 x 8 words of 2 bytes; normalisation reads them twice, each layer writes them once."""
    run = simulate(make_trace(LAYERS), load_accelerator(design="baseline", overrides=[COSTED])).runs[0]
    words = 4 * 4 * 64
    (forward,) = [r for r in run.rows if r.pass_ == "vector_forward" and r.phase == "bp"]
    assert (forward.layer, forward.counts.macs) == ("a", 0)
    assert forward.counts.dram_read_bytes == 2 * (2 + 1) * words
    assert forward.counts.dram_write_bytes == 2 * (1 + 1) * words
    assert forward.counts.adds == (4 + 1) * words
    (backward,) = [r for r in run.rows if r.pass_ == "vector_backward" and r.phase == "bp"]
    # normalisation: X and dY twice; ReLU: Y and dY
    assert backward.counts.dram_read_bytes == 2 * (4 + 2) * words
    assert backward.counts.dram_write_bytes == 2 * (1 + 1) * words
    assert backward.counts.adds == (8 + 1) * words
    # 15 lanes: at least 4 operations a word for the normalisation and 1 for the ReLU
    assert forward.compute_cycles >= -(-4 * words // 15) - (-words // 15)
    order = [r.pass_ for r in run.rows if r.phase == "bp" and r.layer == "a"]
    assert order.index("vector_backward") < order.index("wgrad")
    assert order.index("vector_forward") == order.index("forward") + 1


def test_a_gp_batch_runs_them_forward_alone() -> None:
    run = simulate(make_trace(LAYERS), load_accelerator(design="max", overrides=[COSTED])).runs[0]
    passes = [r.pass_ for r in run.rows if r.phase == "gp"]
    assert "vector_forward" in passes and "vector_backward" not in passes
    # what the vector unit reads must lie in DRAM
    (made,) = [r for r in run.rows if (r.phase, r.layer, r.pass_) == ("gp", "a", "forward")]
    assert made.counts.dram_write_bytes == 2 * 4 * 4 * 64


def test_none_is_costed_by_default_and_what_is_costs_time() -> None:
    trace = make_trace(LAYERS)
    plain, costed, wider = (
        simulate(trace, load_accelerator(design="baseline", overrides=overrides)).runs[0]
        for overrides in ([], [COSTED], [COSTED, "vector_unit.lanes=150"])
    )
    assert not [r for r in plain.rows if r.pass_.startswith("vector")]
    assert plain.total_cycles < wider.total_cycles < costed.total_cycles


def test_batches_one_by_one_equal_composed_ones() -> None:
    for design in ("low", "max"):
        spec = load_accelerator(design=design, overrides=[COSTED])
        run = simulate(make_trace(LAYERS), spec, exact=(4, 5)).runs[0]
        assert run.exact is not None and run.exact.equal
