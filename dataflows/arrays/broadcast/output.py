"""Broadcast array whose sums stay in the PEs (os): closed forms.

F folds of D steps take (F - 1) max(D II, DC) + D II + DC + 3 cycles (docs/microarchitecture.md).
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
    output_traffic,
)
from dataflows.arrays.rtl import Rtl
from dataflows.plans.plan import Integers

_RTL = Rtl("broadcast_os", frozenset({"a", "b"}), lanes="OP")


@dataclass(frozen=True)
class BroadcastOutput:
    """Rows hold vectors, columns the columns of the filter matrix; the reduction streams."""

    name: str = "broadcast_output"
    sums_by_vector: bool = False
    sums_return: bool = False
    rtl: Rtl = _RTL

    def granularity(self, array: Geometry) -> JobGranularity:
        """Return rows of V, columns of N, and the cycles that hide a fold's draining."""
        interval, drain = _interval_and_drain(array)
        return JobGranularity(array.rows, 1, array.columns, "D", interval, least_cycles=drain, waits_when_short=True)

    def port_intervals(self, array: Geometry) -> tuple[PortInterval, PortInterval, PortInterval]:
        """Return the two parts of II, and DC."""
        return (
            PortInterval("a step", ceil_div(array.columns, array.ports.stationary)),
            PortInterval("a step", ceil_div(array.rows, array.ports.moving)),
            PortInterval("to drain a fold", ceil_div(array.pes, array.ports.output)),
        )

    def timing(self, array: Geometry, tiles: JobTiles) -> JobTiming:
        """Return the cycles of each tile by the formula above, cut at tile borders."""
        interval, drain = _interval_and_drain(array)
        fold = tiles.D * interval
        count = tiles.groups * folds(tiles.V, array.rows) * folds(tiles.N, array.columns)
        # `out` must be empty when a fold's sums are copied to it, whether this fold or the one before is the short one
        gaps = np.maximum(gaps_behind(fold, drain), drain - fold)
        gaps[0] = 0
        return JobTiming(
            stream_cycles=(count - 1) * np.maximum(fold, drain) + fold,
            gap_cycles=gaps,
            fill_cycles=0,
            drain_cycles=drain + 3,
        )

    def traffic(self, array: Geometry, tiles: JobTiles) -> JobTraffic:
        """Return the words in and out."""
        return output_traffic(array, tiles)

    def registers(self, array: Geometry) -> list[tuple[str, int]]:
        """Return the page's registers."""
        planes = [(name, array.pes) for name in ("product", "acc", "out")]
        return [("a", array.rows), ("b", array.columns), *planes]

    def run(self, array: Geometry, moving: Any, stationary: Any, dump: Any) -> tuple[Any, Integers]:
        """Step a job."""
        from dataflows.arrays.broadcast.output_steps import run_broadcast_output

        ports = array.ports
        return run_broadcast_output(
            moving, stationary, array.rows, array.columns, ports.stationary, ports.moving, ports.output, dump
        )


def _interval_and_drain(array: Geometry) -> tuple[int, int]:
    """Return II and DC."""
    stationary, moving, drain = (port.cycles for port in BROADCAST_OUTPUT.port_intervals(array))
    return max(stationary, moving), drain


BROADCAST_OUTPUT = BroadcastOutput()
