"""Output stationary on the systolic array, as in SCALE-Sim."""

from dataflows.arrays.systolic import SYSTOLIC_OUTPUT
from dataflows.dataflow import JobDataflow

DATAFLOW = JobDataflow(
    name="os",
    interconnect="systolic",
    description="partial sums stay, inputs move right, weights move down",
    model=SYSTOLIC_OUTPUT,
    stationary="filter",
)
