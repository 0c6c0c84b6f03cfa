"""A batch of inference is its forward passes, and keeps what they need."""

import pytest
from registries import DESIGNS

from simulator.batch.footprint import peak_dram_bytes
from simulator.machine.spec_loading import load_accelerator, load_designs
from simulator.run.results import LayerRow
from simulator.run.simulation import compare, simulate
from simulator.studies.explain import backward_ratio, explain, ideal_speedup
from workloads.schedule import Batches, Epochs, Schedule
from workloads.trace import Trace, load_policy, load_trace


def scheduled(*phases: str) -> Trace:
    epochs = (Epochs(batches=tuple(Batches(phase=phase) for phase in phases)),)
    return load_trace("digits-cnn").model_copy(update={"schedule": Schedule(name="of a test", epochs=epochs)})


def work(rows: tuple[LayerRow, ...], phase: str) -> list[tuple[object, ...]]:
    return [
        (row.layer, row.pass_, row.compute_cycles, row.cycles, row.counts)
        for row in rows if row.phase == phase and row.pass_ in ("forward", "vector_forward")
    ]  # fmt: skip


@pytest.mark.parametrize("costed", [(), ("activation", "batch_norm", "pool")])
def test_it_is_the_forward_pass_of_a_training_batch(costed: tuple[str, ...]) -> None:
    """Where outputs go to DRAM, as in a batch with a backward pass, the same ops take the same time."""
    spec = load_accelerator(design="baseline", overrides={"gp_outputs_stay": False, "vector_unit.costed": costed})
    run = simulate(scheduled("bp", "inference"), spec).runs[0]
    assert work(run.rows, "inference") == work(run.rows, "bp")
    mine = [row for row in run.rows if row.phase == "inference" and row.pass_]
    assert {row.pass_ for row in mine} == {"forward", "vector_forward"} - (set() if costed else {"vector_forward"})
    assert run.phase("inference").cycles_per_batch == sum(row.cycles for row in mine)


@pytest.mark.parametrize("design", DESIGNS)
def test_no_design_trains_in_it(design: str) -> None:
    run = simulate(scheduled("inference"), load_accelerator(design=design)).runs[0]
    assert {row.pass_ for row in run.rows} == {"forward", ""}
    macs = sum(layer.product_shape(32).macs for layer in load_trace("digits-cnn").mac_layers)
    assert run.phase("inference").macs_per_batch == macs
    assert ideal_speedup(run) == 1


def test_one_array_infers_alike_whatever_its_design() -> None:
    runs = compare(scheduled("inference"), [load_accelerator(design=name) for name in ("baseline", "efficient")]).runs
    assert runs[0].total_cycles == runs[1].total_cycles
    assert work(runs[0].rows, "inference") == work(runs[1].rows, "inference")


def test_it_keeps_weights_and_live_activations() -> None:
    """digits-cnn: 23,824 weights, 224 numbers of batch norms; conv2's output beside relu1's, of 32 samples."""
    live = 32 * (16 * 8 * 8 + 32 * 8 * 8)
    for spec in load_designs():
        assert peak_dram_bytes(scheduled("inference"), spec, "inference") == 2 * (23_824 + 224 + live)


def test_causes_leave_it_out() -> None:
    """One BP and one GP batch beside any number of inference batches: 3 + 3 steps before, 3 + 1 after."""
    results = compare(scheduled("inference", "bp", "gp", "inference"))
    alone = compare(scheduled("bp", "gp"))
    assert backward_ratio(results) == backward_ratio(alone)
    for run, other in zip(results.runs[1:], alone.runs[1:], strict=True):
        assert ideal_speedup(run) == (3 + 3 + 1 + 1) / (3 + 1 + 1 + 1)
        assert ideal_speedup(other) == 6 / 4
        assert explain(results, run)[-1].speedup == results.runs[0].total_cycles / run.total_cycles


def test_one_batch_is_one_batch_of_any_data_set() -> None:
    policy = load_policy("one-batch")
    for batches in (1, 391):
        assert policy.expand(batches).counts() == {"bp": 1}
    assert load_trace("vgg13-cifar10").with_schedule(policy).schedule.batches == 1
    assert load_policy("inference").expand(391).counts() == {"inference": 391}
