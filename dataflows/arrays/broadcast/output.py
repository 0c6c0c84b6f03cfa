"""Broadcast array whose sums stay in the PEs (os): closed forms.

F folds of D steps take (F - 1) max(D II, DC) + D II + DC + 3 cycles (docs/microarchitecture.md).
"""

from dataclasses import dataclass
from math import prod
from typing import Any

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
)
from dataflows.arrays.rtl import Rtl
from dataflows.arrays.wires import Lines, bus_pitches, lines, row_by_row_pitches
from dataflows.formula import Formula
from dataflows.integers import Integers

_RTL = Rtl("broadcast_os", lanes="OP", datapath=True)
_FORMULA = Formula(
    where={
        "II": "max(ceil(R / MP), ceil(C / SP))",
        "DC": "ceil(R * C / OP)",
        "F": "groups * ceil(V / R) * ceil(N / C)",
    },
    stream="(F - 1) * max(D * II, DC) + D * II",
    gap="max(0, DC - D * II, DC - D_before * II)",
    drain="DC + 3",
    begin="f * max(D * II, DC)",
)
_SPREAD = Spread(rows="V", columns="N", time="D")


@dataclass(frozen=True)
class BroadcastOutput:
    """Rows hold vectors, columns the columns of the filter matrix; the reduction streams."""

    name: str = "broadcast_output"
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
            PortInterval("to drain a fold", ceil_div(array.pes, array.ports.output)),
        )

    def timing(self, array: Geometry, tiles: JobTiles) -> JobTiming:
        """Return the cycles of each tile by the formula above, cut at tile borders."""
        interval, drain = _interval_and_drain(array)
        fold = tiles.D * interval
        count = tiles.groups * folds(tiles.V, array.rows) * folds(tiles.N, array.columns)
        return drains_hidden(count, fold, drain, after=3)

    def traffic(self, array: Geometry, tiles: JobTiles) -> JobTraffic:
        """Return the words in and out, and what registers and wires do."""
        work, layout, carried = output_work(array, tiles), self.registers(array), self.lines(array)
        writes = [prod(shape) * (work.folds if name == "out" else work.steps) for name, shape, _ in layout]
        word_pitches = work.moving_words * bus_pitches(carried.moving, array.columns)
        word_pitches += work.stationary_words * bus_pitches(carried.stationary, array.rows)
        sum_pitches = work.sums * row_by_row_pitches(array, array.ports.output)
        inside = inside_counts(layout, writes, work.macs, word_pitches, sum_pitches)
        return JobTraffic(work.moving_words, work.stationary_words, work.sums, inside)

    def lines(self, array: Geometry) -> Lines:
        """Return the lines of a column and of a row: a port that is wider than its side has several."""
        rows, columns, ports = array.rows, array.columns, array.ports
        return Lines(lines(columns, rows, ports.stationary), lines(rows, columns, ports.moving))

    def registers(self, array: Geometry) -> list[Register]:
        """Return the page's registers."""
        plane = (array.rows, array.columns)
        return [
            Register("a", (array.rows,), "operand"), Register("b", (array.columns,), "operand"),
            Register("product", plane, "product"), Register("acc", plane, "kept_sum"),
            Register("out", plane, "passing_sum"),
        ]  # fmt: skip

    def activity(self, job: FoldedJob, registers: Registers, cycle: int) -> Activity:
        """Return what the PEs and the ports do in a cycle."""
        array, D = job.geometry, job.D
        interval, drain = _interval_and_drain(array)
        period = max(D * interval, drain)
        fold, since = divmod(cycle, period)
        step, part = divmod(since, interval)
        moving, stationary = job.fold(fold)
        multiplied, since_multiplied = divmod(cycle - interval, period)
        works = 0 <= multiplied < job.folds and since_multiplied % interval == 0 and since_multiplied < D * interval
        drained, drain_cycle = divmod(cycle - D * interval - 3, period)
        out = registers["out"][cycle - 1] if 0 <= drained < job.folds else job.nothing
        return Activity(job.everywhere(works), {
            "stationary": part_of(stationary[step : step + 1], part, array.ports.stationary),
            "moving": part_of(moving[:, step : step + 1], part, array.ports.moving),
            "output": part_of(out, drain_cycle, array.ports.output),
        })  # fmt: skip

    def run(self, array: Geometry, moving: Any, stationary: Any, dump: Any) -> tuple[Any, Integers]:
        """Step a job."""
        from dataflows.arrays.broadcast.output_steps import run_broadcast_output
        from dataflows.arrays.broadcast.stationary_steps import bus_pitches, load_pitches

        rows, columns, ports = array.rows, array.columns, array.ports
        pitches = (
            bus_pitches(rows, columns, ports.moving), bus_pitches(columns, rows, ports.stationary),
            load_pitches(rows, columns, ports.output),
        )  # fmt: skip
        return run_broadcast_output(
            moving, stationary, rows, columns, ports.stationary, ports.moving, ports.output, *pitches, dump
        )


def _interval_and_drain(array: Geometry) -> tuple[int, int]:
    """Return II and DC."""
    stationary, moving, drain = (port.cycles for port in BROADCAST_OUTPUT.port_intervals(array))
    return max(stationary, moving), drain


BROADCAST_OUTPUT = BroadcastOutput()
