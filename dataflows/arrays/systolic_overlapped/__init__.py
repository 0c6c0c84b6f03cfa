"""A systolic array whose folds overlap, as in TPUs and Gemmini: the next one loads, or the one before drains."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from dataflows.array import PEArray, Sides, Stays, Way
from dataflows.arrays.job import JobArray
from dataflows.arrays.systolic_overlapped.instructions import Instructions
from dataflows.arrays.systolic_overlapped.output import OVERLAPPED_OUTPUT
from dataflows.arrays.systolic_overlapped.stationary import OverlappedStationary


class SystolicOverlappedArray(PEArray):
    """The systolic array whose next fold loads, or the one before drains, while a fold streams."""

    ways: ClassVar[Mapping[Way, Sides]] = {
        "operand stays": Sides("columns", "rows", "columns"),
        "sums stay": Sides("columns", "rows", "rows"),
    }

    kind: Literal["systolic_overlapped"]
    instructions: Instructions | None = None
    """A controller that issues folds as instructions under `ws` and `is`; left out: each vector enters by itself."""

    def job_array(self, way: Stays) -> JobArray:
        """Return what does jobs."""
        return OverlappedStationary(self.instructions) if way == "operand stays" else OVERLAPPED_OUTPUT


ARRAY = SystolicOverlappedArray
