"""What a stepped array does in a cycle: which PEs multiply, and which words pass its ports."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dataflows.arrays.geometry import Geometry, Spread

Operand = NDArray[Any]
Registers = Mapping[str, Operand]


class Activity(NamedTuple):
    """One cycle.

    Attributes
    ----------
    works : bool[rows, columns]
        PEs that multiply; those at an edge work on zeros.
    ports : dict of str to [words]
        What passes each port, by the port's role; words of an edge are zeros.
    """

    works: NDArray[np.bool_]
    ports: dict[str, Operand]


@dataclass(frozen=True)
class FoldedJob:
    """A job with its folds in the order in which they run: by group, block of N, and block of what lies on the rows.

    Attributes
    ----------
    moving, stationary : [groups, V, D] and [groups, D, N]
    """

    geometry: Geometry
    spread: Spread
    moving: Operand
    stationary: Operand

    @property
    def V(self) -> int:
        """Vectors."""
        return self.moving.shape[1]

    @property
    def D(self) -> int:
        """Length of the dot products."""
        return self.moving.shape[2]

    @property
    def folds(self) -> int:
        """Number of folds."""
        return len(self.moving) * self._inner * self._blocks_n

    @property
    def nothing(self) -> Operand:
        """No words."""
        return self.moving.ravel()[:0]

    def everywhere(self, works: bool) -> NDArray[np.bool_]:
        """Return PEs that all work, or that all wait."""
        return np.full((self.geometry.rows, self.geometry.columns), works)

    def beats(self, beat: int, steps: int) -> NDArray[np.bool_]:
        """Return the PEs (r, c) of a systolic array that have step `beat` - r - c of so many."""
        step = beat - np.add.outer(np.arange(self.geometry.rows), np.arange(self.geometry.columns))
        return (step >= 0) & (step < steps)

    def fold(self, number: int) -> tuple[Operand, Operand]:
        """Return the words of a fold, with zeros at its edges.

        Returns
        -------
        [V, rows] and [rows, columns] where D lies on the rows, else [rows, D] and [D, columns]
            The moving and the stationary words; nothing of a fold that the job does not have.
        """
        if not 0 <= number < self.folds:
            return self.moving[0, :0], self.stationary[0, :0]
        rest, block = divmod(number, self._inner)
        group, block_n = divmod(rest, self._blocks_n)
        rows, columns = self.geometry.rows, self.geometry.columns
        A, B = self.moving[group], _padded(self.stationary[group][:, block_n * columns :], 1, columns)
        first = block * rows
        if self.spread.rows == "D":
            return _padded(A[:, first:], 1, rows), _padded(B[first:], 0, rows)
        return _padded(A[first:], 0, rows), B

    @property
    def _inner(self) -> int:
        return -(-(self.D if self.spread.rows == "D" else self.V) // self.geometry.rows)

    @property
    def _blocks_n(self) -> int:
        return -(-self.stationary.shape[2] // self.geometry.columns)


def part_of(words: Operand, part: int, width: int) -> Operand:
    """Return the words that pass a port of some width as its part number `part`; none before or after them."""
    return words.ravel()[part * width : (part + 1) * width] if part >= 0 else words.ravel()[:0]


def _padded(words: Operand, axis: int, size: int) -> Operand:
    """Return the first `size` words along an axis, zeros where there are fewer."""
    part = words[:size] if axis == 0 else words[:, :size]
    missing = size - part.shape[axis]
    return np.pad(part, [(0, missing if place == axis else 0) for place in range(2)])
