"""Broadcast array whose stationary operand stays in the PEs (ws, is): closed forms.

F folds of V vectors take LC + 1 + (F - 1) max(V II, LC + 1) + V II + ceil(log2 R) + 2 cycles
(docs/microarchitecture.md).
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
    folds,
    inside_counts,
    loads_hidden,
    over_blocks,
    stationary_work,
)
from dataflows.arrays.rtl import Rtl
from dataflows.arrays.wires import Lines, bus_pitches, lines, row_by_row_pitches, tree_pitches
from dataflows.formula import Formula
from dataflows.integers import Integers

_RTL = Rtl("broadcast_stationary", reads_sums=True, datapath=True)
_FORMULA = Formula(
    where={
        "LC": "ceil(R * C / SP)",
        "II": "max(ceil(R / MP), ceil(C / OP))",
        "F": "groups * ceil(D / R) * ceil(N / C)",
    },
    fill="LC + 1",
    stream="(F - 1) * max(V * II, LC + 1) + V * II",
    gap="max(0, LC + 1 - V_before * II)",
    drain="ceil(log2(R)) + 2",
    begin="LC + f * max(V * II, LC + 1)",
)
_SPREAD = Spread(rows="D", columns="N", time="V")


@dataclass(frozen=True)
class BroadcastStationary:
    """Rows hold the reduction, columns the columns of the stationary matrix."""

    name: str = "broadcast_stationary"
    sums_by_vector: bool = True
    sums_return: bool = True
    spread: Spread = _SPREAD
    watched: str = "product"
    formula: Formula = _FORMULA
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
        return loads_hidden(count, fold, fill, drain=(array.rows - 1).bit_length() + 2)

    def traffic(self, array: Geometry, tiles: JobTiles) -> JobTraffic:
        """Return the words in and out, and what registers and wires do."""
        work, layout, columns = stationary_work(array, tiles), self.registers(array), array.columns
        once = {"shadow": work.folds, "weight": work.folds}
        writes = [prod(shape) * once.get(name, work.steps) for name, shape, _ in layout]
        word_pitches = work.moving_words * bus_pitches(self.lines(array).moving, columns)
        word_pitches += work.stationary_words * row_by_row_pitches(array, array.ports.stationary)
        tree = tiles.groups * tiles.V * tiles.N * over_blocks(tiles.D, array.rows, tree_pitches(array.rows))
        inside = inside_counts(layout, writes, work.macs, word_pitches, int(tree.sum()))
        return JobTraffic(work.moving_words, work.stationary_words, work.sums, inside)

    def lines(self, array: Geometry) -> Lines:
        """Return the lines of a row: a moving port that is wider than the rows has several."""
        return Lines(1, lines(array.rows, array.columns, array.ports.moving))

    def registers(self, array: Geometry) -> list[Register]:
        """Return the page's registers; level l of the tree is `tree_l`."""
        plane = (array.rows, array.columns)
        layout = [Register("shadow", plane, "stationary"), Register("weight", plane, "stationary")]
        layout += [Register("in", (array.rows,), "operand"), Register("product", plane, "product")]
        nodes, level = array.rows, 0
        while nodes > 1:
            nodes, level = (nodes + 1) // 2, level + 1
            layout.append(Register(f"tree_{level}", (nodes, array.columns), "passing_sum"))
        return [*layout, Register("sum", (array.columns,), "passing_sum")]

    def activity(self, job: FoldedJob, registers: Registers, cycle: int) -> Activity:
        """Return what the PEs and the ports do in a cycle."""
        array, V = job.geometry, job.V
        fill, interval = _fill_and_interval(array)
        period = max(V * interval, fill)
        loads, load_cycle = divmod(cycle - fill, period)  # of the fold after the one that began
        first = cycle < fill - 1
        entering, entering_cycle = divmod(cycle - fill, period)
        multiplied, since_multiplied = divmod(cycle - fill - interval, period)
        summed, since_summed = divmod(cycle - fill - interval - 1 - (array.rows - 1).bit_length(), period)
        vectors = job.fold(entering)[0][entering_cycle // interval : entering_cycle // interval + 1]
        loaded = job.fold(0 if first else loads + 1)[1] if first or loads >= 0 else job.nothing
        leaves = 0 <= summed < job.folds and since_summed % interval == 0 and since_summed < V * interval
        works = 0 <= multiplied < job.folds and since_multiplied % interval == 0 and since_multiplied < V * interval
        return Activity(job.everywhere(works), {
            "stationary": part_of(loaded, cycle if first else load_cycle, array.ports.stationary),
            "moving": part_of(vectors, entering_cycle % interval, array.ports.moving),
            "output": registers["sum"][cycle] if leaves else job.nothing,
        })  # fmt: skip

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
