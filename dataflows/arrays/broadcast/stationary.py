"""Broadcast array whose stationary operand stays in the PEs (ws, is): closed forms.

F folds of V vectors take LC + 1 + (F - 1) max(V II, LC + 1) + V II + ceil(log2 R) + 2 cycles
(docs/microarchitecture.md).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from dataflows.arrays.job import (
    Geometry,
    JobGranularity,
    JobTiles,
    JobTiming,
    JobTraffic,
    PortInterval,
    ceil_div,
    folds,
    gaps_behind,
    stationary_traffic,
)
from dataflows.arrays.rtl import Rtl
from dataflows.plans.plan import Integers

_RTL = Rtl("broadcast_stationary", frozenset({"shadow", "weight", "in"}), reads_sums=True)


@dataclass(frozen=True)
class BroadcastStationary:
    """Rows hold the reduction, columns the columns of the stationary matrix."""

    name: str = "broadcast_stationary"
    sums_by_vector: bool = True
    sums_return: bool = True
    rtl: Rtl = _RTL

    def granularity(self, array: Geometry) -> JobGranularity:
        """Return rows of D, columns of N, and the cycles that hide a fold's loading."""
        fill, interval = _fill_and_interval(array)
        return JobGranularity(1, array.rows, array.columns, "V", interval, least_cycles=fill)

    def port_intervals(self, array: Geometry) -> tuple[PortInterval, PortInterval, PortInterval]:
        """Return LC and the two parts of II."""
        return (
            PortInterval("to load a fold", ceil_div(array.pes, array.ports.stationary)),
            PortInterval("a vector", ceil_div(array.rows, array.ports.moving)),
            PortInterval("a vector", ceil_div(array.columns, array.ports.output)),
        )

    def timing(self, array: Geometry, tiles: JobTiles) -> JobTiming:
        """Return the cycles of each tile by the formula above, cut at tile borders."""
        fill, interval = _fill_and_interval(array)
        fold = tiles.V * interval
        count = tiles.groups * folds(tiles.D, array.rows) * folds(tiles.N, array.columns)
        return JobTiming(
            stream_cycles=(count - 1) * np.maximum(fold, fill) + fold,
            gap_cycles=gaps_behind(fold, fill),
            fill_cycles=fill,
            drain_cycles=(array.rows - 1).bit_length() + 2,
        )

    def traffic(self, array: Geometry, tiles: JobTiles) -> JobTraffic:
        """Return the words in and out."""
        return stationary_traffic(array, tiles)

    def registers(self, array: Geometry) -> list[tuple[str, int]]:
        """Return the page's registers; level l of the tree is `tree_l`."""
        layout = [("shadow", array.pes), ("weight", array.pes), ("in", array.rows), ("product", array.pes)]
        nodes, level = array.rows, 0
        while nodes > 1:
            nodes, level = (nodes + 1) // 2, level + 1
            layout.append((f"tree_{level}", nodes * array.columns))
        return [*layout, ("sum", array.columns)]

    def run(self, array: Geometry, moving: Any, stationary: Any, dump: Any) -> tuple[Any, Integers]:
        """Step a job."""
        from dataflows.arrays.broadcast.stationary_steps import run_broadcast_stationary

        ports = array.ports
        return run_broadcast_stationary(
            moving, stationary, array.rows, array.columns, ports.stationary, ports.moving, ports.output, dump
        )


def _fill_and_interval(array: Geometry) -> tuple[int, int]:
    """Return LC + 1, and II: the cycles from vector to vector, more than one where a port is narrower than its side."""
    load, moving, output = (port.cycles for port in BROADCAST_STATIONARY.port_intervals(array))
    return load + 1, max(moving, output)


BROADCAST_STATIONARY = BroadcastStationary()
