"""A kind of array, under every dataflow that it can run."""

from dataflows.array import arrays
from dataflows.dataflow import dataflows
from simulator.testing.ladder import Ladder, hold
from simulator.testing.products import check_runs


def check(name: str) -> None:
    """Check a kind of array under each of its dataflows."""
    flows = [flow for kind, flow in dataflows() if kind == name]
    hold(flows, "no dataflow runs on it")
    for flow in flows:
        check_runs(name, flow)


LADDER = Ladder("arrays", "closed form = stepped kernel = numpy, under every dataflow", arrays, check)
