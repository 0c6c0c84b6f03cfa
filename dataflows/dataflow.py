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
from dataflows.arrays.job import ArrayModel, Geometry, JobBlocks, JobTiles, JobTiming, Ports, cut_vectors
from dataflows.convolution import ConvolutionTiles
from dataflows.operands import ConvolutionOperands, SteppedProduct
from dataflows.traffic import ArrayTraffic
from workloads.foundation.errors import InputError, nearest
from workloads.passes import Product

Axis = Literal["vectors", "reduction", "columns"]


@dataclass(frozen=True, slots=True)
class Granularity:
    """Extents of tiles that suit the array.

    Attributes
    ----------
    vectors, reduction, columns : int
        Extents that fill the array; a tile that is no multiple wastes PEs.
    streamed : str
        The axis that streams through a fold.
    step_cycles : int
        Cycles of a step of the streamed axis.
    least_cycles : int
        What a fold takes at least, since it hides the loading or the draining of the one beside it.
    overhead_cycles : int
        What each fold takes beyond its streaming.
    most : int, optional
        Most of the streamed axis that a fold takes where the reduction needs several, so that partial sums fit in an
        accumulator memory.
    accumulated : bool
        Whether the partial sums of a tile stay in the array's accumulators.
    folds : int
        Folds that each block of the product is (`rs`: of a filter that is too tall or too wide for a PE set).
    image_words : int, optional
        Words that one pass over the whole image operand brings to the array; None: one for each multiplication of a
        vector with a column.
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
    most: int | None = None
    accumulated: bool = False
    folds: int = 1
    image_words: int | None = None
    groups: int = 1
    space: tuple[int, int] | None = None


class Dataflow(Protocol):
    """How matrix tiles run on a PE array."""

    name: str
    interconnect: Interconnect
    description: str

    def __hash__(self) -> int:
        """Plans are remembered by dataflow."""

    def mapped(self, array: PEArray, product: Product) -> "tuple[Dataflow, ...]":
        """Return this dataflow with each mapping of the product that may be the best; an op keeps one for all tiles."""

    def granularity(self, array: PEArray, product: Product) -> Granularity:
        """Return the extents of a tile that leave no PE idle, and what its folds take."""

    def timing(self, array: PEArray, tiles: ConvolutionTiles) -> JobTiming:
        """Return the cycles of each tile."""

    def traffic(self, array: PEArray, tiles: ConvolutionTiles, finished_words: int) -> ArrayTraffic:
        """Return what the tiles read and write; `finished_words` results leave for good."""

    def step(self, array: PEArray, operands: ConvolutionOperands, dump_cycles: int = 0) -> SteppedProduct:
        """Compute a convolution cycle by cycle; keep the registers of the first `dump_cycles` cycles."""


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

    def granularity(self, array: PEArray, product: Product) -> Granularity:
        """Return the array's granularity along the product's axes."""
        job = self.model.granularity(self.geometry(array))
        vectors: Axis = "vectors" if self.stationary == "filter" else "columns"
        streamed: Axis = vectors if job.streamed == "V" else "reduction"
        V, N = (job.V, job.N) if self.stationary == "filter" else (job.N, job.V)
        accumulated = self.accumulates(array)
        return Granularity(
            V, job.D, N, streamed, job.step_cycles, job.least_cycles, job.overhead_cycles,
            most=array.accumulator_sums if accumulated else None, accumulated=accumulated,
        )  # fmt: skip

    def mapped(self, array: PEArray, product: Product) -> tuple[Dataflow, ...]:
        """Return the dataflow itself, which lays every part alike."""
        return (self,)

    def timing(self, array: PEArray, tiles: ConvolutionTiles) -> JobTiming:
        """Return the cycles of each tile."""
        blocks = self.blocks(array, tiles)
        return blocks.joined(self.model.timing(self.geometry(array), blocks.jobs))

    def traffic(self, array: PEArray, tiles: ConvolutionTiles, finished_words: int) -> ArrayTraffic:
        """Return what the tiles read and write."""
        job = self.model.traffic(self.geometry(array), self.blocks(array, tiles).jobs)
        image, filters = job.moving_words, job.stationary_words
        if self.stationary == "image":
            image, filters = filters, image
        partial = job.sums - finished_words
        registers = (job.register_reads, job.register_writes)
        return ArrayTraffic(
            image, filters, partial, partial, *registers, self.model.sums_return, self.accumulates(array)
        )

    def step(self, array: PEArray, operands: ConvolutionOperands, dump_cycles: int = 0) -> SteppedProduct:
        """Compute a convolution as matrices, cycle by cycle."""
        from dataflows.arrays.stepped import MODELS, step_job

        image, filters = operands.matrices()
        if self.stationary == "image":
            image, filters = filters.transpose(0, 2, 1), image.transpose(0, 2, 1)
        name = next(name for name, model in MODELS.items() if model is self.model)
        job = step_job(name, self.geometry(array), image, filters, dump_cycles)
        result = job.result if self.stationary == "filter" else job.result.transpose(0, 2, 1)
        sizes = (len(result), operands.image.shape[1], operands.rows, operands.columns, -1)
        words = (job.traffic.moving_words, job.traffic.stationary_words)
        image_words, filter_words = words if self.stationary == "filter" else reversed(words)
        traffic = ArrayTraffic(
            image_words,
            filter_words,
            partial_sum_writes=job.traffic.sums - result.size,
            partial_sum_reads=job.partial_sums_read,
            register_reads=job.traffic.register_reads,
            register_writes=job.traffic.register_writes,
            sums_return=self.model.sums_return,
        )
        tensor = result.reshape(sizes).transpose(0, 1, 4, 2, 3)
        return SteppedProduct(tensor, job.cycles, job.macs, traffic, job.registers)

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

    def blocks(self, array: PEArray, tiles: ConvolutionTiles) -> JobBlocks:
        """Return product tiles as jobs whose partial sums fit in the accumulator memory."""
        return cut_vectors(self.jobs(tiles), array.accumulator_sums if self.accumulates(array) else 1 << 60, array.rows)

    def accumulates(self, array: PEArray) -> bool:
        """Whether partial sums lie in accumulators, which bound the vectors of a job."""
        return self.model.sums_by_vector and array.accumulator_sums > 0

    def jobs(self, tiles: ConvolutionTiles) -> JobTiles:
        """Return product tiles as jobs."""
        if self.stationary == "filter":
            return JobTiles(tiles.groups, tiles.vectors, tiles.reduction, tiles.filters)
        return JobTiles(tiles.groups, tiles.filters, tiles.reduction, tiles.vectors)


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
