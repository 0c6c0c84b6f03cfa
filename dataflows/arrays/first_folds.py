"""The first folds of a tile on a stepped array: real numbers in every register, and what happens in every cycle."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from typing import Protocol

import numpy as np

from dataflows.arrays.activity import Activity, FoldedJob, Operand
from dataflows.arrays.job import Geometry, JobArray, JobTiles, Register, ceil_div, filled_formula
from dataflows.arrays.stepped import step_job
from dataflows.formula import FilledFormula
from dataflows.integers import Integers


@dataclass(frozen=True)
class SteppedFolds:
    """The first folds of a tile, stepped.

    Attributes
    ----------
    registers : dict of str to [cycles, ...]
        Every register after each cycle.
    fold : int64[cycles]
        Number of the fold that has begun last; 0 before.
    watched : str
        The register that says most about a PE.
    word_registers : frozenset of str
        Registers of the operands' width; the others have that of psums.
    activity_of : callable
        Returns what PEs and ports do in a cycle.
    """

    registers: dict[str, Operand]
    fold: Integers
    watched: str
    word_registers: frozenset[str]
    activity_of: Callable[[int], Activity]

    @property
    def cycles(self) -> int:
        """Cycles that were kept."""
        return len(self.fold)


class FirstFolds(Protocol):
    """The first folds of a tile, before they are stepped."""

    @property
    def formula(self) -> FilledFormula:
        """The formula of what is stepped."""

    @property
    def cycles(self) -> int:
        """Cycles until the folds that were asked for are over."""

    @property
    def layout(self) -> list[Register]:
        """The registers."""

    def step(self, cycles: int) -> SteppedFolds:
        """Step the folds and keep their first cycles."""


@dataclass(frozen=True)
class JobFolds:
    """The first folds of a job, cut to what they need, and one fold more, which shows what overlaps."""

    array: JobArray
    geometry: Geometry
    job: JobTiles
    folds: int

    @cached_property
    def cut(self) -> JobTiles:
        """The job that is stepped."""
        spread, rows, columns = self.array.spread, self.geometry.rows, self.geometry.columns
        sizes = {axis: int(getattr(self.job, axis)[0]) for axis in ("groups", "V", "D", "N")}
        wanted = self.folds + 1
        inner = ceil_div(sizes[spread.rows], rows)
        sizes[spread.rows] = min(sizes[spread.rows], wanted * rows)
        blocks = ceil_div(sizes["N"], columns)
        sizes["N"] = min(sizes["N"], ceil_div(wanted, inner) * columns)
        sizes["groups"] = min(sizes["groups"], ceil_div(wanted, inner * blocks))
        groups, V, D, N = (np.array([size]) for size in sizes.values())
        return JobTiles(groups, V, D, N, self.job.W if self.job.W is None else self.job.W[:1])

    @cached_property
    def formula(self) -> FilledFormula:
        """The formula of what is stepped."""
        return filled_formula(self.array, self.geometry, self.cut)

    @property
    def cycles(self) -> int:
        """Cycles until the folds that were asked for are over."""
        return last_cycle(self.formula, self.folds)

    @property
    def layout(self) -> list[Register]:
        """The registers."""
        return self.array.registers(self.geometry)

    @cached_property
    def operands(self) -> tuple[Operand, Operand]:
        """The moving and the stationary matrix."""
        groups, V, D, N = (int(getattr(self.cut, axis)[0]) for axis in ("groups", "V", "D", "N"))
        moving, stationary = small_integers((groups, V, D), (groups, D, N))
        return moving, stationary

    def step(self, cycles: int) -> SteppedFolds:
        """Step the folds and keep their first cycles."""
        geometry = self.geometry
        if self.job.W is not None:
            geometry = replace(geometry, row_vectors=int(self.job.W[0]))
        done = step_job(self.array, geometry, *self.operands, cycles)
        assert done.registers is not None
        job, registers = FoldedJob(geometry, self.array.spread, *self.operands), done.registers
        words = frozenset(register.name for register in self.layout if register.is_word)
        return SteppedFolds(
            registers, fold_numbers(self.formula, len(next(iter(registers.values())))), self.array.watched, words,
            lambda cycle: self.array.activity(job, registers, cycle),
        )  # fmt: skip


def small_integers(*shapes: tuple[int, ...]) -> tuple[Operand, ...]:
    """Return operands that a reader can follow: the digits 1 to 9, the same in each run."""
    numbers = np.random.default_rng(0)
    return tuple(numbers.integers(1, 10, shape) for shape in shapes)


def last_cycle(formula: FilledFormula, folds: int) -> int:
    """Return the cycles of the first folds of a job: up to the begin of the next one, or all of a job without."""
    (job,) = formula.kinds
    if formula.folds <= folds:
        return formula.total
    return formula.value(formula.formula.begin, {**job.names, "f": folds})


def fold_numbers(formula: FilledFormula, cycles: int) -> Integers:
    """Return the number of the fold in each cycle."""
    (job,) = formula.kinds
    begins = [formula.value(formula.formula.begin, {**job.names, "f": f}) for f in range(1, formula.folds)]
    return np.searchsorted(begins, np.arange(cycles), side="right")


def elements(layout: list[Register]) -> int:
    """Return how many registers a layout has."""
    return sum(prod(register.shape) for register in layout)
