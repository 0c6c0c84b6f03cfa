"""What a dataflow is, and where it is found by name.

A new dataflow is one new file in `dataflows/kinds/` with an object `DATAFLOW`.
"""

import importlib
import pkgutil
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from dataflows import kinds
from dataflows.array import PEArray
from dataflows.plan import Integers
from workloads.errors import InputError, nearest


@dataclass(frozen=True, slots=True)
class MatrixTiles:
    """Tiles of a product as matrix products; one entry a tile.

    `groups` times, (vectors x reduction) meets (reduction x columns).
    """

    groups: Integers
    vectors: Integers
    reduction: Integers
    columns: Integers


@dataclass(frozen=True, slots=True)
class Quanta:
    """Extents of tiles that suit the array.

    Attributes
    ----------
    vectors : int
        Least vectors of a fold that hide the loading of the next one.
    reduction, columns : int
        Extents that fill the array; a tile that is no multiple wastes PEs.
    """

    vectors: int
    reduction: int
    columns: int


@dataclass(frozen=True, slots=True)
class ArrayTiming:
    """Cycles of tiles on the array; see `dataflows.plan.Plan` for their meaning."""

    stream_cycles: Integers
    last_fold_cycles: Integers
    fill_cycles: int
    drain_cycles: int


@dataclass(frozen=True, slots=True)
class ArrayTraffic:
    """Words that cross the array's edge, and register accesses inside; sums over all tiles.

    Partial sums that return to the array are counted both when written and when read;
    finished results are counted in neither.
    """

    image_words: int
    filter_words: int
    partial_sum_writes: int
    partial_sum_reads: int
    register_reads: int
    register_writes: int


class Dataflow(Protocol):
    """How matrix tiles run on a PE array."""

    name: str
    description: str

    def __hash__(self) -> int:
        """Plans are remembered by dataflow."""

    def quanta(self, array: PEArray) -> Quanta:
        """Return the extents of a tile that leave no PE idle."""

    def timing(self, array: PEArray, tiles: MatrixTiles) -> ArrayTiming:
        """Return the cycles of each tile."""

    def traffic(self, array: PEArray, tiles: MatrixTiles, finished_words: int) -> ArrayTraffic:
        """Return what the tiles read and write; `finished_words` results leave for good."""


@cache
def dataflows() -> dict[str, Dataflow]:
    """Return every dataflow by name."""
    found = {}
    for module in pkgutil.iter_modules(kinds.__path__, f"{kinds.__name__}."):
        flow: Dataflow = importlib.import_module(module.name).DATAFLOW
        found[flow.name] = flow
    return found


def find_dataflow(name: str, where: str = "--dataflow", key: str = "") -> Dataflow:
    """Return a dataflow by name.

    Raises
    ------
    InputError
        If there is none, with the nearest known name.
    """
    known = dataflows()
    if name not in known:
        raise InputError(where, key, f"unknown dataflow {name!r}", nearest(name, known))
    return known[name]
