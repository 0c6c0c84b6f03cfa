"""A dataflow, on every array that works in its way."""

from dataflows.dataflow import dataflow_names, dataflows
from simulator.testing.ladder import Ladder
from simulator.testing.products import check_runs


def check(name: str) -> None:
    """Check a dataflow on each of its arrays."""
    for kind, flow in dataflows():
        if flow == name:
            check_runs(kind, flow)


LADDER = Ladder("dataflows", "closed form = stepped kernel = numpy, on every array", dataflow_names, check)
