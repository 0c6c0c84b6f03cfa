"""What the kernels of the planner know of a product, of its cuts and of the array, by name.

Cuts lie in tables of numbers, so that a kernel takes a few arrays whatever the number of mappings: a `Mapping` says
where its own cuts are.
"""

from typing import NamedTuple

from dataflows.integers import Integers

UNKNOWN_WORDS = -1


class Cut(NamedTuple):
    """A cut of one axis: a column of the table of cuts.

    Attributes
    ----------
    size, tiles : int
        Extent of a tile (all but the last one), and how many there are.
    work_one, work_more : int
        Blocks of all tiles, or cycles of their folds on the axis that streams: of tiles whose reduction is one fold,
        and of the others.
    passes_one, passes_more : int
        How often all tiles together bring the operand that does not span the axis, likewise.
    last : int
        Extent of the last tile.
    last_fold : int
        Cycles that the last tile's last fold streams; 0 on an axis that does not stream.
    """

    size: int
    tiles: int
    work_one: int
    work_more: int
    passes_one: int
    passes_more: int
    last: int
    last_fold: int


class SpaceCut(NamedTuple):
    """What is known of a cut of images and rows beside `Cut`: a column of the table of such cuts.

    Attributes
    ----------
    images, rows : int
        Of a tile.
    ifmap_most, ifmap_first, ifmap_all : int
        Ifmap words of one channel that the largest tile, the first and all together read.
    positions_most : int
        Output positions of the largest tile.
    reading : int
        How many tiles read any ifmap word.
    ifmap_pass : int
        Words that one pass over the ifmap in such tiles brings to the array; `UNKNOWN_WORDS` where nobody asked yet.
    """

    images: int
    rows: int
    ifmap_most: int
    ifmap_first: int
    ifmap_all: int
    positions_most: int
    reading: int
    ifmap_pass: int


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
    waits_when_short : int
        1 where a tile whose own fold is short has a gap for it.
    most : int
        Most of the streamed axis in a fold where the reduction needs several; 0 for any number.
    accumulated : int
        1 where psums stay in accumulators.
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
    waits_when_short: int
    most: int
    accumulated: int
    fill_cycles: int
    drain_cycles: int
    groups: int
    space_quantum: int
    side_images: int
    side_rows: int
    channels: int
    filters: int


class Axes(NamedTuple):
    """Where the cuts of a mapping begin in the table of cuts, and how many there are; the largest tiles come first.

    `more` is where those of images and rows begin in their second table.
    """

    space: int
    spaces: int
    groups: int
    groupings: int
    channels: int
    channelings: int
    filters: int
    filterings: int
    more: int


class Bounds(NamedTuple):
    """What a mapping takes at least: cycles of any tiling, and words that one pass over the ifmap brings."""

    least_time: int
    ifmap_pass: int


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


class Memory(NamedTuple):
    """What a placement and a budget say: bytes of elements, widths of ports, bytes of buffer for tiles, slack.

    `slack_percent` is -1 where any time is fast enough.
    """

    stream: StreamBytes
    buffer: MemoryBytes
    sram: MemoryBytes
    widths: MemoryWidths
    capacity: int
    slack_percent: int


class Rate(NamedTuple):
    """A channel: of a byte and of a transfer the least cycles; and numerator, denominator, latency of its rate.

    A transfer takes ceil(bytes numerator / denominator) + latency cycles, unless the channel must be asked.
    """

    of_a_byte: float
    of_a_transfer: int
    numerator: int
    denominator: int
    latency: int
    asked: int


class Tables(NamedTuple):
    """The cuts of a product under some mappings.

    Attributes
    ----------
    cuts : int64[8, cuts]
        All cuts of all mappings, see `Cut`.
    more : int64[8, cuts of images and rows]
        See `SpaceCut`.
    mappings : int64[mappings, numbers]
        `Axes`, `Bounds` and `Folds` of each.
    read, tile_rows : int64[rows, 5], int64[tiles]
        See `dataflows.plans.cut_kernels.rows_read`.
    """

    cuts: Integers
    more: Integers
    mappings: Integers
    read: Integers
    tile_rows: Integers


class Candidate(NamedTuple):
    """A tiling as places: of the mapping, of cuts among the mapping's, and of the order of loops."""

    mapping: int
    space: int
    group: int
    channels: int
    filters: int
    order: int
