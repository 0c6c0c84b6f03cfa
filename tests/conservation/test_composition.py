"""Short cuts give the same integers as the computation without them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import chains
from registries import DATAFLOWS

from simulator.machine.spec_loading import load_designs
from simulator.run.results import Results
from simulator.run.simulation import Simulation, compare
from workloads.trace import Trace, load_trace

# Slow DRAM and a small buffer, so that arrays wait for the channel and for each other.
STARVED = ["dram.peak_bytes_per_second=400000000", "global_buffer.banks=4", "global_buffer.bank_bytes=8192",
           "second_array.buffer_banks=1", "predictor_sram.banks=1", "predictor_sram.bank_bytes=20000"]  # fmt: skip


def check(results: Results) -> None:
    for run in results.runs:
        assert run.exact is not None
        assert run.exact.cycles == run.exact.composed_cycles
        assert len(set(run.exact.phases)) > 1


def test_batches_one_by_one_equal_composed_ones() -> None:
    trace = load_trace("digits-cnn")
    first = trace.schedule.counts()["warm_up"] - 2
    check(compare(trace, exact=(first, 8)))


@pytest.mark.long
def test_vgg13_one_by_one() -> None:
    check(compare(load_trace("vgg13-cifar10"), exact=(3909, 7)))


@settings(max_examples=30, deadline=None)
@given(chains(), st.sampled_from(DATAFLOWS))
def test_random_networks_on_a_starved_machine(trace: Trace, dataflow: str) -> None:
    check(compare(trace, load_designs(dataflow=dataflow, overrides=STARVED), exact=(4, 6)))


def test_a_whole_run_one_by_one() -> None:
    """Every batch of a short run: the composed total is the sum of all batches."""
    trace = load_trace("digits-cnn")
    schedule = trace.schedule.model_copy(update={"epochs": trace.schedule.epochs[:1]})
    short = trace.model_copy(update={"schedule": schedule, "metrics": ()})
    spec = load_designs()[3]
    stretch = Simulation(short, spec).exact(0, 5)
    assert sum(stretch.cycles) == 5 * Simulation(short, spec).run().phase("warm_up").cycles_per_batch


def test_warm_up_costs_what_bp_costs() -> None:
    for run in compare(load_trace("digits-cnn")).runs:
        assert run.phase("warm_up").cycles_per_batch == run.phase("bp").cycles_per_batch


def test_ideal_memory_leaves_no_stall_but_for_plain_transfers() -> None:
    """A plain transfer streams nothing, so its bytes pass the ports while it is on the channel."""
    ideal = ["dram={model: ideal, capacity_bytes: 8589934592}"]
    for run in compare(load_trace("digits-cnn"), load_designs(overrides=ideal)).runs:
        waiting = {row.pass_ for row in run.rows if row.stall_load_cycles or row.stall_store_cycles or row.dram_cycles}
        assert waiting <= {"predictor_load", "predictor_forward", "predictor_store"}
        if run.spec.predictor_sram is None:
            layers = [row for row in run.rows if row.pass_ in ("forward", "dgrad", "wgrad", "update")]
            assert all(row.cycles == row.compute_cycles + row.stall_buffer_port_cycles for row in layers)


@pytest.mark.parametrize("faster", [2, 4, 16])
def test_faster_dram_is_never_slower(faster: int) -> None:
    trace = load_trace("digits-cnn")
    slow = compare(trace)
    fast = compare(trace, load_designs(overrides=[f"dram.peak_bytes_per_second={12_800_000_000 * faster}"]))
    for a, b in zip(slow.runs, fast.runs, strict=True):
        for phase in a.phases:
            assert b.phase(phase.phase).cycles_per_batch <= phase.cycles_per_batch
