"""Systolic array whose stationary operand stays in the PEs (ws, is): closed forms.

Folds run strictly in sequence. With wide ports a fold takes 2 R + C + V - 2 cycles, which is SCALE-Sim's count
(docs/microarchitecture.md).
"""

from dataclasses import dataclass
from typing import Any

from dataflows.arrays.job import (
    Geometry,
    JobGranularity,
    JobTiles,
    JobTiming,
    JobTraffic,
    PortInterval,
    ceil_div,
    folds,
    in_sequence,
    stationary_traffic,
)
from dataflows.arrays.rtl import Rtl
from dataflows.plans.plan import Integers

_RTL = Rtl("systolic_stationary", frozenset({"weight", "in"}), reads_sums=True)


@dataclass(frozen=True)
class SystolicStationary:
    """Vectors enter at the left and move right, psums move down."""

    name: str = "systolic_stationary"
    sums_by_vector: bool = True
    sums_return: bool = False
    rtl: Rtl = _RTL

    def granularity(self, array: Geometry) -> JobGranularity:
        """Return rows of D, columns of N, and the loading and skew of each fold."""
        load, beat = _load_and_beat(array)
        overhead = load + (array.rows + array.columns - 2) * beat
        return JobGranularity(1, array.rows, array.columns, "V", beat, overhead_cycles=overhead)

    def port_intervals(self, array: Geometry) -> tuple[PortInterval, PortInterval, PortInterval]:
        """Return LC and the two parts of II."""
        return (
            PortInterval("to load a fold", array.rows * ceil_div(array.columns, array.ports.stationary)),
            PortInterval("a vector", ceil_div(array.rows, array.ports.moving)),
            PortInterval("a vector", ceil_div(array.columns, array.ports.output)),
        )

    def timing(self, array: Geometry, tiles: JobTiles) -> JobTiming:
        """Return the cycles of each tile."""
        load, beat = _load_and_beat(array)
        fold = load + (tiles.V + array.rows + array.columns - 2) * beat
        return in_sequence(tiles.groups * folds(tiles.D, array.rows) * folds(tiles.N, array.columns), fold)

    def traffic(self, array: Geometry, tiles: JobTiles) -> JobTraffic:
        """Return the words in and out."""
        return stationary_traffic(array, tiles)

    def registers(self, array: Geometry) -> list[tuple[str, int]]:
        """Return the page's registers."""
        return [("weight", array.pes), ("in", array.pes), ("psum", array.pes)]

    def run(self, array: Geometry, moving: Any, stationary: Any, dump: Any) -> tuple[Any, Integers]:
        """Step a job."""
        from dataflows.arrays.systolic.steps import run_systolic_stationary

        ports = array.ports
        return run_systolic_stationary(
            moving, stationary, array.rows, array.columns, ports.stationary, ports.moving, ports.output, dump
        )


def _load_and_beat(array: Geometry) -> tuple[int, int]:
    """Return LC and II."""
    load, moving, output = (port.cycles for port in SYSTOLIC_STATIONARY.port_intervals(array))
    return load, max(moving, output)


SYSTOLIC_STATIONARY = SystolicStationary()
