"""What a dataflow is, and where it is found by name.

A new dataflow is one new file in `dataflows/kinds/` with an object `DATAFLOW`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar

import numpy as np

from dataflows.array import PEArray, Side, Split, Stays, Way, arrays
from dataflows.arrays.job import (
    Geometry,
    JobBlocks,
    JobTiles,
    JobTiming,
    PortInterval,
    Ports,
    cut_vectors,
    filled_formula,
)
from dataflows.arrays.several import SeveralArrays
from dataflows.convolution import ConvolutionTiles, whole_convolution
from dataflows.formula import FilledFormula
from dataflows.granularity import Axis, Granularity
from dataflows.integers import Integers
from dataflows.operands import ConvolutionOperands, SteppedProduct, Tensor
from dataflows.traffic import ArrayTraffic
from workloads.foundation.errors import InputError, nearest
from workloads.foundation.registry import registry
from workloads.passes import Product

if TYPE_CHECKING:
    from dataflows.arrays.first_folds import FirstFolds

Spatial = tuple[tuple[str, int | str], ...]
"""What lies on an array, flat: by dotted key, such as `pe_rows.reduction`."""
T = TypeVar("T")
PORTS = ("weight_port_words_per_cycle", "input_port_words_per_cycle", "output_port_words_per_cycle")


class Dataflow(Protocol):
    """How matrix tiles run on a PE array."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def description(self) -> str:
        """What stays and what moves, in a line."""

    @property
    def way(self) -> Way:
        """How an array works under it; it runs on every array that has this among its `ways`."""

    def __hash__(self) -> int:
        """Plans are remembered by dataflow."""

    def sides(self, kind: type[PEArray]) -> dict[str, Side]:
        """Return the side that each port of a kind of array feeds, by the port's key in the spec."""

    def port_intervals(self, array: PEArray) -> dict[str, PortInterval]:
        """Return what each port of an array needs, by the port's key in the spec."""

    def mapped(self, array: PEArray, product: Product) -> "tuple[Dataflow, ...]":
        """Return this dataflow with each mapping of the product that may be the best; an op keeps one for all tiles."""

    def laid(self, array: PEArray, product: Product, spatial: Spatial) -> "tuple[Dataflow, ...]":
        """Return this dataflow with each mapping of the product that lies on the array as given.

        Parameters
        ----------
        spatial : Spatial
            Some or all of what `spatial` says.

        Raises
        ------
        ValueError
            If none does.
        """

    def granularity(self, array: PEArray, product: Product) -> Granularity:
        """Return the extents of a tile that leave no PE idle, and what its folds take."""

    def least_cycles(self, array: PEArray, product: Product) -> int:
        """Return what no tiling of a product streams in less."""

    def timing(self, array: PEArray, tiles: ConvolutionTiles) -> JobTiming:
        """Return the cycles of each tile."""

    def spatial(self, array: PEArray, product: Product) -> dict[str, dict[str, int] | str | int]:
        """Return what lies on the array's rows and columns, with how much of it, and what follows in time."""

    def formula(self, array: PEArray, tiles: ConvolutionTiles) -> FilledFormula:
        """Return the closed form of `timing` in words, with its numbers."""

    def traffic(
        self, array: PEArray, tiles: ConvolutionTiles, finished_words: int, times: Integers | int = 1
    ) -> ArrayTraffic:
        """Return what so many of each tile read and write; of all results `finished_words` leave for good."""

    def first_folds(self, array: PEArray, tiles: ConvolutionTiles, folds: int) -> "FirstFolds":
        """Return the first folds of the first tile, to be stepped with small numbers."""

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
    fold_vectors : int, optional
        Most vectors of a job that stream through a fold of one array where its reduction takes several.
    split : str
        What each of several arrays has a share of.
    """

    name: str
    description: str
    way: Stays
    stationary: Literal["filter", "image"]
    fold_vectors: int | None = None
    split: Split = "columns"

    def sides(self, kind: type[PEArray]) -> dict[str, Side]:
        """Return the side that each port of a kind of array feeds."""
        return self._by_port(*kind.ways[self.way])

    def port_intervals(self, array: PEArray) -> dict[str, PortInterval]:
        """Return what each port of an array needs."""
        return self._by_port(*array.job_array(self.way).port_intervals(self.geometry(array)))

    def _by_port(self, stationary: T, moving: T, output: T) -> dict[str, T]:
        """Return what belongs to ports by their role, by their keys in the spec."""
        weight, image = (stationary, moving) if self.stationary == "filter" else (moving, stationary)
        return dict(zip(PORTS, (weight, image, output), strict=True))

    def granularity(self, array: PEArray, product: Product) -> Granularity:
        """Return the array's granularity along the product's axes."""
        job = self.several(array).granularity
        vectors: Axis = "vectors" if self.stationary == "filter" else "columns"
        streamed: Axis = vectors if job.streamed == "V" else "reduction"
        V, N = (job.V, job.N) if self.stationary == "filter" else (job.N, job.V)
        accumulated = self.accumulates(array)
        taps = int(self.taps(array, whole_convolution(product))[0])
        return Granularity(
            V, job.D * taps, N, streamed, job.step_cycles, job.least_cycles, job.overhead_cycles,
            waits_when_short=job.waits_when_short, folds=taps,
            most=self.most_vectors(array), accumulated=accumulated,
        )  # fmt: skip

    def mapped(self, array: PEArray, product: Product) -> "tuple[JobDataflow, ...]":
        """Return the dataflow with each way to split a product over several arrays; else it lays every part alike."""
        return tuple(replace(self, split=split) for split in array.splits) if array.count > 1 else (self,)

    def laid(self, array: PEArray, product: Product, spatial: Spatial) -> tuple[Dataflow, ...]:
        """Return the dataflow with what is given of as many vectors a fold and of the split."""
        given, found = dict(spatial), self.mapped(array, product)
        most = given.pop("fold_vectors", None)
        if isinstance(most, int) and self.way != "operand stays":
            raise ValueError(f"has fold_vectors, and under {self.name} no vectors stream through a fold")
        own = [dict(flat(one.spatial(array, product))) for one in found]
        for key, value in given.items():
            if all(one.get(key) != value for one in own):
                there = ", ".join(f"{name} {one}" for name, one in own[0].items())
                raise ValueError(f"has {key} {value}, and {self.name} lays the {product.role} product so: {there}")
        found = tuple(one for one, has in zip(found, own, strict=True) if given.items() <= has.items())
        return tuple(replace(one, fold_vectors=most) for one in found) if isinstance(most, int) else found

    def least_cycles(self, array: PEArray, product: Product) -> int:
        """Return what no tiling of a product streams in less: the whole as one tile.

        Zero where accumulators cut vectors, which tiles of a short reduction go without.
        """
        if self.most_vectors(array) is not None:
            return 0
        return int(self.timing(array, whole_convolution(product)).stream_cycles.sum())

    def timing(self, array: PEArray, tiles: ConvolutionTiles) -> JobTiming:
        """Return the cycles of each tile."""
        blocks = self.blocks(array, tiles)
        return blocks.joined(self.several(array).timing(blocks.jobs))

    def spatial(self, array: PEArray, product: Product) -> dict[str, dict[str, int] | str | int]:
        """Return the product's axes on the array's rows, columns and time."""
        spread = array.job_array(self.way).spread
        names = {"V": "vectors", "D": "reduction", "N": "columns"}
        if self.stationary == "image":
            names |= {"V": "columns", "N": "vectors"}
        sizes = {"vectors": product.vectors, "reduction": product.reduction, "columns": product.columns}
        rows, columns = names[spread.rows], names[spread.columns]
        taps = int(self.taps(array, whole_convolution(product))[0])
        if taps > 1:
            rows, sizes["channels"] = "channels", product.reduction // taps
        return {
            "pe_rows": {rows: min(array.rows, sizes[rows])},
            "pe_columns": {columns: min(array.columns, sizes[columns])},
            "time": names[spread.time],
            **({} if array.count == 1 else {"arrays": {self.split: self._sharing(array, sizes[self.split])}}),
            **({} if self.fold_vectors is None else {"fold_vectors": self.fold_vectors}),
        }

    def formula(self, array: PEArray, tiles: ConvolutionTiles) -> FilledFormula:
        """Return the closed form of `timing` in words, with its numbers."""
        several = self.several(array)
        return filled_formula(several.array, several.geometry, several.jobs(self.blocks(array, tiles).jobs)[0])

    def traffic(
        self, array: PEArray, tiles: ConvolutionTiles, finished_words: int, times: Integers | int = 1
    ) -> ArrayTraffic:
        """Return what so many of each tile read and write: as much as one of as many times the groups."""
        tiles = replace(tiles, groups=tiles.groups * times)
        several = self.several(array)
        shared = several.traffic(self.blocks(array, tiles).jobs)
        job = shared.job
        image, filters = job.moving_words, job.stationary_words
        if self.stationary == "image":
            image, filters = filters, image
        partial = job.sums - finished_words
        return ArrayTraffic(
            image, filters, partial, partial, shared.network_words(several.lines), job.inside,
            several.array.sums_return, self.accumulates(array),
        )  # fmt: skip

    def first_folds(self, array: PEArray, tiles: ConvolutionTiles, folds: int) -> "FirstFolds":
        """Return the first folds of the first tile, to be stepped with small numbers."""
        from dataflows.arrays.first_folds import JobFolds

        several = self.several(array)
        return JobFolds(several.array, several.geometry, several.jobs(self.blocks(array, tiles).jobs)[0], folds)

    def step(self, array: PEArray, operands: ConvolutionOperands, dump_cycles: int = 0) -> SteppedProduct:
        """Compute a convolution as matrices, cycle by cycle."""
        several = self.several(array)
        taps = int(self.taps(array, operands.tiles)[0])
        W = self.jobs(array, operands.tiles).W
        if W is not None:
            several = replace(several, geometry=replace(several.geometry, row_vectors=int(W[0])))
        job, shared = several.step(*self.matrices(array, operands), dump_cycles)
        # psums of taps are added up as those of any two folds of a reduction
        sums = job.result.reshape(-1, taps, *job.result.shape[1:])
        result, read_by_taps = sums.sum(axis=1), sums[:, 1:].size
        result = result if self.stationary == "filter" else result.transpose(0, 2, 1)
        sizes = (len(result), operands.image.shape[1], operands.rows, operands.columns, -1)
        words = (job.traffic.moving_words, job.traffic.stationary_words)
        image_words, filter_words = words if self.stationary == "filter" else reversed(words)
        traffic = ArrayTraffic(
            image_words,
            filter_words,
            partial_sum_writes=job.traffic.sums - result.size,
            partial_sum_reads=job.partial_sums_read + read_by_taps,
            network_words=shared.network_words(several.lines),
            inside=job.traffic.inside,
            sums_return=several.array.sums_return,
        )
        tensor = result.reshape(sizes).transpose(0, 1, 4, 2, 3)
        return SteppedProduct(tensor, job.cycles, job.macs, traffic, job.registers)

    def matrices(self, array: PEArray, operands: ConvolutionOperands) -> tuple[Tensor, Tensor]:
        """Return a convolution as the moving [groups, V, D] and the stationary [groups, D, N] matrix of a job.

        A reduction of several taps that do not share a fold is so many groups, one after the other.
        """
        image, filters = operands.matrices()
        taps = int(self.taps(array, operands.tiles)[0])
        if taps > 1:  # the reduction is channels, and of each its taps
            groups, vectors, columns = len(image), image.shape[1], filters.shape[2]
            image = image.reshape(groups, vectors, -1, taps).transpose(0, 3, 1, 2).reshape(groups * taps, vectors, -1)
            filters = filters.reshape(groups, -1, taps, columns).swapaxes(1, 2).reshape(groups * taps, -1, columns)
        if self.stationary == "image":
            return filters.transpose(0, 2, 1), image.transpose(0, 2, 1)
        return image, filters

    def several(self, array: PEArray) -> SeveralArrays:
        """Return all arrays, at work on jobs that they share."""
        across: Literal["V", "N"] = "V" if (self.split == "vectors") == (self.stationary == "filter") else "N"
        return SeveralArrays(array.job_array(self.way), self.geometry(array), array.count, across)

    def _sharing(self, array: PEArray, extent: int) -> int:
        """Return how many arrays have a share of so much of the axis that is split."""
        return sum(int(share[0]) > 0 for share in self.several(array).shares(np.array([extent])))

    def geometry(self, array: PEArray) -> Geometry:
        """Return one array with its ports by the role of what goes through them."""
        ports = (array.weight_port_words_per_cycle, array.input_port_words_per_cycle)
        stationary, moving = ports if self.stationary == "filter" else reversed(ports)
        return Geometry(array.rows, array.columns, Ports(stationary, moving, array.output_port_words_per_cycle))

    def blocks(self, array: PEArray, tiles: ConvolutionTiles) -> JobBlocks:
        """Return product tiles as jobs whose psums fit in the accumulator memory."""
        jobs = self.jobs(array, tiles)
        several = (array.rows < jobs.D) | (self.taps(array, tiles) > 1)
        most = self.most_vectors(array)
        at_once = self.several(array).granularity.V if most is not None else 1
        return cut_vectors(jobs, 1 << 60 if most is None else most * at_once, several)

    def most_vectors(self, array: PEArray) -> int | None:
        """Return the most vectors of a job in a fold, by the accumulators and by what is given; None for any number."""
        limits = [array.accumulator_sums] if self.accumulates(array) else []
        limits += [] if self.fold_vectors is None else [self.fold_vectors]
        return min(limits, default=None)

    def accumulates(self, array: PEArray) -> bool:
        """Whether psums lie in accumulators, which bound the vectors of a job."""
        return array.job_array(self.way).sums_by_vector and array.accumulator_sums > 0

    def jobs(self, array: PEArray, tiles: ConvolutionTiles) -> JobTiles:
        """Return product tiles as jobs; taps that do not share a fold are groups of their own."""
        taps = self.taps(array, tiles)
        groups, reduction = tiles.groups * taps, tiles.reduction // taps
        if self.stationary == "filter":
            return JobTiles(groups, tiles.vectors, reduction, tiles.filters, tiles.row_vectors)
        return JobTiles(groups, tiles.filters, reduction, tiles.vectors)

    def taps(self, array: PEArray, tiles: ConvolutionTiles) -> Integers:
        """Return the taps of each tile that lie in folds of their own; 1 where they fill rows with the channels."""
        apart = array.reduction_on_rows == "channels" and self.way == "operand stays"
        return tiles.taps if apart else np.ones_like(tiles.groups)


def flat(spatial: Mapping[str, Mapping[str, int] | str | int]) -> Spatial:
    """Return what lies on an array, by dotted key."""
    return tuple(
        (f"{key}.{name}", size) if name else (key, size)
        for key, value in spatial.items()
        for name, size in (value.items() if isinstance(value, Mapping) else (("", value),))
    )


@cache
def dataflows() -> dict[tuple[str, str], Dataflow]:
    """Return what runs where: every dataflow by the kind of array and by its name.

    Raises
    ------
    InputError
        If no array works in the way of one.
    """
    flows: dict[str, Dataflow] = registry("dataflows.kinds", "DATAFLOW", "dataflows", Dataflow)
    ways = {way for array in arrays().values() for way in array.ways}
    for flow in flows.values():
        if flow.way not in ways:
            remedy = nearest(flow.way, ways)
            raise InputError(f"dataflow {flow.name}", "way", f"is {flow.way!r}, in which no array works", remedy)
    return {
        (kind, flow.name): flow for kind, array in arrays().items() for flow in flows.values() if flow.way in array.ways
    }


def dataflow_names() -> tuple[str, ...]:
    """Return the names of dataflows that some array has, in the order of the alphabet."""
    return tuple(sorted({name for _, name in dataflows()}))


def find_dataflow(name: str, kind: str, where: str, key: str) -> Dataflow:
    """Return a dataflow by name.

    Raises
    ------
    InputError
        If this kind of array has none of that name.
    """
    known = {flow for array, flow in dataflows() if array == kind}
    if name not in known:
        raise InputError(where, key, f"unknown dataflow {name!r} of a {kind} array", nearest(name, known))
    return dataflows()[kind, name]
