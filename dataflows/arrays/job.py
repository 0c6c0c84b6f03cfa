"""Jobs: what an array is given, whatever the dataflow calls its operands.

A job is `groups` products of a moving (V x D) and a stationary (D x N) matrix.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from dataflows.actions import ActionCounts
from dataflows.arrays.activity import Activity, FoldedJob, Registers
from dataflows.arrays.geometry import Geometry as Geometry
from dataflows.arrays.geometry import Ports as Ports
from dataflows.arrays.geometry import Spread as Spread
from dataflows.arrays.rtl import Rtl
from dataflows.arrays.wires import Lines
from dataflows.formula import FilledFormula, Formula
from dataflows.integers import Integers


@dataclass(frozen=True, slots=True)
class JobTiles:
    """Jobs in a row, tile after tile; one entry a tile.

    Attributes
    ----------
    W : int64[tiles], optional
        Vectors that lie in one row of the ofmap; None: all of V.
    """

    groups: Integers
    V: Integers
    D: Integers
    N: Integers
    W: Integers | None = None

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
    waits_when_short : bool
        Whether a tile has a gap where its own fold is shorter than `least_cycles`, and not only the fold before it.
    """

    V: int
    D: int
    N: int
    streamed: Literal["V", "D"]
    step_cycles: int = 1
    least_cycles: int = 0
    overhead_cycles: int = 0
    waits_when_short: bool = False


@dataclass(frozen=True, slots=True)
class JobTiming:
    """Cycles of tiles on the array; see `dataflows.plans.plan.Plan` for their meaning."""

    stream_cycles: Integers
    gap_cycles: Integers
    fill_cycles: int
    drain_cycles: int


@dataclass(frozen=True, slots=True)
class JobTraffic:
    """Words across the array's edge, and what registers and wires inside do; sums over all tiles.

    Attributes
    ----------
    moving_words, stationary_words : int
        Real words that enter.
    sums : int
        Sums that leave, finished or not.
    inside : ActionCounts
        Reads and writes of registers, and words times the pitches of wire that they are driven over.
    """

    moving_words: int
    stationary_words: int
    sums: int
    inside: ActionCounts


class PortInterval(NamedTuple):
    """Cycles that a port alone needs for something, such as 2 "a step"."""

    what: str
    cycles: int


RegisterKind = Literal[
    "stationary", "operand", "product", "passing_sum", "kept_sum", "scratchpad", "scratchpad_sum"
]  # fmt: skip


class Register(NamedTuple):
    """A register of an array, or registers of one name: `weight[3][7]` is one of the shape (rows, columns).

    `kind` is what it holds: a word of what stays, a word that passes, or, at the width of sums, a product, a sum on its
    way out or a sum that stays; or words or psums of a scratchpad.
    """

    name: str
    shape: tuple[int, ...]
    kind: RegisterKind

    @property
    def is_word(self) -> bool:
        """Whether it has the width of words, and not that of sums."""
        return self.kind in ("stationary", "operand", "scratchpad")


class JobArray(Protocol):
    """An array at work on jobs: closed forms, registers and stepped kernel."""

    @property
    def name(self) -> str:
        """Its name, after its section in docs/microarchitecture.md."""

    @property
    def sums_by_vector(self) -> bool:
        """Whether psums leave vector by vector, so that an accumulator memory bounds the vectors of a job."""

    @property
    def sums_return(self) -> bool:
        """Whether psums come back to the array to be added to, or are added where they are kept."""

    @property
    def spread(self) -> Spread:
        """How a job's axes lie on the array."""

    @property
    def watched(self) -> str:
        """The register that a stepped array's picture shows: one for each PE."""

    def activity(self, job: FoldedJob, registers: Registers, cycle: int) -> Activity:
        """Return what the PEs and the ports do in a cycle, by the tables of docs/microarchitecture.md."""

    @property
    def formula(self) -> Formula:
        """The closed form of `timing` in words: over R and C, the ports SP, MP and OP, and a job's groups, V, D, N."""

    @property
    def rtl(self) -> Rtl | None:
        """Its RTL, where there is one."""

    def granularity(self, array: Geometry) -> JobGranularity:
        """Return the extents that suit the array."""

    def port_intervals(self, array: Geometry) -> tuple[PortInterval, PortInterval, PortInterval]:
        """Return what the stationary, the moving and the output port each need."""

    def timing(self, array: Geometry, tiles: JobTiles) -> JobTiming:
        """Return the cycles of each tile."""

    def traffic(self, array: Geometry, tiles: JobTiles) -> JobTraffic:
        """Return what the tiles move."""

    def lines(self, array: Geometry) -> Lines:
        """Return how many lines carry each word from its port into the array."""

    def registers(self, array: Geometry) -> list[Register]:
        """Return the registers in the order of a dump."""

    def run(self, array: Geometry, moving: Any, stationary: Any, dump: Any) -> tuple[Any, Integers]:
        """Step a job; parameters and returns as in `run_broadcast_stationary`."""


@dataclass(frozen=True, slots=True)
class JobBlocks:
    """Jobs cut along V so that their psums fit in an accumulator memory.

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


def cut_vectors(tiles: JobTiles, most: int, several: NDArray[np.bool_]) -> JobBlocks:
    """Cut tiles whose reduction takes several folds into pieces of at most `most` vectors."""
    pieces = np.where(several, -(-tiles.V // most), 1)
    tile = np.repeat(np.arange(len(pieces)), pieces)
    first = np.cumsum(pieces) - pieces
    place = np.arange(len(tile)) - first[tile]
    V = np.where(pieces[tile] > 1, np.minimum(most, tiles.V[tile] - place * most), tiles.V[tile])
    W = None if tiles.W is None else tiles.W[tile]
    return JobBlocks(JobTiles(tiles.groups[tile], V, tiles.D[tile], tiles.N[tile], W), first)


def filled_formula(array: JobArray, geometry: Geometry, jobs: JobTiles) -> FilledFormula:
    """Return an array's formula with the numbers of jobs in a row."""
    ports = geometry.ports
    fixed = {"R": geometry.rows, "C": geometry.columns, "SP": ports.stationary, "MP": ports.moving, "OP": ports.output}
    pieces = {"groups": jobs.groups, "V": jobs.V, "D": jobs.D, "N": jobs.N}
    if array.formula.has_rows:
        pieces["W"] = jobs.V if jobs.W is None else jobs.W
    return FilledFormula(array.formula, fixed, pieces)


def inside_counts(
    layout: Sequence[Register], writes: Sequence[int], macs: int, word_pitches: int, sum_pitches: int
) -> ActionCounts:
    """Return what registers and wires inside an array do.

    Parameters
    ----------
    writes : sequence of int
        Of each register, or of all of its name, in the order of the layout.
    macs : int
        Each reads the register of what stays.
    word_pitches, sum_pitches : int
        Words and sums times the pitches of wire that they are driven over.
    """
    kinds = dict.fromkeys(get_args(RegisterKind), 0)
    for register, count in zip(layout, writes, strict=True):
        kinds[register.kind] += count
    held = {register.kind for register in layout}
    return ActionCounts(
        stationary_register_reads=macs if "stationary" in held else 0,
        kept_sum_register_reads=macs if "kept_sum" in held else 0,
        stationary_register_writes=kinds["stationary"],
        operand_register_writes=kinds["operand"],
        product_register_writes=kinds["product"],
        passing_sum_register_writes=kinds["passing_sum"],
        kept_sum_register_writes=kinds["kept_sum"],
        scratchpad_writes=kinds["scratchpad"],
        scratchpad_sum_writes=kinds["scratchpad_sum"],
        array_network_word_pitches=word_pitches,
        array_network_sum_pitches=sum_pitches,
    )


class FoldWork(NamedTuple):
    """What the folds of all tiles come to; edges' zeros are left out of MACs, words and sums.

    `steps` are vectors, each once for each fold that it enters, or steps of the reduction: what streams through folds.
    """

    macs: int
    moving_words: int
    stationary_words: int
    sums: int
    folds: int
    steps: int


def stationary_work(array: Geometry, tiles: JobTiles) -> FoldWork:
    """Return what tiles come to where an operand stays: every fold reads its vectors anew and adds to its sums."""
    blocks_n = folds(tiles.N, array.columns)
    count = tiles.groups * folds(tiles.D, array.rows) * blocks_n
    return FoldWork(
        macs=int(tiles.macs.sum()),
        moving_words=int((tiles.groups * tiles.V * tiles.D * blocks_n).sum()),
        stationary_words=int((tiles.groups * tiles.D * tiles.N).sum()),
        sums=int((tiles.groups * tiles.V * tiles.N * folds(tiles.D, array.rows)).sum()),
        folds=int(count.sum()),
        steps=int((count * tiles.V).sum()),
    )


def output_work(array: Geometry, tiles: JobTiles) -> FoldWork:
    """Return what tiles come to where sums stay: one leaves once a tile, however long its reduction."""
    blocks_v, blocks_n = folds(tiles.V, array.rows), folds(tiles.N, array.columns)
    count = tiles.groups * blocks_v * blocks_n
    return FoldWork(
        macs=int(tiles.macs.sum()),
        moving_words=int((tiles.groups * tiles.V * tiles.D * blocks_n).sum()),
        stationary_words=int((tiles.groups * tiles.D * tiles.N * blocks_v).sum()),
        sums=int((tiles.groups * tiles.V * tiles.N).sum()),
        folds=int(count.sum()),
        steps=int((count * tiles.D).sum()),
    )


def over_blocks(extent: Integers, size: int, of_block: Sequence[int]) -> Integers:
    """Return what the blocks of each extent have together, by what a block of 0, 1, ... `size` has."""
    blocks = folds(extent, size)
    last = extent - (blocks - 1) * size
    return (blocks - 1) * of_block[size] + np.asarray(of_block)[last]


def in_sequence(count: Integers, fold: Integers) -> JobTiming:
    """Return the timing of tiles of so many folds of so many cycles, where no two folds overlap."""
    return JobTiming(stream_cycles=count * fold, gap_cycles=fold * 0, fill_cycles=0, drain_cycles=0)


def loads_hidden(count: Integers, fold: Integers, load: int, drain: int) -> JobTiming:
    """Return the timing of tiles of so many folds where a fold hides the `load` cycles of the next one."""
    stream = (count - 1) * np.maximum(fold, load) + fold
    return JobTiming(stream, _gaps_behind(fold, load), fill_cycles=load, drain_cycles=drain)


def drains_hidden(count: Integers, fold: Integers, drain: int, after: int) -> JobTiming:
    """Return the timing of tiles of so many folds where a fold hides the `drain` cycles of the one before.

    Sums find their registers empty, whether their own fold or the one before is the short one; `after` cycles more pass
    until the last of them leave.
    """
    gaps = np.maximum(_gaps_behind(fold, drain), drain - fold)
    gaps[0] = 0
    stream = (count - 1) * np.maximum(fold, drain) + fold
    return JobTiming(stream, gaps, fill_cycles=0, drain_cycles=drain + after)


def _gaps_behind(hidden: Integers, needed: int) -> Integers:
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
