"""Causes of a speedup against the rows of layers.csv."""

import pytest
from registries import DATAFLOWS

from simulator.machine.spec_loading import load_designs
from simulator.run.simulation import compare
from simulator.studies.explain import backward_ratio, explain
from workloads.trace import load_trace


@pytest.mark.parametrize("dataflow", DATAFLOWS)
def test_causes_are_ratios_of_rows(dataflow: str) -> None:
    results = compare(load_trace("digits-cnn"), load_designs(dataflow=dataflow))
    rows = results.table()

    def compute(design: str, *passes: str, phase: str | None = None) -> int:
        """Add up the compute cycles of passes, of the whole run or of one batch of a phase."""
        chosen = [row for row in rows if row["design"] == design and row["pass"] in passes]
        if phase is not None:
            return sum(row["compute_cycles"] for row in chosen if row["phase"] == phase)
        return sum(row["count"] * row["compute_cycles"] for row in chosen)

    backward = compute("baseline", "dgrad", "wgrad", phase="bp")
    assert backward_ratio(results) == backward / compute("baseline", "forward", phase="bp")
    layer = ("forward", "dgrad", "wgrad")
    for run in results.runs:
        if run.design == "baseline":
            continue
        network, updates, _, memory = explain(results, run)
        assert network.speedup == pytest.approx(compute("baseline", *layer) / compute(run.design, *layer))
        assert updates.speedup == pytest.approx(
            compute("baseline", *layer, "update") / compute(run.design, *layer, "update")
        )
        assert memory.speedup == pytest.approx(results.speedup(run))
