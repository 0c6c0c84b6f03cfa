"""Systolic array whose stationary operand stays in the PEs (ws, is): closed forms.

Folds run strictly in sequence. With wide ports a fold takes 2 R + C + V - 2 cycles, which is SCALE-Sim's count
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
    over_blocks,
    stationary_work,
)
from dataflows.arrays.rtl import Rtl
from dataflows.arrays.wires import ONE_LINE, Lines, shifted
from dataflows.formula import Formula
from dataflows.integers import Integers

_RTL = Rtl("systolic_stationary", reads_sums=True)
_FORMULA = Formula(
    where={
        "LC": "R * ceil(C / SP)",
        "II": "max(ceil(R / MP), ceil(C / OP))",
        "F": "groups * ceil(D / R) * ceil(N / C)",
    },
    stream="F * (LC + (V + R + C - 2) * II)",
    begin="f * (LC + (V + R + C - 2) * II)",
)
_SPREAD = Spread(rows="D", columns="N", time="V")


@dataclass(frozen=True)
class SystolicStationary:
    """Vectors enter at the left and move right, psums move down."""

    name: str = "systolic_stationary"
    sums_by_vector: bool = True
    sums_return: bool = False
    spread: Spread = _SPREAD
    watched: str = "psum"
    formula: Formula = _FORMULA
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
        """Return the words in and out, and what registers and wires do."""
        work, pes = stationary_work(array, tiles), array.pes
        writes = [pes * array.rows * work.folds, pes * work.steps, pes * work.steps]
        loaded = tiles.groups * tiles.N * over_blocks(tiles.D, array.rows, shifted(array.rows))
        word_pitches = work.moving_words * array.columns + int(loaded.sum())
        inside = inside_counts(self.registers(array), writes, work.macs, word_pitches, work.sums * array.rows)
        return JobTraffic(work.moving_words, work.stationary_words, work.sums, inside)

    def lines(self, array: Geometry) -> Lines:
        """Return one line for each word: it moves on from PE to PE."""
        return ONE_LINE

    def registers(self, array: Geometry) -> list[Register]:
        """Return the page's registers."""
        plane = (array.rows, array.columns)
        return [
            Register("weight", plane, "stationary"), Register("in", plane, "operand"),
            Register("psum", plane, "passing_sum"),
        ]  # fmt: skip

    def activity(self, job: FoldedJob, registers: Registers, cycle: int) -> Activity:
        """Return what the PEs and the ports do in a cycle."""
        array, V = job.geometry, job.V
        load, interval = _load_and_beat(array)
        fold, since = divmod(cycle, load + (V + array.rows + array.columns - 2) * interval)
        moving, stationary = job.fold(fold)
        row, row_cycle = divmod(since, load // array.rows)
        beat, part = divmod(since - load, interval)
        ends = beat >= 0 and part == interval - 1 and fold < job.folds
        works = job.beats(beat, V) & ends
        rows = np.arange(array.rows)
        enters = (beat - rows >= 0) & (beat - rows < V) & (beat >= 0) & (fold < job.folds)
        words = np.zeros_like(registers["in"][cycle][:, 0])
        words[enters] = moving[(beat - rows)[enters], rows[enters]]
        return Activity(works, {
            "stationary": part_of(stationary[::-1][row : row + 1], row_cycle, array.ports.stationary),
            "moving": part_of(words, part, array.ports.moving)[part_of(enters, part, array.ports.moving)],
            "output": registers["psum"][cycle][-1][works[-1]],
        })  # fmt: skip

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
