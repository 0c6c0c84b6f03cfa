"""Systolic array whose stationary operand stays (ws, is) and whose next fold loads meanwhile: closed forms.

F folds of V vectors take LC + (F - 1) max(V II, LC) + V II + R + C - 1 cycles (docs/microarchitecture.md).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from dataflows.arrays.activity import Activity, FoldedJob, Registers, part_of
from dataflows.arrays.job import (
    Geometry,
    JobGranularity,
    JobTiles,
    JobTiming,
    JobTraffic,
    PortInterval,
    Register,
    Spread,
    ceil_div,
    folds,
    loads_hidden,
    stationary_traffic,
)
from dataflows.arrays.rtl import Rtl
from dataflows.formula import Formula
from dataflows.plans.plan import Integers

_RTL = Rtl(
    "overlapped_stationary", frozenset({"shadow", "pass", "weight", "in"}), sources=("skew_delay",), reads_sums=True
)
_FORMULA = Formula(
    where={
        "LC": "R * ceil(C / SP)",
        "II": "max(ceil(R / MP), ceil(C / OP))",
        "F": "groups * ceil(D / R) * ceil(N / C)",
    },
    fill="LC",
    stream="(F - 1) * max(V * II, LC) + V * II",
    gap="max(0, LC - V_before * II)",
    drain="R + C - 1",
    begin="LC + f * max(V * II, LC)",
)
_SPREAD = Spread(rows="D", columns="N", time="V")


@dataclass(frozen=True)
class OverlappedStationary:
    """Vectors enter at the left and move right, psums and the next fold's words move down."""

    name: str = "overlapped_stationary"
    sums_by_vector: bool = True
    sums_return: bool = False
    spread: Spread = _SPREAD
    watched: str = "psum"
    formula: Formula = _FORMULA
    rtl: Rtl = _RTL

    def granularity(self, array: Geometry) -> JobGranularity:
        """Return rows of D, columns of N, and the cycles that hide a fold's loading."""
        load, interval = _load_and_interval(array)
        return JobGranularity(1, array.rows, array.columns, "V", interval, least_cycles=load)

    def port_intervals(self, array: Geometry) -> tuple[PortInterval, PortInterval, PortInterval]:
        """Return LC and the two parts of II."""
        return (
            PortInterval("to load a fold", array.rows * ceil_div(array.columns, array.ports.stationary)),
            PortInterval("a vector", ceil_div(array.rows, array.ports.moving)),
            PortInterval("a vector", ceil_div(array.columns, array.ports.output)),
        )

    def timing(self, array: Geometry, tiles: JobTiles) -> JobTiming:
        """Return the cycles of each tile by the formula above, cut at tile borders."""
        load, interval = _load_and_interval(array)
        count = tiles.groups * folds(tiles.D, array.rows) * folds(tiles.N, array.columns)
        return loads_hidden(count, tiles.V * interval, load, drain=array.rows + array.columns - 1)

    def traffic(self, array: Geometry, tiles: JobTiles) -> JobTraffic:
        """Return the words in and out."""
        return stationary_traffic(array, tiles)

    def registers(self, array: Geometry) -> list[Register]:
        """Return the page's registers."""
        return [Register(name, (array.rows, array.columns)) for name in ("shadow", "pass", "weight", "in", "psum")]

    def activity(self, job: FoldedJob, registers: Registers, cycle: int) -> Activity:
        """Return what the PEs and the ports do in a cycle."""
        array, V = job.geometry, job.V
        load, interval = _load_and_interval(array)
        period = max(V * interval, load)
        skew = np.add.outer(np.arange(array.rows), np.arange(array.columns))
        entered, since_entered = np.divmod(cycle - skew - load - interval, period)  # since a fold's first vector
        works = (
            (entered >= 0) & (entered < job.folds) & (since_entered % interval == 0) & (since_entered < V * interval)
        )
        begun, since_begun = divmod(cycle - load, period)
        loaded, load_cycle = (0, cycle) if cycle < load else (begun + 1, since_begun)
        row, row_cycle = divmod(load_cycle, load // array.rows)
        fold, since = divmod(cycle - load - 1, period)
        vector, part = divmod(since, interval)
        return Activity(works, {
            "stationary": part_of(job.fold(loaded)[1][::-1][row : row + 1], row_cycle, array.ports.stationary),
            "moving": part_of(job.fold(fold)[0][vector : vector + 1], part, array.ports.moving),
            "output": registers["psum"][cycle][-1][works[-1]],
        })  # fmt: skip

    def run(self, array: Geometry, moving: Any, stationary: Any, dump: Any) -> tuple[Any, Integers]:
        """Step a job."""
        from dataflows.arrays.systolic_overlapped.stationary_steps import run_overlapped_stationary

        ports = array.ports
        return run_overlapped_stationary(
            moving, stationary, array.rows, array.columns, ports.stationary, ports.moving, ports.output, dump
        )


def _load_and_interval(array: Geometry) -> tuple[int, int]:
    """Return LC and II."""
    load, moving, output = (port.cycles for port in OVERLAPPED_STATIONARY.port_intervals(array))
    return load, max(moving, output)


OVERLAPPED_STATIONARY = OverlappedStationary()
