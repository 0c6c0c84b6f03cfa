"""The first folds of one layer's product on the array, with small numbers, cycle by cycle."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap

import numpy as np

from dataflows.arrays.first_folds import SteppedFolds, elements
from dataflows.arrays.vcd import write_vcd
from dataflows.plans.origin import ProductOrigin
from simulator.batch.batches import Batches
from simulator.explain.chosen import check_passes, chosen_layer, chosen_phase
from simulator.machine.spec import Accelerator
from simulator.run.simulation import check_macs
from workloads.foundation.errors import InputError, nearest
from workloads.foundation.printable import printable
from workloads.trace import Trace

MOST_CYCLES = 5000  # that are kept where nobody asks for more
_MOST_BYTES = 1 << 30  # of registers
_WIDTH = 80
FOLDS = 2
SHOWN = 16  # cycles of a PE


@dataclass(frozen=True)
class LayerSteps:
    """The first folds of a layer's product.

    Attributes
    ----------
    title : str
        What is stepped.
    stepped : SteppedFolds
        Registers after each cycle, and what PEs and ports do.
    fold_cycles : int
        Cycles of the folds that were asked for; fewer may be kept.
    word_bits, sum_bits : int
        Widths of words and of psums.
    """

    title: str
    stepped: SteppedFolds
    fold_cycles: int
    word_bits: int
    sum_bits: int

    @property
    def registers(self) -> dict[str, np.ndarray]:
        """Every register after each cycle: [cycles, ...], such as `weight[cycle][row][column]`."""
        return self.stepped.registers

    def write_vcd(self, path: str | Path) -> None:
        """Write the waveform, for GTKWave: a clock, the cycle, the fold, and signals such as `weight[3][7]`."""
        words = self.stepped.word_registers
        bits = {name: self.word_bits if name in words else self.sum_bits for name in self.registers}
        write_vcd(self.registers, path, self.stepped.fold, bits)

    def picture(self, first: int | None = None, cycles: int = 4, register: str | None = None) -> str:
        """Return cycles as text: which PEs work, with a register of theirs, and the words on the ports.

        Parameters
        ----------
        first : int, optional
            The first cycle; else the one before the first PE works.
        cycles : int
            How many are shown.
        register : str, optional
            A register that each PE has one of; else the one that says most.

        Raises
        ------
        InputError
            If there is no such register or cycle.
        """
        name = self._plane(register)
        shown = self._window(first, cycles, np.ones(self._shape, dtype=np.bool_))
        return "\n".join([self.title, *(line for cycle in shown for line in self._cycle(cycle, name, shown))])

    def history(self, row: int, column: int, first: int | None = None, cycles: int = SHOWN) -> str:
        """Return the registers of one PE, a line a cycle.

        Raises
        ------
        InputError
            If there is no such PE or cycle.
        """
        from simulator.cli.console import long_table

        rows, columns = self._shape
        if not (0 <= row < rows and 0 <= column < columns):
            raise InputError("--pe", "", f"the array has no PE {row},{column}", f"it has {rows} x {columns}, from 0,0")
        names, this = self._planes, np.zeros(self._shape, dtype=np.bool_)
        this[row, column] = True
        heads = [("cycle", True), ("fold", True), ("works", False), *((name, True) for name in names)]
        lines = [
            [str(cycle), str(self.stepped.fold[cycle]), "yes" if self._works(cycle)[row, column] else ".",
             *(str(self.registers[name][cycle, row, column]) for name in names)]
            for cycle in self._window(first, cycles, this)
        ]  # fmt: skip
        return long_table(f"{self.title}\nregisters of the PE in row {row}, column {column}", heads, lines)

    @property
    def _planes(self) -> list[str]:
        shape = self.registers[self.stepped.watched].shape
        return [name for name, values in self.registers.items() if values.shape == shape]

    def _plane(self, register: str | None) -> str:
        if register is None:
            return self.stepped.watched
        if register not in self._planes:
            raise InputError("--register", "", f"a PE has no {register!r}", nearest(register, self._planes))
        return register

    @property
    def _shape(self) -> tuple[int, int]:
        rows, columns = self.registers[self.stepped.watched].shape[1:]
        return rows, columns

    def _window(self, first: int | None, cycles: int, watched: np.ndarray) -> range:
        """Return the cycles that are shown; by default from before the first in which one of the watched PEs works."""
        last = self.stepped.cycles
        if first is None:
            busy = (cycle for cycle in range(last) if self._works(cycle)[watched].any())
            first = max(0, next(busy, 0) - 1)
        if first >= last:
            raise InputError("--from", "", f"is {first}, and {last} cycles were kept", f"give at most {last - 1}")
        return range(first, min(last, first + cycles))

    def _works(self, cycle: int) -> np.ndarray:
        return self.stepped.activity_of(cycle).works

    def _cycle(self, cycle: int, name: str, shown: range) -> Iterator[str]:
        works, ports = self.stepped.activity_of(cycle)
        yield ""
        yield f"cycle {cycle}   fold {self.stepped.fold[cycle]}   {works.sum()} of {works.size} PEs work"
        for port, words in ports.items():
            yield _cut(f"  {port + ' port':16}" + (" ".join(map(str, words.tolist())) or "-"))
        if not works.any():
            return
        values = self.registers[name]
        longest = max(len(str(values[shown].max())), len(str(values[shown].min())), 2) + 1
        columns = min(works.shape[1], (_WIDTH - 5) // longest)
        more = f", columns 0 to {columns - 1} of {works.shape[1]}" if columns < works.shape[1] else ""
        yield f"  {name} of the PEs that work{more}"
        yield "     " + "".join(f"{column:{longest}}" for column in range(columns))
        for row, line in enumerate(values[cycle]):
            cells = (str(line[column]) if works[row, column] else "." for column in range(columns))
            yield f"{row:5}" + "".join(f"{cell:>{longest}}" for cell in cells)


def _cut(line: str) -> str:
    return line if len(line) <= _WIDTH else line[: _WIDTH - 4].rsplit(" ", 1)[0] + " ..."


def step_layer(
    trace: Trace, spec: Accelerator, layer: str, phase: str | None = None, pass_: str | None = None,
    folds: int = FOLDS, cycles: int | None = None,
) -> LayerSteps:  # fmt: skip
    """Step the first folds of the first product of a layer's pass, as it is tiled on a machine.

    The array works on the layer's first tile; in the place of its numbers are the digits 1 to 9, the same in each run.

    Parameters
    ----------
    phase, pass_ : str, optional
        The phase of the batch (else bp, or the run's first), and the pass (else the layer's first).
    folds : int
        How many folds are stepped.
    cycles : int, optional
        How many cycles are kept; else all of these folds, at most 5,000, and fewer where an array has very many
        registers.

    Raises
    ------
    InputError
        If there is no such layer, phase or pass, or the pass has no product.
    """
    index, kind = chosen_layer(trace, layer), chosen_phase(trace, phase)
    check_macs(trace, spec)
    batches = Batches(trace, spec)
    ops = batches.layer_ops(batches.kind(kind), index, alone=True)
    name = trace.mac_layers[index].id
    check_passes([] if pass_ is None else [pass_], [op.task.pass_ for op, _ in ops], name)
    op, work = next(pair for pair in ops if pass_ in (None, pair[0].task.pass_))
    origin = next((plan.origin for plan in work.plans if isinstance(plan.origin, ProductOrigin)), None)
    if origin is None:
        known = [op.task.pass_ for op, work in ops if any(isinstance(p.origin, ProductOrigin) for p in work.plans)]
        raise InputError("--pass", "", f"{op.task.pass_} of {name} has no product to step", f"give {known[0]}")
    first = origin.dataflow.first_folds(origin.array, origin.parts, folds)
    most = _MOST_BYTES // 8 // elements(first.layout)
    kept = min(first.cycles, min(most, MOST_CYCLES) if cycles is None else cycles)
    if kept > most:
        problem = f"{kept} cycles of {elements(first.layout)} registers take more memory than a GiB"
        raise InputError("--cycles", "", problem, f"give at most {most}")
    array, whole = origin.array, origin.formula
    tile, part = whole.kinds[0].names, "one of " if array.count > 1 else "a "
    title = "\n".join(wrap(
        f"{name} of {trace.network}, {op.task.pass_}, {spec.dataflow} on {part}{array.title} of {array.rows} x "
        f"{array.columns}: the first {min(folds, first.formula.folds)} of {whole.value('F', tile)} folds of a tile of "
        + ", ".join(f"{key} = {value}" for key, value in tile.items())
        + f"; cycles 0 to {first.cycles - 1}", _WIDTH,
    ))  # fmt: skip
    precision = spec.precision
    return LayerSteps(
        printable(title, keep="\n"), first.step(kept), first.cycles, precision.word_bits, precision.partial_sum_bits
    )
