"""One channel of a part as the kernels take it: its shape, its addresses and its constraints, by name."""

from functools import lru_cache
from math import prod
from typing import Any, NamedTuple

import numpy as np

from dataflows.integers import Integers
from simulator.dram.constraints import FOUR_ACTIVATES, cycles_of, least_cycles
from simulator.dram.part import DramPart


class Channel(NamedTuple):
    """What the kernels take.

    Attributes
    ----------
    numbers : record of int64
        Read by name. `ranks`, `bank_groups` (in a rank) and `banks` (in a group); `FIELD_divisor` and `FIELD_extent`
        of each field of an address, which is ``burst // divisor % extent``; and times in memory cycles:
        `four_activates`; `read_to_end` and `write_to_end`, from a command to its last word; `read_end_to_next` and
        `write_end_to_next`, from there until the data bus may turn round; `refresh_interval`; and `activate_bus`,
        `precharge_bus` and `column_bus`, how long a command is on the command bus.
    least : int64[places, earlier, later]
        See `least_cycles`.
    """

    numbers: Any
    least: Integers


@lru_cache(maxsize=64)
def channel_of(part: DramPart) -> Channel:
    """Return a part's channel for the kernels.

    Numba keeps compiled kernels by the types of their arguments. A record's type has the names of its fields in it, so
    that a kernel never reads a field by an old place.
    """
    parts, times = part.organization, part.times
    extent, order = part.extent, part.address_order
    values = {"ranks": parts.ranks, "bank_groups": parts.bank_groups, "banks": parts.banks}
    for place, name in enumerate(order):
        values[f"{name}_divisor"] = prod(extent[below] for below in order[place + 1 :])
        values[f"{name}_extent"] = extent[name]
    expressions = {
        "four_activates": FOUR_ACTIVATES,
        "read_to_end": "CL + BL/2",
        "write_to_end": "CWL + DQSS + BL/2",
        "read_end_to_next": "READ_TO_WRITE_GAP",
        "write_end_to_next": "WTR_L",
        "refresh_interval": "REFI",
        "activate_bus": "activate",
        "precharge_bus": "precharge",
        "column_bus": "column",
    }
    values |= {name: cycles_of(expression, times) for name, expression in expressions.items()}
    names = sorted(values)
    numbers = np.array(tuple(values[name] for name in names), dtype=[(name, np.int64) for name in names])
    return Channel(numbers[()], least_cycles(times))
