"""Weight stationary on the systolic array, as in SCALE-Sim."""

from dataflows.arrays.systolic import SYSTOLIC_STATIONARY
from dataflows.dataflow import JobDataflow

DATAFLOW = JobDataflow(
    name="ws",
    interconnect="systolic",
    description="weights stay, inputs move right, partial sums move down",
    model=SYSTOLIC_STATIONARY,
    stationary="filter",
)
