"""Systolic array whose stationary operand stays (ws, is) and whose next fold loads meanwhile: closed forms.

F folds of V vectors take LC + (F - 1) max(V II, LC) + V II + R + C - 1 cycles (docs/microarchitecture.md). Under a
controller that issues instructions a fold takes what `issue` counts.
"""

from dataclasses import dataclass
from functools import lru_cache
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
    inside_counts,
    loads_hidden,
    over_blocks,
    stationary_work,
)
from dataflows.arrays.rtl import Rtl
from dataflows.arrays.systolic_overlapped.instructions import Instructions
from dataflows.arrays.wires import ONE_LINE, Lines, shifted
from dataflows.formula import Formula
from dataflows.integers import Integers

_RTL = Rtl("overlapped_stationary", sources=("skew_delay",), reads_sums=True)
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
_ISSUE = "V, W, II, LC, IV, LI, IF, RC"
_LAST_ROW = "V_before - (ceil(V_before / W_before) - 1) * W_before"
_LAST = f"{_LAST_ROW} - (ceil(({_LAST_ROW}) / IV) - 1) * IV"  # vectors of a tile's last instruction
_SPREAD = Spread(rows="D", columns="N", time="V")


@dataclass(frozen=True)
class OverlappedStationary:
    """Vectors enter at the left and move right, psums and the next fold's words move down."""

    instructions: Instructions | None = None
    name: str = "overlapped_stationary"
    sums_by_vector: bool = True
    sums_return: bool = False
    spread: Spread = _SPREAD
    watched: str = "psum"

    @property
    def formula(self) -> Formula:
        """The closed form."""
        given = self.instructions
        if given is None:
            return _FORMULA
        numbers = {"IV": given.vectors, "LI": given.least_cycles, "IF": given.in_flight, "RC": given.result_cycles}
        return Formula(
            where={**_FORMULA.where, **{name: str(number) for name, number in numbers.items()}},
            fill="LC",
            stream=f"issue(F, {_ISSUE})",
            gap=f"max(0, max(LC, LI) - II * ({_LAST}))",
            drain="R + C - 1",
            begin=f"LC + issue_begin(f + 1, {_ISSUE})",
        )

    @property
    def rtl(self) -> Rtl | None:
        """The RTL of the array without a controller of instructions."""
        return _RTL if self.instructions is None else None

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
        drain = array.rows + array.columns - 1
        if self.instructions is None:
            return loads_hidden(count, tiles.V * interval, load, drain)
        given, V, W = self.instructions, tiles.V, tiles.V if tiles.W is None else tiles.W
        sizes = zip(count.tolist(), V.tolist(), W.tolist(), strict=True)
        stream = np.array([_issued(*tile, interval, load, given) for tile in sizes])
        last_row = V - (-(-V // W) - 1) * W
        last = last_row - (folds(last_row, given.vectors) - 1) * given.vectors
        gaps = np.zeros_like(V)
        gaps[1:] = np.maximum(0, max(load, given.least_cycles) - last[:-1] * interval)
        return JobTiming(stream, gaps, fill_cycles=load, drain_cycles=drain)

    def traffic(self, array: Geometry, tiles: JobTiles) -> JobTraffic:
        """Return the words in and out, and what registers and wires do."""
        work, pes = stationary_work(array, tiles), array.pes
        load = pes * array.rows * work.folds
        writes = [load, load, pes * work.folds, pes * work.steps, pes * work.steps]
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
        loaded = [Register(name, plane, "stationary") for name in ("shadow", "pass", "weight")]
        return [*loaded, Register("in", plane, "operand"), Register("psum", plane, "passing_sum")]

    def activity(self, job: FoldedJob, registers: Registers, cycle: int) -> Activity:
        """Return what the PEs and the ports do in a cycle."""
        array, V = job.geometry, job.V
        load, interval = _load_and_interval(array)
        entries, loads = self._entries_and_loads(job)
        skew = np.add.outer(np.arange(array.rows), np.arange(array.columns))
        works = np.isin(cycle - skew, entries)
        loaded = int(np.searchsorted(loads, cycle, "right")) - 1
        row, row_cycle = divmod(cycle - int(loads[loaded]), load // array.rows)
        fold, vector = divmod(int(np.searchsorted(entries, cycle)), V)
        part = interval - 1 - int(entries[min(fold * V + vector, len(entries) - 1)]) + cycle
        return Activity(works, {
            "stationary": part_of(job.fold(loaded)[1][::-1][row : row + 1], row_cycle, array.ports.stationary),
            "moving": part_of(job.fold(fold)[0][vector : vector + 1], part, array.ports.moving),
            "output": registers["psum"][cycle][-1][works[-1]],
        })  # fmt: skip

    def _entries_and_loads(self, job: FoldedJob) -> tuple[Integers, Integers]:
        """Return the cycles in which each vector enters, fold after fold, and in which each fold begins to load."""
        load, interval = _load_and_interval(job.geometry)
        if self.instructions is None:
            begins = load + np.arange(job.folds) * max(job.V * interval, load)
            return (begins[:, None] + np.arange(1, job.V + 1) * interval).ravel(), np.append(0, begins[:-1])
        from dataflows.arrays.systolic_overlapped.issue import issue  # needs numba

        entries, W = np.zeros(job.folds * job.V, np.int64), job.geometry.row_vectors or job.V
        issue(job.folds, job.V, W, interval, load, *_issuing(self.instructions), entries)
        V = job.V
        last_row = V - (ceil_div(V, W) - 1) * W
        first_of_last = V - last_row + (ceil_div(last_row, self.instructions.vectors) - 1) * self.instructions.vectors
        return load + entries, np.append(0, load + entries.reshape(-1, V)[:-1, first_of_last] - interval)

    def run(self, array: Geometry, moving: Any, stationary: Any, dump: Any) -> tuple[Any, Integers]:
        """Step a job."""
        from dataflows.arrays.systolic_overlapped.stationary_steps import run_overlapped_stationary

        ports = array.ports
        return run_overlapped_stationary(
            moving, stationary, array.rows, array.columns, ports.stationary, ports.moving, ports.output, dump,
            array.row_vectors or moving.shape[1], *_issuing(self.instructions),
        )  # fmt: skip


def _issuing(instructions: Instructions | None) -> tuple[int, int, int, int]:
    """Return a controller's numbers as kernels take them; zeros where there is none."""
    one = instructions
    return (0, 0, 0, 0) if one is None else (one.vectors, one.least_cycles, one.in_flight, one.result_cycles)


@lru_cache(maxsize=1 << 16)
def _issued(count: int, V: int, W: int, interval: int, load: int, instructions: Instructions) -> int:
    """Return the cycles until the last vector of a tile has entered."""
    from dataflows.arrays.systolic_overlapped.issue import issue  # needs numba

    return int(issue(count, V, W, interval, load, *_issuing(instructions), np.zeros(0, np.int64))[1])


def _load_and_interval(array: Geometry) -> tuple[int, int]:
    """Return LC and II."""
    load, moving, output = (port.cycles for port in OVERLAPPED_STATIONARY.port_intervals(array))
    return load, max(moving, output)


OVERLAPPED_STATIONARY = OverlappedStationary()
