"""Systolic array whose sums stay in the PEs (os): closed forms.

Folds run strictly in sequence. With wide ports a fold takes R + C + D - 2 cycles, which is SCALE-Sim's count
(docs/microarchitecture.md).
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
    in_sequence,
    inside_counts,
    output_work,
    over_blocks,
)
from dataflows.arrays.rtl import Rtl
from dataflows.arrays.wires import ONE_LINE, Lines, shifted_out
from dataflows.formula import Formula
from dataflows.integers import Integers

_SPREAD = Spread(rows="V", columns="N", time="D")


@dataclass(frozen=True)
class SystolicOutput:
    """Vectors enter at the left, filters at the top; sums stay, and drain at once or row by row (`serial_drain`)."""

    name: str = "systolic_output"
    serial_drain: bool = False
    sums_by_vector: bool = False
    sums_return: bool = False
    spread: Spread = _SPREAD
    watched: str = "acc"

    @property
    def rtl(self) -> Rtl:
        """The RTL, with the drain as its parameter."""
        parameters = (("SERIAL", int(self.serial_drain)),)
        return Rtl("systolic_os", lanes="R*C", parameters=parameters)

    @property
    def formula(self) -> Formula:
        """The formula, with the cycles DC of a drain."""
        return Formula(
            where={
                "II": "max(ceil(R / MP), ceil(C / SP))",
                "DC": "R * ceil(C / OP)" if self.serial_drain else "0",
                "F": "groups * ceil(V / R) * ceil(N / C)",
            },
            stream="F * ((D + R + C - 2) * II + DC)",
            begin="f * ((D + R + C - 2) * II + DC)",
        )

    def granularity(self, array: Geometry) -> JobGranularity:
        """Return rows of V, columns of N, and the skew and draining of each fold."""
        beat, drain = self._beat_and_drain(array)
        overhead = (array.rows + array.columns - 2) * beat + drain
        return JobGranularity(array.rows, 1, array.columns, "D", beat, overhead_cycles=overhead)

    def port_intervals(self, array: Geometry) -> tuple[PortInterval, PortInterval, PortInterval]:
        """Return the two parts of II, and what draining a fold takes."""
        drain = array.rows * ceil_div(array.columns, array.ports.output) if self.serial_drain else 0
        return (
            PortInterval("a step", ceil_div(array.columns, array.ports.stationary)),
            PortInterval("a step", ceil_div(array.rows, array.ports.moving)),
            PortInterval("to drain a fold", drain),
        )

    def timing(self, array: Geometry, tiles: JobTiles) -> JobTiming:
        """Return the cycles of each tile."""
        beat, drain = self._beat_and_drain(array)
        fold = (tiles.D + array.rows + array.columns - 2) * beat + drain
        return in_sequence(tiles.groups * folds(tiles.V, array.rows) * folds(tiles.N, array.columns), fold)

    def traffic(self, array: Geometry, tiles: JobTiles) -> JobTraffic:
        """Return the words in and out, and what registers and wires do; with a free drain sums take the same wires."""
        work, rows, pes = output_work(array, tiles), array.rows, array.pes
        shifts = rows * (rows - 1) * array.columns * work.folds if self.serial_drain else 0
        writes = [pes * work.steps, pes * work.steps, pes * work.steps + shifts]
        word_pitches = work.moving_words * array.columns + work.stationary_words * rows
        leaving = tiles.groups * tiles.N * over_blocks(tiles.V, rows, shifted_out(rows))
        inside = inside_counts(self.registers(array), writes, work.macs, word_pitches, int(leaving.sum()))
        return JobTraffic(work.moving_words, work.stationary_words, work.sums, inside)

    def lines(self, array: Geometry) -> Lines:
        """Return one line for each word: it moves on from PE to PE."""
        return ONE_LINE

    def registers(self, array: Geometry) -> list[Register]:
        """Return the page's registers."""
        plane = (array.rows, array.columns)
        return [
            Register("in", plane, "operand"), Register("filter", plane, "operand"), Register("acc", plane, "kept_sum"),
        ]  # fmt: skip

    def activity(self, job: FoldedJob, registers: Registers, cycle: int) -> Activity:
        """Return what the PEs and the ports do in a cycle."""
        array, D = job.geometry, job.D
        interval, drain = self._beat_and_drain(array)
        beats = (D + array.rows + array.columns - 2) * interval
        fold, since = divmod(cycle, beats + drain)
        beat, part = divmod(since, interval)
        ends = part == interval - 1 and since < beats and fold < job.folds
        works = job.beats(beat, D) & ends
        moving, stationary = job.fold(fold)
        ports = {}
        for name, words, lanes, width in (
            ("stationary", stationary.T, array.columns, array.ports.stationary),
            ("moving", moving, array.rows, array.ports.moving),
        ):
            step = beat - np.arange(lanes)
            enters = (step >= 0) & (step < D) & (fold < job.folds)
            now = np.zeros(lanes, words.dtype)
            now[enters] = words[np.arange(lanes)[enters], step[enters]]
            ports[name] = part_of(now, part, width)[part_of(enters, part, width)]
        if self.serial_drain:
            row_ends = since >= beats and (since - beats + 1) % (drain // array.rows) == 0 and fold < job.folds
            leaves = registers["acc"][cycle - 1][-1] if row_ends else job.nothing
        else:
            leaves = registers["acc"][cycle][works & ~job.beats(beat + 1, D)]
        return Activity(works, {**ports, "output": leaves})

    def run(self, array: Geometry, moving: Any, stationary: Any, dump: Any) -> tuple[Any, Integers]:
        """Step a job."""
        from dataflows.arrays.systolic.steps import run_systolic_output

        ports = array.ports
        return run_systolic_output(
            moving, stationary, array.rows, array.columns, ports.stationary, ports.moving, ports.output,
            self.serial_drain, dump,
        )  # fmt: skip

    def _beat_and_drain(self, array: Geometry) -> tuple[int, int]:
        """Return II and the cycles of a drain."""
        stationary, moving, drain = (port.cycles for port in self.port_intervals(array))
        return max(stationary, moving), drain


SYSTOLIC_OUTPUT = SystolicOutput()
SYSTOLIC_OUTPUT_SERIAL = SystolicOutput("systolic_output_serial", serial_drain=True)
