"""Jobs: what an array is given, whatever the dataflow calls its operands.

A job is `groups` products of a moving (V x D) and a stationary (D x N) matrix.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from dataflows.plans.plan import Integers


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
class JobGranularity:
    """Extents of a tile that suit the array.

    Attributes
    ----------
    V, D, N : int
        Extents that fill the array; a tile that is no multiple wastes PEs.
    streamed : str
        The axis that streams through a fold.
    step_cycles : int
        Cycles of a step of it.
    least_cycles : int
        What a fold takes at least, since it hides the loading or the draining of the one beside it.
    overhead_cycles : int
        What each fold takes beyond its streaming.
    """

    V: int
    D: int
    N: int
    streamed: Literal["V", "D"]
    step_cycles: int = 1
    least_cycles: int = 0
    overhead_cycles: int = 0


@dataclass(frozen=True, slots=True)
class JobTiming:
    """Cycles of tiles on the array; see `dataflows.plans.plan.Plan` for their meaning."""

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
    sums_by_vector : bool
        Whether partial sums leave the array vector by vector, so that an accumulator memory bounds the vectors of a
        job; else they stay until they leave for good.
    sums_return : bool
        Whether partial sums come back to the array to be added to, or are added where they are kept.
    """

    sums_by_vector: bool
    sums_return: bool

    def granularity(self, array: Geometry) -> JobGranularity:
        """Return the extents that suit the array."""

    def timing(self, array: Geometry, tiles: JobTiles) -> JobTiming:
        """Return the cycles of each tile."""

    def traffic(self, array: Geometry, tiles: JobTiles) -> JobTraffic:
        """Return what the tiles move."""


@dataclass(frozen=True, slots=True)
class JobBlocks:
    """Jobs cut along V so that their partial sums fit in an accumulator memory.

    Attributes
    ----------
    jobs : JobTiles
        The pieces, in order.
    first : int64[tiles]
        Index of each tile's first piece.
    """

    jobs: JobTiles
    first: Integers

    def joined(self, timing: JobTiming) -> JobTiming:
        """Return the timing of the tiles from that of their pieces; gaps between pieces of a tile are its own."""
        gaps = timing.gap_cycles.copy()
        gaps[self.first] = 0
        stream = np.add.reduceat(timing.stream_cycles + gaps, self.first)
        return JobTiming(stream, timing.gap_cycles[self.first], timing.fill_cycles, timing.drain_cycles)


def cut_vectors(tiles: JobTiles, most: int, rows: int) -> JobBlocks:
    """Cut tiles whose reduction takes more than one block of `rows` into pieces of at most `most` vectors."""
    pieces = np.where(rows < tiles.D, -(-tiles.V // most), 1)
    tile = np.repeat(np.arange(len(pieces)), pieces)
    first = np.cumsum(pieces) - pieces
    place = np.arange(len(tile)) - first[tile]
    V = np.where(pieces[tile] > 1, np.minimum(most, tiles.V[tile] - place * most), tiles.V[tile])
    return JobBlocks(JobTiles(tiles.groups[tile], V, tiles.D[tile], tiles.N[tile]), first)


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
