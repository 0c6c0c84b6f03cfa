"""What the kernels of the tiling search know of a product, of its cuts and of the array, by name."""

from typing import NamedTuple

from dataflows.plans.transfers import Integers


class AxisCuts(NamedTuple):
    """The cuts of one axis, one entry a cut, the largest tiles first.

    Attributes
    ----------
    size, tiles : int64[cuts]
        Extent of a tile (all but the last one), and how many there are.
    work_one, work_more : int64[cuts]
        Blocks of all tiles, or cycles of their folds on the axis that streams: of tiles whose reduction is one fold,
        and of the others.
    passes_one, passes_more : int64[cuts]
        How often all tiles together bring the operand that does not span the axis, likewise.
    last : int64[cuts]
        Extent of the last tile.
    last_fold : int64[cuts]
        Cycles that the last tile's last fold streams; 0 on an axis that does not stream.
    """

    size: Integers
    tiles: Integers
    work_one: Integers
    work_more: Integers
    passes_one: Integers
    passes_more: Integers
    last: Integers
    last_fold: Integers


class Cut(NamedTuple):
    """One cut of an axis; see `AxisCuts`."""

    size: int
    tiles: int
    work_one: int
    work_more: int
    passes_one: int
    passes_more: int
    last: int
    last_fold: int


class SpaceCuts(NamedTuple):
    """What is known of each cut of images and rows beside `AxisCuts`.

    Attributes
    ----------
    images, rows : int64[cuts]
        Of a tile.
    ifmap_most, ifmap_first, ifmap_all : int64[cuts]
        Ifmap words of one channel that the largest tile, the first and all together read.
    positions_most : int64[cuts]
        Output positions of the largest tile.
    reading : int64[cuts]
        How many tiles read any ifmap word.
    """

    images: Integers
    rows: Integers
    ifmap_most: Integers
    ifmap_first: Integers
    ifmap_all: Integers
    positions_most: Integers
    reading: Integers


class Extents(NamedTuple):
    """A product's loops; see `dataflows.plans.loopnest.LoopNest`."""

    groups: int
    images: int
    rows: int
    row_positions: int
    channels: int
    filters: int
    kernel: int
    ifmap_row_words: int
    reduces_space: bool

    @classmethod
    def of(cls, nest: object) -> "Extents":
        """Return the extents of a loop nest."""
        return cls(*(getattr(nest, name) for name in cls._fields))


class Folds(NamedTuple):
    """How tiles run as folds; see `dataflows.dataflow.Granularity`.

    Attributes
    ----------
    streamed : int
        The axis that streams through a fold: 0 vectors, 1 reduction, 2 columns.
    each : int
        Folds of a block.
    step_cycles, least_cycles, overhead_cycles, gap_cycles : int
        Of a fold.
    waits_when_short : bool
        Whether a tile whose own fold is short has a gap for it.
    most : int
        Most of the streamed axis in a fold where the reduction needs several; 0 for any number.
    accumulated : bool
        Whether psums stay in accumulators.
    beside : int
        Cycles of a plan beside its folds.
    fill_cycles, drain_cycles : int
        Of a plan.
    groups, space_quantum, side_images, side_rows, channels, filters : int
        Groups, positions (or, if above 0, images and rows), words of channels, and filters of a block.
    """

    streamed: int
    each: int
    step_cycles: int
    least_cycles: int
    overhead_cycles: int
    gap_cycles: int
    waits_when_short: bool
    most: int
    accumulated: bool
    beside: int
    fill_cycles: int
    drain_cycles: int
    groups: int
    space_quantum: int
    side_images: int
    side_rows: int
    channels: int
    filters: int


class Sizes(NamedTuple):
    """Extents of a tile."""

    groups: int
    images: int
    rows: int
    channels: int
    filters: int


class StreamBytes(NamedTuple):
    """Bytes of an element of each stream between DRAM and the buffer; 0 for what lies on the chip."""

    ifmap: int
    filter: int
    result: int
    psum: int


class MemoryBytes(NamedTuple):
    """Bytes of an element that pass between one memory and the array."""

    ifmap: int
    filter: int
    result: int


class MemoryWidths(NamedTuple):
    """Bytes that the ports of a memory's banks pass in a cycle; `NO_LIMIT` for any number."""

    buffer: int
    predictor_sram: int
