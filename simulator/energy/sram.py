"""What a bank of SRAM costs: energy, leakage, area and timing, interpolated in CACTI's grid."""

import math
from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from operator import attrgetter
from pathlib import Path

from workloads.foundation.errors import InputError
from workloads.foundation.reading import read_text
from workloads.foundation.shipped import shipped_folder
from workloads.foundation.shipped_csv import parse_csv

GRID_FILE = "cacti_sram.csv"
WIDEST_PORT_BITS = 512  # of the grid


@dataclass(frozen=True, slots=True)
class Sram:
    """One bank with one port.

    Attributes
    ----------
    read_pj, write_pj : float
        Energy of one access over the port's whole width, in picojoules.
    leakage_mw : float
        Static power, in milliwatts.
    area_mm2 : float
        Area, in square millimetres.
    access_ns, cycle_ns : float
        From address to data, and from one access to the next, in nanoseconds.
    """

    read_pj: float
    write_pj: float
    leakage_mw: float
    area_mm2: float
    access_ns: float
    cycle_ns: float


_VALUES = attrgetter(*(field.name for field in fields(Sram)))
_Grid = Mapping[int, Mapping[int, Sram]]  # by width, then by capacity


def _grids() -> dict[int, _Grid]:
    """Return the published points by node, width and capacity, as the file is now."""
    path = shipped_folder("configs/energy") / GRID_FILE
    return _read_grids(path, read_text(path))


@lru_cache(maxsize=4)
def _read_grids(path: Path, text: str) -> dict[int, _Grid]:
    grids: dict[int, dict[int, dict[int, Sram]]] = {}
    for row in parse_csv(text, path):
        node, capacity, width = (int(row[name]) for name in ("node_nm", "capacity_bytes", "width_bits"))
        names = ("read_pj", "write_pj", "leakage_mw", "area_mm2", "access_ns", "cycle_ns")
        point = Sram(*(float(row[name]) for name in names))
        grids.setdefault(node, {}).setdefault(width, {})[capacity] = point
    return {node: {width: dict(sorted(grid[width].items())) for width in sorted(grid)} for node, grid in grids.items()}


def nodes_nm() -> tuple[int, ...]:
    """Return the technology nodes that are known, in nanometres."""
    return tuple(sorted(_grids()))


def sram(node_nm: int, capacity_bytes: int, width_bits: int) -> Sram:
    """Return a bank's costs; exactly CACTI's at the points of its grid.

    Between two capacities a value follows the power law through both (linear in the logarithms). Leakage follows the
    straight line: each cell leaks by itself, and the leakage of small banks is rounded to zero. Between two widths all
    values follow the straight line: an access is a decoder, paid once, and so many bit lines. A smaller bank, or a
    narrower port, than the grid's smallest costs what that costs: a bound from above.

    Parameters
    ----------
    node_nm : int
        Technology node, in nanometres.
    capacity_bytes : int
        Size of the bank.
    width_bits : int
        Width of its port.

    Raises
    ------
    InputError
        If the node is not in the grid, or the bank larger or the port wider than any in it.
    """
    grids = _grids()
    if node_nm not in grids:
        known = ", ".join(map(str, grids))
        raise InputError("SRAM", "node_nm", f"is {node_nm}, which CACTI's grid lacks", f"give one of {known}")
    grid = grids[node_nm]
    widths = list(grid)
    most_bytes = max(grid[widths[0]])
    if width_bits > WIDEST_PORT_BITS:
        raise InputError("SRAM", "width_bits", f"is {width_bits}, and CACTI's grid ends at {WIDEST_PORT_BITS}",
                         "give a narrower port")  # fmt: skip
    if capacity_bytes > most_bytes:
        raise InputError("SRAM", "capacity_bytes", f"is {capacity_bytes}, and CACTI's grid ends at {most_bytes}",
                         "give more banks of fewer bytes, or a table with fixed energies, such as eyeriss")  # fmt: skip
    width = max(width_bits, widths[0])
    low, high = _neighbours(widths, width)
    return _between(
        _at_capacity(grid[low], capacity_bytes), _at_capacity(grid[high], capacity_bytes), _share(low, high, width)
    )


def _at_capacity(points: Mapping[int, Sram], capacity_bytes: int) -> Sram:
    capacities = list(points)
    capacity = max(capacity_bytes, capacities[0])
    low, high = _neighbours(capacities, capacity)
    linear = _between(points[low], points[high], _share(low, high, capacity))
    power_law = _between(
        points[low], points[high], _share(math.log(low), math.log(high), math.log(capacity)), _geometric
    )
    return Sram(power_law.read_pj, power_law.write_pj, linear.leakage_mw, power_law.area_mm2, power_law.access_ns,
                power_law.cycle_ns)  # fmt: skip


def _neighbours(values: list[int], value: int) -> tuple[int, int]:
    """Return the nearest grid values below and above; twice the same where `value` is one."""
    place = bisect_left(values, value)
    return (value, value) if values[place] == value else (values[place - 1], values[place])


def _share(low: float, high: float, value: float) -> float:
    return 0.0 if low == high else (value - low) / (high - low)


def _linear(low: float, high: float, share: float) -> float:
    return low + share * (high - low)


def _geometric(low: float, high: float, share: float) -> float:
    return low * (high / low) ** share if low > 0 else _linear(low, high, share)


def _between(low: Sram, high: Sram, share: float, rule: Callable[[float, float, float], float] = _linear) -> Sram:
    return Sram(*(rule(a, b, share) for a, b in zip(_VALUES(low), _VALUES(high), strict=True)))
