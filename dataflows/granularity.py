"""Extents of tiles that suit an array, as a dataflow tells them to the search."""

from dataclasses import dataclass
from typing import Literal

Axis = Literal["vectors", "reduction", "columns"]


@dataclass(frozen=True, slots=True)
class Granularity:
    """Extents of tiles that suit the array.

    Attributes
    ----------
    vectors, reduction, columns : int
        Extents that fill the array, or all arrays; a tile that is no multiple wastes PEs. Of the axis that streams it
        is one step, which is as many vectors as there are arrays where these share vectors.
    streamed : str
        The axis that streams through a fold.
    step_cycles : int
        Cycles of a step of the streamed axis.
    least_cycles : int
        What a fold takes at least, since it hides the loading or the draining of the one beside it.
    overhead_cycles : int
        What each fold takes beyond its streaming.
    gap_cycles : int
        How much of a fold passes before its first step; a tile's first fold takes it as the tile's gap.
    waits_when_short : bool
        Whether a tile has a gap where its own fold is shorter than `least_cycles`, and not only the fold before it.
    most : int, optional
        Most steps of the streamed axis that a fold takes where the reduction needs several, so that psums fit in an
        accumulator memory.
    accumulated : bool
        Whether the psums of a tile stay in the array's accumulators.
    folds : int
        Folds that each block of the product is (`rs`: of a filter that is too tall or too wide for a PE set).
    ifmap_words : int, optional
        Words that one pass over the whole ifmap brings to the array, if no tile cuts it; None: one for each
        multiplication of a vector with a column, however it is cut.
    groups : int
        Groups that run side by side.
    space : (int, int), optional
        Images and rows of the sweep that run side by side, where images do not share folds; else the sweep is cut into
        positions, by `vectors` (or `reduction`, where it is the reduction).
    """

    vectors: int
    reduction: int
    columns: int
    streamed: Axis = "vectors"
    step_cycles: int = 1
    least_cycles: int = 0
    overhead_cycles: int = 0
    gap_cycles: int = 0
    waits_when_short: bool = False
    most: int | None = None
    accumulated: bool = False
    folds: int = 1
    ifmap_words: int | None = None
    groups: int = 1
    space: tuple[int, int] | None = None
