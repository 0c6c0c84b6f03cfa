"""Zero gating: multipliers that would be held still, counted by hand."""

import pytest
from registries import PREDICTING_DESIGNS

from simulator.machine.spec_loading import load_designs
from simulator.run.simulation import compare
from simulator.studies.zero_gating import zero_gating
from workloads.layers import Sparsity
from workloads.trace import Trace, load_trace

# digits-cnn's conv2: N K C R S P Q = 32 x 32 x 16 x 3 x 3 x 8 x 8
CONV2_MACS = 32 * 32 * 16 * 3 * 3 * 8 * 8
TRUE_BATCHES, GP_BATCHES = 440 + 1628, 1892


def with_sparsity(**shares: Sparsity) -> Trace:
    trace = load_trace("digits-cnn")
    layers = tuple(layer.model_copy(update={"sparsity": shares.get(layer.id)}) for layer in trace.layers)
    return trace.model_copy(update={"layers": layers})


def test_half_of_the_inputs() -> None:
    results = compare(with_sparsity(conv2=Sparsity(inputs=0.5, weights=0.25)))
    gated = {run.design: run for run in zero_gating(results)}
    half = CONV2_MACS // 2
    # the forward pass and the gradient of the weights read inputs; a GP batch has the former alone
    assert gated["baseline"].gated_macs == 2 * half * (TRUE_BATCHES + GP_BATCHES)
    for design in PREDICTING_DESIGNS:
        assert gated[design].gated_macs == 2 * half * TRUE_BATCHES + half * GP_BATCHES
    for run in results.runs:
        one = gated[run.design]
        assert one.macs == sum(row.count * row.counts.macs for row in run.rows)
        assert one.saved_share == pytest.approx(one.saved_pj / run.energy_pj)


def test_output_gradients_gate_the_gradient_of_the_input() -> None:
    results = compare(with_sparsity(conv2=Sparsity(output_gradients=0.1)), load_designs()[:1])
    (run,) = zero_gating(results)
    rows = [row for row in results.rows if row.layer == "conv2" and row.pass_ == "dgrad"]
    assert {row.counts.macs for row in rows} == {CONV2_MACS}
    assert run.gated_macs == int(CONV2_MACS / 10) * (TRUE_BATCHES + GP_BATCHES)  # exactly, not 0.1's binary neighbour


def test_energy_is_that_of_the_multiplications() -> None:
    """Eyeriss's ratios stand on a MAC of 2 pJ (docs/energy.md)."""
    specs = load_designs(overrides=["energy_table=eyeriss"])[:1]
    results = compare(with_sparsity(conv2=Sparsity(inputs=1.0)), specs)
    (run,) = zero_gating(results)
    assert run.saved_pj == pytest.approx(2.0 * run.gated_macs)


def test_no_shares_no_gating() -> None:
    assert zero_gating(compare(with_sparsity(), load_designs()[:1])) == ()
    (whole,) = zero_gating(compare(with_sparsity(conv2=Sparsity(weights=0.9)), load_designs()[:1]))
    assert (whole.gated_macs, whole.saved_pj) == (0, 0.0)


def test_the_shipped_trace_has_shares() -> None:
    layers = {layer.id: layer.sparsity for layer in load_trace("digits-cnn").mac_layers}
    assert all(share is not None and share.inputs is not None for share in layers.values())
    assert layers["conv2"].inputs == pytest.approx(0.47, abs=0.05)  # type: ignore[union-attr]  # behind a ReLU
