"""A comparison: its rows have measured values, and its machine takes what nobody published."""

from simulator.machine.spec_loading import load_accelerator
from simulator.testing.ladder import Ladder, hold
from simulator.validation.comparison import comparisons, validated


def check(name: str) -> None:
    """Check a comparison's rows and ranges; one that lacks a program is left out."""
    comparison = comparisons()[name]
    for one in comparison.ranges:
        for value in one.values:
            load_accelerator(comparison.machine, overrides={one.key: value})
    if comparison.missing():
        return
    rows = validated(comparison).rows
    hold(len(rows) > 0, "it has no rows")
    hold(all(row.measured > 0 and row.simulated >= 0 for row in rows), "a row has no measured value")


LADDER = Ladder("comparisons", "its rows are measured, and its ranges are keys of its machine", comparisons, check)
