"""The first folds of a convolution on a stepped row-stationary array."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from dataflows.arrays.activity import Activity, Registers
from dataflows.arrays.broadcast.row_stationary import RowArray, RowMapping, intervals, row_formula
from dataflows.arrays.first_folds import SteppedFolds, fold_numbers, last_cycle, small_integers
from dataflows.arrays.job import Register
from dataflows.convolution import ConvolutionTiles
from dataflows.formula import FilledFormula
from dataflows.integers import Integers
from dataflows.operands import ConvolutionOperands


@dataclass(frozen=True)
class RowFolds:
    """The first folds of a tile under a mapping, cut to what they and one fold more need."""

    array: RowArray
    mapping: RowMapping
    tiles: ConvolutionTiles
    folds: int

    @cached_property
    def cut(self) -> ConvolutionTiles:
        """The convolution that is stepped."""
        m, tiles, wanted = self.mapping, self.tiles, self.folds + 1
        sizes = {size: getattr(tiles, size)[:1] for size in ("groups", "images", "channels", "filters", "filter_rows")}
        inside = -(-tiles.filter_columns // m.w)
        for size, block in (("filter_rows", m.h), ("channels", m.r * m.q), ("filters", m.t * m.p), ("groups", m.d)):
            blocks = -(-sizes[size] // block)
            sizes[size] = np.minimum(sizes[size], -(-wanted // inside) * block)
            inside = inside * blocks
        return replace(tiles, **sizes, rows=tiles.rows[:1])

    @cached_property
    def formula(self) -> FilledFormula:
        """The formula of what is stepped."""
        return row_formula(self.array, self.mapping, self.cut)

    @property
    def cycles(self) -> int:
        """Cycles until the folds that were asked for are over."""
        return last_cycle(self.formula, self.folds)

    @property
    def layout(self) -> list[Register]:
        """The registers."""
        return self.array.registers

    @cached_property
    def operands(self) -> ConvolutionOperands:
        """The numbers."""
        cut, (sy, sx), (dy, dx) = self.cut, *self.cut.sliding
        groups, images, channels, filters, filter_rows, rows = (
            int(size[0]) for size in (cut.groups, cut.images, cut.channels, cut.filters, cut.filter_rows, cut.rows)
        )
        height, width = (rows - 1) * sy + (filter_rows - 1) * dy + 1, (cut.columns - 1) * sx + 1
        width += (cut.filter_columns - 1) * dx
        image, words = small_integers(
            (groups, images, channels, height, width), (groups, filters, channels, filter_rows, cut.filter_columns)
        )
        return ConvolutionOperands(image, words, rows, cut.columns, cut.sliding, cut.role)

    def step(self, cycles: int) -> SteppedFolds:
        """Step the folds and keep their first cycles."""
        from dataflows.arrays.broadcast.row_stationary_stepped import step_rows

        registers = step_rows(self.array, self.mapping, self.operands, cycles).registers
        assert registers is not None
        kept = len(registers["product"])
        return SteppedFolds(
            registers, fold_numbers(self.formula, kept), "product",
            frozenset(register.name for register in self.layout if register.is_word),
            lambda cycle: self.activity(registers, cycle),
        )  # fmt: skip

    def activity(self, registers: Registers, cycle: int) -> Activity:
        """Return what PEs do in a cycle, and the sums that leave; which image word comes when, the page leaves open."""
        array, m = self.array, self.mapping
        works = np.zeros((array.rows, array.columns), dtype=np.bool_)
        length = m.h * m.r
        chains = np.arange(m.e * m.t * m.d)
        for place in range(length):
            step = self._step(cycle - place - 1)
            works[length * (chains // array.columns) + place, chains % array.columns] = step >= 0
        leaves = self._step(cycle - length - 2) >= (m.q * m.w - 1) * m.p
        sums = registers["sum"][cycle].ravel()[: len(chains)]
        return Activity(works, {"output": sums if leaves else sums[:0]})

    def _step(self, since: int) -> int:
        """Return the step of the position that has entered by cycle `since`; -1 where it is over, or none has."""
        entered = int(np.searchsorted(self._enters, since, side="right")) - 1
        if entered < 0:
            return -1
        step = since - int(self._enters[entered])
        return step if step < self.mapping.steps else -1

    @cached_property
    def _enters(self) -> Integers:
        """The cycle in which each position enters: E(n)."""
        cut, m = self.cut, self.mapping
        wait = intervals(self.array, m, cut.sliding)
        runs = min(cut.sliding.classes, cut.columns)
        begins = [np.arange(-(-(cut.columns - run) // runs)) == 0 for run in range(runs)]
        strips = int((cut.images * -(-cut.rows // m.e))[0])
        first = np.tile(np.concatenate(begins), strips)
        steps = np.tile(np.where(first, wait.first, wait.next), self.formula.folds)
        steps[:: len(first)] = wait.fold
        steps[0] = wait.start - 1
        return np.cumsum(steps)
