"""What a dataflow is, and where it is found by name.

A new dataflow is one new file in `dataflows/kinds/` with an object `DATAFLOW`.
"""

import importlib
import pkgutil
from dataclasses import dataclass
from functools import cache
from typing import Literal, Protocol

from dataflows import kinds
from dataflows.array import Interconnect, PEArray
from dataflows.arrays.job import ArrayModel, Geometry, JobTiles, JobTiming, Ports
from dataflows.plan import Integers
from workloads.errors import InputError, nearest


@dataclass(frozen=True, slots=True)
class MatrixTiles:
    """Tiles of a product as matrix products; one entry a tile.

    `groups` times, an image matrix (vectors x reduction) meets a filter matrix (reduction x columns).
    """

    groups: Integers
    vectors: Integers
    reduction: Integers
    columns: Integers


Axis = Literal["vectors", "reduction", "columns"]


@dataclass(frozen=True, slots=True)
class Quanta:
    """Extents of tiles that suit the array.

    Attributes
    ----------
    vectors, reduction, columns : int
        Extents that fill the array; a tile that is no multiple wastes PEs.
    streamed : str
        The axis that streams through a fold.
    least : int
        Least extent of it that hides the loading or the draining of the neighbouring fold.
    overhead : int
        What each fold costs beyond its streaming, in steps of the streamed axis.
    """

    vectors: int
    reduction: int
    columns: int
    streamed: Axis = "vectors"
    least: int = 1
    overhead: int = 0


@dataclass(frozen=True, slots=True)
class ArrayTraffic:
    """Words that cross the array's edge, and register accesses inside; sums over all tiles.

    Partial sums that are added to are counted both when written and when read; finished results are
    counted in neither. `sums_return` says whether they are read back into the array or added where they are kept.
    """

    image_words: int
    filter_words: int
    partial_sum_writes: int
    partial_sum_reads: int
    register_reads: int
    register_writes: int
    sums_return: bool


class Dataflow(Protocol):
    """How matrix tiles run on a PE array."""

    name: str
    interconnect: Interconnect
    description: str

    def __hash__(self) -> int:
        """Plans are remembered by dataflow."""

    def quanta(self, array: PEArray) -> Quanta:
        """Return the extents of a tile that leave no PE idle."""

    def timing(self, array: PEArray, tiles: MatrixTiles) -> JobTiming:
        """Return the cycles of each tile."""

    def traffic(self, array: PEArray, tiles: MatrixTiles, finished_words: int) -> ArrayTraffic:
        """Return what the tiles read and write; `finished_words` results leave for good."""


@dataclass(frozen=True)
class JobDataflow:
    """A dataflow that gives an array its tiles as jobs (see `dataflows.arrays.job`).

    Attributes
    ----------
    stationary : str
        Which operand takes the stationary port: the `filter`, or the `image` (then the job is the
        product's transpose).
    """

    name: str
    interconnect: Interconnect
    description: str
    model: ArrayModel
    stationary: Literal["filter", "image"]

    def quanta(self, array: PEArray) -> Quanta:
        """Return the array's quanta along the product's axes."""
        job = self.model.quanta(self.geometry(array))
        vectors: Axis = "vectors" if self.stationary == "filter" else "columns"
        streamed: Axis = vectors if job.streamed == "V" else "reduction"
        V, N = (job.V, job.N) if self.stationary == "filter" else (job.N, job.V)
        return Quanta(V, job.D, N, streamed, job.least, job.overhead)

    def timing(self, array: PEArray, tiles: MatrixTiles) -> JobTiming:
        """Return the cycles of each tile."""
        return self.model.timing(self.geometry(array), self.jobs(tiles))

    def traffic(self, array: PEArray, tiles: MatrixTiles, finished_words: int) -> ArrayTraffic:
        """Return what the tiles read and write."""
        job = self.model.traffic(self.geometry(array), self.jobs(tiles))
        image, filters = job.moving_words, job.stationary_words
        if self.stationary == "image":
            image, filters = filters, image
        partial = job.sums - finished_words
        registers = (job.register_reads, job.register_writes)
        return ArrayTraffic(image, filters, partial, partial, *registers, self.model.sums_return)

    def geometry(self, array: PEArray) -> Geometry:
        """Return the array with its ports by the role of what goes through them."""
        ports = (array.weight_port_words_per_cycle, array.input_port_words_per_cycle)
        stationary, moving = ports if self.stationary == "filter" else reversed(ports)
        return Geometry(
            array.rows,
            array.columns,
            Ports(stationary, moving, array.output_port_words_per_cycle),
            serial_drain=array.systolic_os_drain == "serial",
        )

    def jobs(self, tiles: MatrixTiles) -> JobTiles:
        """Return product tiles as jobs."""
        if self.stationary == "filter":
            return JobTiles(tiles.groups, tiles.vectors, tiles.reduction, tiles.columns)
        return JobTiles(tiles.groups, tiles.columns, tiles.reduction, tiles.vectors)


@cache
def dataflows() -> dict[tuple[Interconnect, str], Dataflow]:
    """Return every dataflow by interconnect and name."""
    found: dict[tuple[Interconnect, str], Dataflow] = {}
    for module in pkgutil.iter_modules(kinds.__path__, f"{kinds.__name__}."):
        flow: Dataflow = importlib.import_module(module.name).DATAFLOW
        found[flow.interconnect, flow.name] = flow
    return found


def dataflow_names() -> set[str]:
    """Return the names of dataflows that some array has."""
    return {name for _, name in dataflows()}


def find_dataflow(name: str, interconnect: Interconnect, where: str, key: str) -> Dataflow:
    """Return a dataflow by name.

    Raises
    ------
    InputError
        If this interconnect has none of that name.
    """
    known = {flow for wires, flow in dataflows() if wires == interconnect}
    if name not in known:
        raise InputError(where, key, f"unknown dataflow {name!r} of a {interconnect} array", nearest(name, known))
    return dataflows()[interconnect, name]
