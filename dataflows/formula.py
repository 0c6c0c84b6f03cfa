"""A closed form in words: printed with its numbers filled in, and evaluated.

Each array says its own formula beside its code. A test holds the two equal (tests/ladder/test_formulas.py).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from math import ceil, gcd, log2
from typing import Any

import numpy as np

from dataflows.integers import Integers

_FUNCTIONS = {"__builtins__": {}, "min": min, "max": max, "ceil": ceil, "log2": log2,
              "gcd": lambda a, b: Fraction(gcd(int(a), int(b))),
              "issue_begin": lambda *numbers: _issue(*numbers)[0],
              "issue": lambda *numbers: _issue(*numbers)[1]}  # fmt: skip
_NAME = re.compile(r"[A-Za-z_]\w*")
BEFORE = "_before"


@dataclass(frozen=True)
class Formula:
    """The cycles of a plan's pieces as expressions over names; docs/microarchitecture.md, "Tiles", has their meaning.

    Expressions are Python's, with `ceil`, `log2`, `gcd`, `min` and `max`, and for a controller's instructions `issue`
    (cycles until the last vector has entered) and `issue_begin` (until the last fold begins); division is exact.

    Attributes
    ----------
    where : mapping of str to str
        Derived names in an order in which each follows from those before it. An array's have `F`, the folds of a piece.
    fill, stream, gap, drain : str
        Before the first piece, of a piece, between two pieces, after the last. A gap may also use names of the piece
        before, such as `V_before`.
    begin : str
        The cycle in which fold number `f` of a job begins.
    """

    where: Mapping[str, str] = field(hash=False)
    stream: str
    fill: str = "0"
    gap: str = "0"
    drain: str = "0"
    begin: str = "0"

    @property
    def has_rows(self) -> bool:
        """Whether it depends on `W`, the vectors that lie in one row of the ofmap."""
        return any("W" in used(one) for one in (self.stream, self.gap, *self.where.values()))


@dataclass(frozen=True)
class Kind:
    """Pieces that are alike: how many there are, and the numbers of one."""

    count: int
    names: Mapping[str, int]


@dataclass(frozen=True)
class FilledFormula:
    """A formula with the numbers of one plan.

    Attributes
    ----------
    fixed : mapping of str to int
        Numbers of the machine and the mapping.
    pieces : mapping of str to int64[pieces]
        Numbers of each piece of the plan, in the order in which they run.
    """

    formula: Formula
    fixed: Mapping[str, int]
    pieces: Mapping[str, Integers] = field(default_factory=dict)

    @cached_property
    def kinds(self) -> list[Kind]:
        """The pieces, those of the same numbers together, in the order of the first of each."""
        names = list(self.pieces)
        return [Kind(count, dict(zip(names, row, strict=True))) for count, row in _alike(list(self.pieces.values()))]

    @cached_property
    def gaps(self) -> list[Kind]:
        """The borders between two pieces, those of the same numbers together."""
        both = [*(values[1:] for values in self.pieces.values()), *(values[:-1] for values in self.pieces.values())]
        names = [*self.pieces, *(name + BEFORE for name in self.pieces)]
        return [Kind(count, dict(zip(names, row, strict=True))) for count, row in _alike(both)]

    def shared(self) -> dict[str, str]:
        """Return the derived names that do not depend on the piece, with their expressions."""
        found, known = {}, set(self.fixed)
        for name, expression in self.formula.where.items():
            if used(expression) <= known:
                found[name] = expression
                known.add(name)
        return found

    def names(self, own: Mapping[str, int]) -> dict[str, int]:
        """Return every number that can be known beside a piece's own: the fixed and the derived ones."""
        known = {**self.fixed, **own}
        for name, expression in self.formula.where.items():
            if used(expression) <= known.keys():
                known[name] = evaluate(expression, known)
        return known

    def value(self, expression: str, own: Mapping[str, int]) -> int:
        """Return an expression's value for a piece, or for two that follow each other."""
        return evaluate(expression, self.names(own))

    def filled(self, expression: str, own: Mapping[str, int]) -> str:
        """Return an expression with its numbers in the places of the names."""
        names = self.names(own)
        return _NAME.sub(lambda found: str(names.get(found[0], found[0])), expression)

    @property
    def total(self) -> int:
        """Cycles of all pieces, with the fill, the gaps and the drain."""
        formula = self.formula
        if not self.kinds:
            return 0
        streams = sum(kind.count * self.value(formula.stream, kind.names) for kind in self.kinds)
        gaps = sum(kind.count * self.value(formula.gap, kind.names) for kind in self.gaps)
        return self.value(formula.fill, {}) + streams + gaps + self.value(formula.drain, {})

    @property
    def folds(self) -> int:
        """Folds of all pieces; 0 where the formula has none."""
        if "F" not in self.formula.where:
            return 0
        return sum(kind.count * self.value("F", kind.names) for kind in self.kinds)


def used(expression: str) -> set[str]:
    """Return the names in an expression that are no functions."""
    return set(_NAME.findall(expression)) - _FUNCTIONS.keys()


def evaluate(expression: str, names: Mapping[str, int]) -> int:
    """Return an expression's value.

    Raises
    ------
    ValueError
        If it is not whole.
    """
    found: Any = eval(expression, _FUNCTIONS, {name: Fraction(value) for name, value in names.items()})
    if found != int(found):
        raise ValueError(f"{expression} is {found}")
    return int(found)


def _alike(columns: list[Integers]) -> Iterator[tuple[int, list[int]]]:
    """Yield each different row with how often it is there, in the order of the first of each."""
    if not columns or len(columns[0]) == 0:
        return
    rows, first, counts = np.unique(np.stack(columns, axis=1), axis=0, return_index=True, return_counts=True)
    for place in np.argsort(first):
        yield int(counts[place]), rows[place].tolist()


def _issue(*numbers: Any) -> tuple[int, int]:
    """Return what `issue` counts; its numbers may be exact fractions."""
    from dataflows.arrays.systolic_overlapped.issue import issue  # needs numba

    return issue(*(int(number) for number in numbers), np.zeros(0, np.int64))
