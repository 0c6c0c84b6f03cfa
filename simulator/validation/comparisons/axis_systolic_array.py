"""An open RTL of a systolic array whose folds overlap, by the formula that was measured in it."""

from collections.abc import Iterator

import numpy as np

from dataflows.arrays.job import Geometry, Ports
from dataflows.arrays.stepped import step_job
from dataflows.arrays.systolic_overlapped.output import OVERLAPPED_OUTPUT
from simulator.validation.comparison import Case, Comparison, Row

_LATENCIES = 1 + 1  # of multiplier and adder: here `product` and `acc` are a register each
_ARRAYS = ((4, 4), (8, 8), (8, 16), (16, 8), (12, 15))  # rows and columns
_FOLDS = ((1, 32), (2, 64), (5, 40))  # and the steps of each


def _rows(_: Case) -> Iterator[Row]:
    for rows, columns in _ARRAYS:
        for folds, steps in _FOLDS:
            operands = np.ones((folds, rows, steps), np.int64), np.ones((folds, steps, columns), np.int64)
            job = step_job(OVERLAPPED_OUTPUT, Geometry(rows, columns, Ports(columns, rows, rows)), *operands)
            measured = folds * steps + rows + 2 * columns + _LATENCIES - 2
            yield Row(f"{rows} x {columns}, {folds} folds of {steps} steps", measured, job.cycles)


COMPARISON = Comparison(
    "axis-systolic-array", "axis-systolic-array, an open RTL", "cycles",
    "abarajithan11/axis-systolic-array, rtl/sa, Verilator: F K + R + 2 C + LM + LA - 2 cycles in each of 146 runs",
    "The overlapped array under `os`, stepped, for F folds of K steps on R x C PEs. The formula is the RTL's, with "
    "latencies LM and LA of one cycle; the RTL is not run here. A fold has at least as many steps as columns.",
    lambda case: tuple(_rows(case)), rank=2,
)  # fmt: skip
