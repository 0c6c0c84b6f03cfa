"""Several equal arrays that share each job (docs/machine.md, "Several arrays")."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from dataflows.actions import total as total_counts
from dataflows.arrays.job import Geometry, JobArray, JobGranularity, JobTiles, JobTiming, JobTraffic, folds
from dataflows.arrays.stepped import Operand, SteppedJob, step_job
from dataflows.arrays.wires import Lines
from dataflows.integers import Integers


@dataclass(frozen=True)
class SharedTraffic:
    """What passes between a memory and several arrays.

    Attributes
    ----------
    job : JobTraffic
        Words that the memory gives, each once for all arrays; accesses in all of them.
    moving_copies, stationary_copies : int
        Words that the network brings to further arrays.
    """

    job: JobTraffic
    moving_copies: int
    stationary_copies: int

    def network_words(self, lines: Lines) -> int:
        """Return the words of both operands, each once for each line that carries it to an array."""
        moving = (self.job.moving_words + self.moving_copies) * lines.moving
        return moving + (self.job.stationary_words + self.stationary_copies) * lines.stationary


@dataclass(frozen=True)
class SeveralArrays:
    """`count` equal arrays; each has its share of one `axis` of a job.

    Blocks that lie on an array's side are dealt to the arrays in turn. Steps of an axis in time are cut into equal
    runs, the last of them shorter. So the first array has the largest share of every tile.
    """

    array: JobArray
    geometry: Geometry
    count: int
    axis: Literal["V", "N"]

    @property
    def lines(self) -> Lines:
        """The lines that carry each word into an array."""
        return self.array.lines(self.geometry)

    @property
    def granularity(self) -> JobGranularity:
        """The extents that suit all arrays together; of an axis in time so many steps are one."""
        one = self.array.granularity(self.geometry)
        if self.axis == "V":
            return replace(one, V=one.V * self.count)
        return replace(one, N=one.N * self.count)

    def shares(self, extent: Integers) -> Iterator[Integers]:
        """Yield how much of the axis each array has, for each extent."""
        lanes = self._lanes
        if lanes is None:
            most = folds(extent, self.count)
            for place in range(self.count):
                yield np.clip(extent - place * most, 0, most)
            return
        blocks = folds(extent, lanes)
        for place in range(self.count):
            own = folds(np.maximum(0, blocks - place), self.count)
            has_last = (own > 0) & ((blocks - 1) % self.count == place)
            yield own * lanes - np.where(has_last, blocks * lanes - extent, 0)

    def jobs(self, jobs: JobTiles) -> list[JobTiles]:
        """Return each array's jobs; those of an array without work have no groups."""
        return [
            replace(jobs, **{"groups": jobs.groups * (share > 0), self.axis: share})
            for share in self.shares(getattr(jobs, self.axis))
        ]

    def timing(self, jobs: JobTiles) -> JobTiming:
        """Return the cycles of each tile: those of the largest share."""
        return self.array.timing(self.geometry, self.jobs(jobs)[0])

    def traffic(self, jobs: JobTiles) -> SharedTraffic:
        """Return what the tiles move."""
        return self._shared([self.array.traffic(self.geometry, share) for share in self.jobs(jobs)])

    def step(self, moving: Operand, stationary: Operand, dump_cycles: int) -> tuple[SteppedJob, SharedTraffic]:
        """Step a job; registers are the first array's."""
        done: list[SteppedJob] = []
        result = np.zeros(0)
        for place, own in enumerate(self._places(moving.shape[1] if self.axis == "V" else stationary.shape[2])):
            if len(own) == 0:
                continue
            parts = (moving[:, own], stationary) if self.axis == "V" else (moving, stationary[:, :, own])
            one = step_job(self.array, self.geometry, *parts, 0 if place else dump_cycles)
            if not done:
                result = np.zeros((len(moving), moving.shape[1], stationary.shape[2]), one.result.dtype)
            result[(slice(None), own) if self.axis == "V" else (slice(None), slice(None), own)] = one.result
            done.append(one)
        shared = self._shared([one.traffic for one in done])
        return SteppedJob(
            result, max(one.cycles for one in done), sum(one.macs for one in done),
            sum(one.partial_sums_read for one in done), shared.job,
            tuple(map(sum, zip(*(one.writes for one in done), strict=True))), done[0].registers,
        ), shared  # fmt: skip

    def _shared(self, each: list[JobTraffic]) -> SharedTraffic:
        """Return the traffic of all arrays; what all read is given once, as the first array needs it."""
        words = {name: sum(getattr(one, name) for one in each) for name in JobTraffic.__slots__ if name != "inside"}
        total = JobTraffic(**words, inside=total_counts(one.inside for one in each))
        operand = "moving_words" if self.axis == "N" else "stationary_words"
        once = getattr(each[0], operand)
        copies = getattr(total, operand) - once
        moving, stationary = (copies, 0) if self.axis == "N" else (0, copies)
        return SharedTraffic(replace(total, **{operand: once}), moving, stationary)

    def _places(self, extent: int) -> Iterator[Integers]:
        """Yield the places of the axis that each array has."""
        lanes, places = self._lanes, np.arange(extent)
        owner = places // -(-extent // self.count) if lanes is None else places // lanes % self.count
        return (places[owner == place] for place in range(self.count))

    @property
    def _lanes(self) -> int | None:
        """Rows or columns of an array that the axis lies on; None for an axis in time."""
        spread = self.array.spread
        return {spread.rows: self.geometry.rows, spread.columns: self.geometry.columns}.get(self.axis)
