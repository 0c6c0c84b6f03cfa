"""SCALE-Sim's array: operands and sums move from PE to PE, and folds run strictly in sequence."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from dataflows.array import PEArray, Sides, Stays, Way
from dataflows.arrays.job import JobArray
from dataflows.arrays.systolic.output import SYSTOLIC_OUTPUT, SYSTOLIC_OUTPUT_SERIAL
from dataflows.arrays.systolic.stationary import SYSTOLIC_STATIONARY


class SystolicArray(PEArray):
    """The systolic array's own parameter."""

    ways: ClassVar[Mapping[Way, Sides]] = {
        "operand stays": Sides("columns", "rows", "columns"),
        "sums stay": Sides("columns", "rows", "columns"),
    }

    kind: Literal["systolic"]
    systolic_os_drain: Literal["free", "serial"] = "free"
    """How sums that stay leave the array. `free`: over wires of their own, as SCALE-Sim counts. `serial`: shifted out
    row by row, as its published analysis has it."""

    def job_array(self, way: Stays) -> JobArray:
        """Return what does jobs."""
        if way == "operand stays":
            return SYSTOLIC_STATIONARY
        return SYSTOLIC_OUTPUT_SERIAL if self.systolic_os_drain == "serial" else SYSTOLIC_OUTPUT


ARRAY = SystolicArray
