"""The choice that weighs time and DRAM bytes: of the winners of several slacks the one that costs the fewest cycles.

What a plan costs is its own time and what its bytes take the channel (docs/machine.md, "Tiles").
"""

from collections.abc import Callable
from dataclasses import replace
from math import ceil
from typing import TypeVar

from dataflows.plans.budget import BufferBudget

SLACKS = (2, None, 5, 10, 20, 50)  # None: any time; where it saves no bytes, no other slack does
Found = TypeVar("Found")


def weighed(
    budget: BufferBudget, choose: Callable[[BufferBudget], Found], measured: Callable[[Found], tuple[int, int]]
) -> Found:
    """Return what costs the fewest cycles of what is chosen at each slack; of equals what moves the fewest bytes.

    Parameters
    ----------
    choose : callable
        Returns what wins within a budget.
    measured : callable
        Returns its time in cycles and its DRAM bytes.
    """
    of_a_byte, _ = budget.channel.least_cycles
    best, fewest = None, (0, 0)
    for slack in SLACKS:
        found = choose(replace(budget, slack_percent=slack, weighed=False))
        time, moved = measured(found)
        cost = time + ceil(moved * of_a_byte), moved
        if best is not None and slack is None and moved == fewest[1]:
            break
        if best is None or cost < fewest:
            best, fewest = found, cost
    assert best is not None
    return best
