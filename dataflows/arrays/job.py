"""Jobs: what an array is given, whatever the dataflow calls its operands.

A job is `groups` products of a moving (V x D) and a stationary (D x N) matrix.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from dataflows.plan import Integers


@dataclass(frozen=True, slots=True)
class Ports:
    """Words a cycle through the ports of an array."""

    stationary: int
    moving: int
    output: int


@dataclass(frozen=True, slots=True)
class Geometry:
    """An array: its PEs, its ports, and how a systolic array drains sums that stay (`systolic_os_drain`)."""

    rows: int
    columns: int
    ports: Ports
    serial_drain: bool = False


@dataclass(frozen=True, slots=True)
class JobTiles:
    """Jobs in a row, tile after tile; one entry a tile."""

    groups: Integers
    V: Integers
    D: Integers
    N: Integers

    @property
    def macs(self) -> Integers:
        """Multiply-accumulates of each tile."""
        return self.groups * self.V * self.D * self.N


@dataclass(frozen=True, slots=True)
class JobQuanta:
    """Extents of a tile that suit the array.

    Attributes
    ----------
    V, D, N : int
        Extents that fill the array; a tile that is no multiple wastes PEs.
    streamed : str
        The axis that streams through a fold.
    least : int
        Least extent of it that hides the loading or the draining of the neighbouring fold.
    overhead : int
        What each fold costs beyond its streaming, in steps of the streamed axis.
    """

    V: int
    D: int
    N: int
    streamed: Literal["V", "D"]
    least: int = 1
    overhead: int = 0


@dataclass(frozen=True, slots=True)
class JobTiming:
    """Cycles of tiles on the array; see `dataflows.plan.Plan` for their meaning."""

    stream_cycles: Integers
    gap_cycles: Integers
    fill_cycles: int
    drain_cycles: int


@dataclass(frozen=True, slots=True)
class JobTraffic:
    """Words across the array's edge and register accesses inside; sums over all tiles.

    Attributes
    ----------
    moving_words, stationary_words : int
        Real words that enter.
    sums : int
        Sums that leave, finished or not.
    register_reads, register_writes : int
        Of the registers that make the dataflow stationary.
    """

    moving_words: int
    stationary_words: int
    sums: int
    register_reads: int
    register_writes: int


class ArrayModel(Protocol):
    """The closed forms of an array.

    Attributes
    ----------
    sums_return : bool
        Whether partial sums come back to the array to be added to, or are added where they are kept.
    """

    sums_return: bool

    def quanta(self, array: Geometry) -> JobQuanta:
        """Return the extents that suit the array."""

    def timing(self, array: Geometry, tiles: JobTiles) -> JobTiming:
        """Return the cycles of each tile."""

    def traffic(self, array: Geometry, tiles: JobTiles) -> JobTraffic:
        """Return what the tiles move."""


def gaps_behind(hidden: Integers, needed: int) -> Integers:
    """Return the gap before each tile where `needed` cycles must pass, less what the fold before hides."""
    gaps = np.zeros_like(hidden)
    gaps[1:] = np.maximum(0, needed - hidden[:-1])
    return gaps


def folds(extent: Integers, size: int) -> Integers:
    """Return how many blocks of `size` cover each extent."""
    return -(-extent // size)


def ceil_div(a: int, b: int) -> int:
    """Return a / b, rounded up."""
    return -(-a // b)
