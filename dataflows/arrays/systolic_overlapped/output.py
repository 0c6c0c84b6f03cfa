"""Systolic array whose sums stay (os) and drain while the next fold computes: closed forms.

F folds of D steps take (F - 1) max(D II, DC) + D II + DC + R + C cycles (docs/microarchitecture.md).
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
    drains_hidden,
    folds,
    inside_counts,
    output_work,
    over_blocks,
)
from dataflows.arrays.rtl import Rtl
from dataflows.arrays.wires import ONE_LINE, Lines, shifted_out
from dataflows.formula import Formula
from dataflows.integers import Integers

_RTL = Rtl("overlapped_os", sources=("skew_delay",), lanes="R")
_FORMULA = Formula(
    where={
        "II": "max(ceil(R / MP), ceil(C / SP))",
        "DC": "C * ceil(R / OP)",
        "F": "groups * ceil(V / R) * ceil(N / C)",
    },
    stream="(F - 1) * max(D * II, DC) + D * II",
    gap="max(0, DC - D * II, DC - D_before * II)",
    drain="DC + R + C",
    begin="f * max(D * II, DC)",
)
_SPREAD = Spread(rows="V", columns="N", time="D")


@dataclass(frozen=True)
class OverlappedOutput:
    """Vectors enter at the left, filters at the top; sums stay, and the columns of a fold leave at the right."""

    name: str = "overlapped_output"
    sums_by_vector: bool = False
    sums_return: bool = False
    spread: Spread = _SPREAD
    watched: str = "acc"
    formula: Formula = _FORMULA
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
            PortInterval("to drain a fold", array.columns * ceil_div(array.rows, array.ports.output)),
        )

    def timing(self, array: Geometry, tiles: JobTiles) -> JobTiming:
        """Return the cycles of each tile by the formula above, cut at tile borders."""
        interval, drain = _interval_and_drain(array)
        count = tiles.groups * folds(tiles.V, array.rows) * folds(tiles.N, array.columns)
        return drains_hidden(count, tiles.D * interval, drain, after=array.rows + array.columns)

    def traffic(self, array: Geometry, tiles: JobTiles) -> JobTraffic:
        """Return the words in and out, and what registers and wires do."""
        work, rows, columns, pes = output_work(array, tiles), array.rows, array.columns, array.pes
        out = work.folds * (pes + columns * rows * (columns - 1))  # a copy, and a shift for each column
        writes = [*[pes * work.steps] * 4, out, columns * pes * work.folds]
        word_pitches = work.moving_words * columns + work.stationary_words * rows
        leaving = tiles.groups * tiles.V * over_blocks(tiles.N, columns, shifted_out(columns))
        inside = inside_counts(self.registers(array), writes, work.macs, word_pitches, int(leaving.sum()))
        return JobTraffic(work.moving_words, work.stationary_words, work.sums, inside)

    def lines(self, array: Geometry) -> Lines:
        """Return one line for each word: it moves on from PE to PE."""
        return ONE_LINE

    def registers(self, array: Geometry) -> list[Register]:
        """Return the page's registers."""
        plane = (array.rows, array.columns)
        return [
            Register("in", plane, "operand"), Register("filter", plane, "operand"),
            Register("product", plane, "product"), Register("acc", plane, "kept_sum"),
            Register("out", plane, "passing_sum"), Register("pass", plane, "passing_sum"),
        ]  # fmt: skip

    def activity(self, job: FoldedJob, registers: Registers, cycle: int) -> Activity:
        """Return what the PEs and the ports do in a cycle."""
        array, D = job.geometry, job.D
        interval, drain = _interval_and_drain(array)
        period = max(D * interval, drain)
        skew = np.add.outer(np.arange(array.rows), np.arange(array.columns))
        entered, since = np.divmod(cycle - skew, period)
        step, part = np.divmod(since, interval)
        works = (entered >= 0) & (entered < job.folds) & (part == interval - 1) & (step < D)
        moving, stationary = job.fold(int(entered[0, 0]))
        now, phase = int(step[0, 0]), int(part[0, 0])
        # the last column, row by row: shift number k = 1, 2, ... of a fold is k ROW cycles after its copy
        right = cycle - np.arange(array.rows) - (array.columns - 1) - D * interval - 1
        drained, since_copy = np.divmod(right - 1, period)
        row_cycles = drain // array.columns
        leaves = (drained >= 0) & (drained < job.folds) & (since_copy % row_cycles == row_cycles - 1)
        leaves &= since_copy < drain
        return Activity(works, {
            "stationary": part_of(stationary[now : now + 1], phase, array.ports.stationary),
            "moving": part_of(moving[:, now : now + 1], phase, array.ports.moving),
            "output": registers["out"][cycle - 1][:, -1][leaves] if cycle else job.nothing,
        })  # fmt: skip

    def run(self, array: Geometry, moving: Any, stationary: Any, dump: Any) -> tuple[Any, Integers]:
        """Step a job."""
        from dataflows.arrays.systolic_overlapped.output_steps import run_overlapped_output

        ports = array.ports
        return run_overlapped_output(
            moving, stationary, array.rows, array.columns, ports.stationary, ports.moving, ports.output, dump
        )


def _interval_and_drain(array: Geometry) -> tuple[int, int]:
    """Return II and DC."""
    stationary, moving, drain = (port.cycles for port in OVERLAPPED_OUTPUT.port_intervals(array))
    return max(stationary, moving), drain


OVERLAPPED_OUTPUT = OverlappedOutput()
