"""An op of no work: the dgrad of a layer whose windows' taps reach no row of its input."""

from pathlib import Path

import pytest
from registries import DATAFLOWS

from simulator.machine.spec_loading import load_designs
from simulator.pipelines.schedule import schedules
from simulator.pipelines.simulation import PipelineSetup, simulate_pipelines
from simulator.run.simulation import Simulation, compare
from simulator.studies.explain import explain
from workloads.passes import layer_products
from workloads.trace import load_trace

PATH = str(Path(__file__).parents[1] / "data" / "empty_dgrad.yaml")


def test_layer_b_has_no_products_in_its_dgrad() -> None:
    """Stride 2, padding 1 and one tap: output row p reads row 2 p - 1 of X, and X has row 0 alone."""
    trace = load_trace(PATH)
    rows = {2 * p - 1 for p in range(2)}
    assert not rows & {0}
    assert layer_products(trace.mac_layers[1], "dgrad", trace.batch_size) == ()


@pytest.mark.parametrize("dataflow", DATAFLOWS)
def test_its_dgrad_is_an_op_of_no_work(dataflow: str) -> None:
    trace = load_trace(PATH)
    results = compare(trace, load_designs(dataflow=dataflow), exact=(0, 1))
    for run in results.runs:
        assert run.exact is not None and run.exact.equal
        (row,) = [row for row in run.rows if (row.layer, row.pass_) == ("b", "dgrad")]
        assert row.cycles == row.counts.macs == row.counts.dram_read_bytes == row.counts.dram_write_bytes == 0
        (wgrad,) = [row for row in run.rows if (row.layer, row.pass_) == ("b", "wgrad")]
        assert wgrad.cycles > 0
        assert explain(results, run)


def test_pipelines_take_it() -> None:
    trace, specs = load_trace(PATH), load_designs()
    for schedule in schedules().values():
        setup = PipelineSetup(2 if schedule.stages(2) == 2 else 1, 2, stretch=(0, 1))
        for run in simulate_pipelines(trace, specs, [schedule], setup).runs:
            assert run.total_cycles > 0


def test_its_dram_trace_and_its_plans_are_there() -> None:
    from simulator.outputs.dram_trace import burst_requests

    simulation = Simulation(load_trace(PATH), load_designs()[0])
    works = [work for step in simulation.batches.works("bp") for work in step]
    assert all(work.plans for work in works)
    assert list(burst_requests(simulation, "bp", 1 << 20))
