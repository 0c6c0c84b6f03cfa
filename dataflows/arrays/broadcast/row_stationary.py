"""Row-stationary array: closed forms (docs/microarchitecture.md, "Row stationary").

A job takes max(LC, I0) + F S + (F - 1) max(U + LC, I0, O) + U + h r + 1 cycles.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import gcd

import numpy as np

from dataflows.actions import ActionCounts
from dataflows.arrays.job import JobTiming, PortInterval, Register, ceil_div, folds, inside_counts
from dataflows.arrays.rtl import Rtl
from dataflows.convolution import ConvolutionTiles, Sliding
from dataflows.formula import FilledFormula, Formula
from dataflows.integers import Integers
from dataflows.traffic import ArrayTraffic

RTL = Rtl(
    "row_stationary",
    bench="convolutions",
    sources=("port_stage", *(f"row_stationary_{part}" for part in ("types", "delay", "sequencer", "ports", "pe"))),
)

_FORMULA = Formula(
    where={
        "U": "w * q * p",
        "LC": "ceil(h * r * t * d * U / WP)",
        "Z": "e * h - max(0, e - dy / gcd(sy, dy)) * max(0, h - sy / gcd(sy, dy))",
        "I0": "ceil(Z * r * q * d * w / IP)",
        "I1": "ceil(Z * r * q * d * min(w, sx / gcd(sx, dx)) / IP)",
        "O": "ceil(e * t * d * p / OP)",
        "B": "min(dx / gcd(sx, dx), columns)",
        "A": "images * ceil(rows / e)",
        "F": "ceil(groups / d) * ceil(filters / (t * p)) * ceil(channels / (r * q)) * ceil(filter_rows / h)"
        " * ceil(filter_columns / w)",
        "S": "(A * B - 1) * max(U, I0, O) + A * (columns - B) * max(U, I1, O)",
    },
    fill="max(LC, I0) - 1",
    stream="F * S + (F - 1) * max(U + LC, I0, O) + 1",
    gap="max(U + LC, I0, O) - 1",
    drain="U + h * r + 1",
    begin="max(LC, I0) - 1 + f * (S + max(U + LC, I0, O))",
)


@dataclass(frozen=True, slots=True)
class RowArray:
    """A row-stationary array: PEs, ports in words a cycle, and a PE's scratchpads in words.

    `whole_sets` says whether sets of PEs that fit are kept whole (see `BroadcastArray.row_stationary_sets`).
    """

    rows: int
    columns: int
    filter_port: int
    image_port: int
    output_port: int
    filter_words: int
    input_words: int
    sum_words: int
    whole_sets: bool = True

    @property
    def rtl(self) -> Rtl:
        """The array's RTL."""
        return RTL

    @property
    def registers(self) -> list[Register]:
        """The registers in the order of a dump."""
        plane = (self.rows, self.columns)
        return [
            Register("filter", (*plane, self.filter_words), "scratchpad"),
            Register("input", (*plane, self.input_words), "scratchpad"),
            Register("psum", (*plane, self.sum_words), "scratchpad_sum"),
            Register("product", plane, "product"), Register("chain", plane, "passing_sum"),
            Register("sum", plane, "passing_sum"),
        ]  # fmt: skip

    @property
    def port_intervals(self) -> tuple[PortInterval, PortInterval, PortInterval]:
        """What the filter, the image and the output port need for a word (a sum) of each row (column)."""
        return (
            PortInterval("for a filter word to each row", ceil_div(self.rows, self.filter_port)),
            PortInterval("for an image word to each row", ceil_div(self.rows, self.image_port)),
            PortInterval("for a sum from each column", ceil_div(self.columns, self.output_port)),
        )


@dataclass(frozen=True, slots=True)
class RowMapping:
    """How a convolution lies on the array; p, q, r, t and e are Eyeriss's letters.

    Attributes
    ----------
    h, w : int
        Filter rows in a set of PEs, and filter columns in a PE.
    q, p : int
        Channels and filters in a PE.
    r : int
        Sets with other channels, whose sums join one chain.
    e : int
        Output rows of a set.
    t, d : int
        Sets with other filters, and with other groups.
    """

    h: int
    w: int
    q: int
    p: int
    r: int
    e: int
    t: int
    d: int

    @property
    def pes(self) -> int:
        """PEs that work."""
        return self.h * self.r * self.e * self.t * self.d

    @property
    def steps(self) -> int:
        """MACs of a PE at one position (U)."""
        return self.w * self.q * self.p


@dataclass(frozen=True, slots=True)
class Intervals:
    """Cycles that the ports and PEs of a mapping need; names as in docs/microarchitecture.md."""

    load: int  # LC
    first: int  # max(U, I0, O)
    next: int  # max(U, I1, O)
    fold: int  # max(U + LC, I0, O)
    start: int  # max(LC, I0)


def seen_rows(rows: int, filter_rows: int, sliding: Sliding) -> int:
    """Return how many image rows a set of so many output and filter rows sees.

    Output row y and filter row i meet image row y sy + i dy, as do y + dy / g and i - sy / g with g = gcd(sy, dy): a
    pair counts where no such partner with a larger y is in the set.
    """
    stride, dilation = sliding.stride[0], sliding.dilation[0]
    common = gcd(stride, dilation)
    return rows * filter_rows - max(0, rows - dilation // common) * max(0, filter_rows - stride // common)


def intervals(array: RowArray, mapping: RowMapping, sliding: Sliding) -> Intervals:
    """Return the cycles between positions, and between folds."""
    m = mapping
    channels = seen_rows(m.e, m.h, sliding) * m.r * m.q * m.d
    load = ceil_div(m.h * m.r * m.t * m.d * m.steps, array.filter_port)
    run = ceil_div(channels * m.w, array.image_port)
    move = ceil_div(channels * min(m.w, sliding.words), array.image_port)
    leave = ceil_div(m.e * m.t * m.d * m.p, array.output_port)
    return Intervals(
        load, max(m.steps, run, leave), max(m.steps, move, leave), max(m.steps + load, run, leave), max(load, run)
    )


def row_timing(array: RowArray, mapping: RowMapping, tiles: ConvolutionTiles) -> JobTiming:
    """Return the cycles of each tile."""
    i, m = intervals(array, mapping, tiles.sliding), mapping
    count = _folds(m, tiles)
    rows, runs = tiles.images * folds(tiles.rows, m.e), min(tiles.sliding.classes, tiles.columns)
    span = (rows * runs - 1) * i.first + rows * (tiles.columns - runs) * i.next
    gaps = np.full_like(count, i.fold - 1)
    gaps[0] = 0
    return JobTiming(
        stream_cycles=count * span + (count - 1) * i.fold + 1,
        gap_cycles=gaps,
        fill_cycles=i.start - 1,
        drain_cycles=m.steps + m.h * m.r + 1,
    )


def _folds(m: RowMapping, tiles: ConvolutionTiles) -> Integers:
    """Return the folds of each tile."""
    return (
        folds(tiles.groups, m.d) * folds(tiles.filters, m.t * m.p) * folds(tiles.channels, m.r * m.q)
        * folds(tiles.filter_rows, m.h) * ceil_div(tiles.filter_columns, m.w)
    )  # fmt: skip


def row_formula(array: RowArray, mapping: RowMapping, tiles: ConvolutionTiles) -> FilledFormula:
    """Return the closed form of `row_timing` in words, with the numbers of a mapping and of tiles."""
    (sy, sx), (dy, dx) = tiles.sliding
    letters = {letter: getattr(mapping, letter) for letter in "hwqpretd"}
    ports = {"WP": array.filter_port, "IP": array.image_port, "OP": array.output_port}
    uncut = {"filter_columns": tiles.filter_columns, "columns": tiles.columns}
    sizes = ("groups", "images", "channels", "filters", "filter_rows", "rows")
    fixed = {**letters, **ports, "sy": sy, "sx": sx, "dy": dy, "dx": dx, **uncut}
    return FilledFormula(_FORMULA, fixed, {size: getattr(tiles, size) for size in sizes})


def row_counts(array: RowArray, writes: Sequence[int], macs: int, moved: tuple[int, int, int, int]) -> ActionCounts:
    """Return what scratchpads, registers and wires inside the array do.

    Parameters
    ----------
    writes : sequence of int
        Of each register, in the order of a dump; those of scratchpads without edges' zeros.
    moved : (int, int, int, int)
        Image and filter words that enter, sums that leave or come back, and sums that a row puts into its chain. As
        many MACs as the last read no psum.
    """
    image_words, filter_words, sums, row_sums = moved
    filters, inputs, *_ = writes
    edge = array.rows + array.columns  # a bus along the rows, then one along a row
    # From the first PE that takes a word the next one is its neighbour in the row (a filter's) or across (an image's).
    word_pitches = (image_words + filter_words) * edge + (filters - filter_words) + 2 * (inputs - image_words)
    counts = inside_counts(array.registers, writes, macs, word_pitches, sums * edge + row_sums)
    return counts + ActionCounts(scratchpad_reads=2 * macs, scratchpad_sum_reads=macs - row_sums)


def row_traffic(
    array: RowArray, mapping: RowMapping, tiles: ConvolutionTiles, finished_words: int, times: Integers | int = 1
) -> ArrayTraffic:
    """Return the words in and out of so many of each tile, and what scratchpads, registers and wires do."""
    m = mapping
    fold_count = _folds(m, tiles) * times  # d groups share a fold, so tiles do not as one with all their groups would
    tiles = replace(tiles, groups=tiles.groups * times)
    channel_blocks, row_blocks = folds(tiles.channels, m.r * m.q), folds(tiles.filter_rows, m.h)
    widths = [min(m.w, tiles.filter_columns - j) for j in range(0, tiles.filter_columns, m.w)]
    runs = min(tiles.sliding.classes, tiles.columns)
    window_words = sum(runs * w + (tiles.columns - runs) * min(w, tiles.sliding.words) for w in widths)
    channel_images = tiles.groups * tiles.images * tiles.channels
    seen = _seen_rows_of_tiles(mapping, tiles)
    image_words = channel_images * folds(tiles.filters, m.t * m.p) * seen * window_words
    filter_words = tiles.groups * tiles.filters * tiles.channels * tiles.filter_rows * tiles.filter_columns
    results = tiles.groups * tiles.images * tiles.filters * tiles.rows * tiles.columns
    sums = results * channel_blocks * row_blocks * len(widths)
    # parts of a chain that have a real channel, summed over the blocks of channels
    rest = tiles.channels - (channel_blocks - 1) * m.r * m.q
    parts = (channel_blocks - 1) * m.r + folds(rest, m.q)
    row_sums = int((results * parts * tiles.filter_rows * len(widths)).sum())
    rest = tiles.filters - (folds(tiles.filters, m.t * m.p) - 1) * m.t * m.p
    sets = (folds(tiles.filters, m.t * m.p) - 1) * m.t + folds(rest, m.p)
    taken = int((channel_images * sets * tiles.rows * tiles.filter_rows * window_words).sum())
    macs = int(tiles.macs.sum())
    filled = int((filter_words * np.minimum(m.e, tiles.rows)).sum())
    positions = int((fold_count * tiles.images * folds(tiles.rows, m.e) * tiles.columns).sum())
    writes = [
        filled, taken, macs - row_sums, positions * m.steps * m.pes, positions * m.p * m.pes,
        positions * m.p * m.e * m.t * m.d,
    ]  # fmt: skip
    partial, came, loaded = int(sums.sum()) - finished_words, int(image_words.sum()), int(filter_words.sum())
    return ArrayTraffic(
        ifmap_words=came,
        filter_words=loaded,
        partial_sum_writes=partial,
        partial_sum_reads=partial,
        network_words=came + loaded,
        inside=row_counts(array, writes, macs, (came, loaded, int(sums.sum()) + partial, row_sums)),
        sums_return=True,
    )


def _seen_rows_of_tiles(mapping: RowMapping, tiles: ConvolutionTiles) -> Integers:
    """Return, for each tile, the image rows seen in all its strips and blocks of filter rows together."""
    h, e = mapping.h, mapping.e
    seen = {}
    for rows, filter_rows in set(zip(tiles.rows.tolist(), tiles.filter_rows.tolist(), strict=True)):
        strips = [(e, rows // e), (rows % e, 1)]
        blocks = [(h, filter_rows // h), (filter_rows % h, 1)]
        seen[rows, filter_rows] = sum(
            seen_rows(strip, block, tiles.sliding) * times * repeats
            for strip, times in strips
            for block, repeats in blocks
            if strip and block
        )
    pairs = zip(tiles.rows.tolist(), tiles.filter_rows.tolist(), strict=True)
    return np.array([seen[pair] for pair in pairs], dtype=np.int64)
