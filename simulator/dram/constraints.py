"""The constraints between the commands of one DRAM channel: the table of docs/dram.md, as data.

The kernels take these rows as one array of least cycles, and a test writes the page's table from them.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np

from dataflows.integers import Integers

Command = Literal["ACT", "PRE", "PREA", "RD", "WR", "REF"]
Scope = Literal["bank", "bank group", "rank", "other rank", "channel"]

COMMANDS: tuple[Command, ...] = ("ACT", "PRE", "PREA", "RD", "WR", "REF")
ACT, PRE, PREA, RD, WR, REF = range(len(COMMANDS))
# The smallest part of the channel that holds the places of both commands. PREA and REF go to every bank of their rank.
PLACES = range(4)
SAME_BANK, SAME_GROUP, SAME_RANK, OTHER_RANK = PLACES
_BINDS: dict[Scope, Sequence[int]] = {
    "bank": (SAME_BANK,),
    "bank group": (SAME_BANK, SAME_GROUP),
    "rank": (SAME_BANK, SAME_GROUP, SAME_RANK),
    "other rank": (OTHER_RANK,),
    "channel": PLACES,
}


class Constraint(NamedTuple):
    """A command waits for commands before it.

    Attributes
    ----------
    earlier, later : str
        Names of commands; one of `later` waits for each of `earlier`.
    cycles : str
        How many cycles lie between them at least: a sum of a part's times by their names.
    scope : str
        Which pairs are bound: those that lie in the same bank (bank group, rank), in different ranks, or all.
    """

    earlier: str
    later: str
    cycles: str
    scope: Scope


ANY = " ".join(COMMANDS)
CONSTRAINTS = (
    Constraint("ACT", "RD WR", "RCD", "bank"),
    Constraint("ACT", "PRE PREA", "RAS", "bank"),
    Constraint("ACT", "ACT REF", "RAS + RP", "bank"),
    Constraint("ACT", "ACT", "RRD_L", "bank group"),
    Constraint("ACT", "ACT", "RRD_S", "rank"),
    Constraint("PRE", "ACT REF", "RP", "bank"),
    Constraint("PREA", "ACT REF", "RP_ALL", "rank"),
    Constraint("PRE PREA", "PRE PREA", "PPD", "rank"),
    Constraint("RD", "PRE PREA", "RTP", "bank"),
    Constraint("WR", "PRE PREA", "CWL + DQSS + BL/2 + WR", "bank"),
    Constraint("RD", "RD", "CCD_L", "bank group"),
    Constraint("RD", "RD", "CCD_S", "rank"),
    Constraint("RD", "RD", "BL/2", "rank"),
    Constraint("RD", "RD", "BL/2 + RANK_SWITCH_GAP", "other rank"),
    Constraint("WR", "WR", "CCD_L", "bank group"),
    Constraint("WR", "WR", "CCD_S", "rank"),
    Constraint("WR", "WR", "BL/2", "rank"),
    Constraint("WR", "WR", "BL/2 + RANK_SWITCH_GAP", "other rank"),
    Constraint("RD", "WR", "CL + BL/2 + READ_TO_WRITE_GAP - CWL", "channel"),
    Constraint("RD", "WR", "CL + BL/2 + RANK_SWITCH_GAP - CWL", "other rank"),
    Constraint("WR", "RD", "CWL + DQSS + BL/2 + WTR_L", "bank group"),
    Constraint("WR", "RD", "CWL + DQSS + BL/2 + WTR_S", "rank"),
    Constraint("WR", "RD", "CWL + DQSS + BL/2 + RANK_SWITCH_GAP - CL", "other rank"),
    Constraint("REF", "ACT REF", "RFC", "rank"),
    Constraint(ANY, "ACT", "activate", "channel"),
    Constraint(ANY, "PRE PREA", "precharge", "channel"),
    Constraint(ANY, "RD WR", "column", "channel"),
    Constraint(ANY, "REF", "refresh", "channel"),
)
FOUR_ACTIVATES = "FAW"  # of a rank: from the fourth ACT before to the next


def cycles_of(expression: str, times: Mapping[str, int]) -> int:
    """Return a sum of times, such as ``CL + BL/2 - CWL``, in cycles of the memory's clock."""
    total, sign = 0, 1
    for word in expression.split():
        if word in "+-":
            sign = 1 if word == "+" else -1
        else:
            total += sign * times[word]
    return total


def least_cycles(times: Mapping[str, int]) -> Integers:
    """Return what the kernels take.

    Parameters
    ----------
    times : mapping
        A part's times by the names of the table, in cycles of the memory's clock; see `DramPart.times`.

    Returns
    -------
    int64[places, earlier, later]
        The largest of all constraints of a pair of commands, in the order of `PLACES` and `COMMANDS`; 0 where there
        is none.
    """
    least = np.zeros((len(PLACES), len(COMMANDS), len(COMMANDS)), np.int64)
    for row in CONSTRAINTS:
        cycles = cycles_of(row.cycles, times)
        for earlier in row.earlier.split():
            for later in row.later.split():
                for place in _BINDS[row.scope]:
                    pair = place, COMMANDS.index(earlier), COMMANDS.index(later)
                    least[pair] = max(least[pair], cycles)
    return least
