"""Weight stationary on the broadcast array (paper, section 4.1): filters stay, image vectors are broadcast."""

from dataflows.arrays.broadcast_stationary import BROADCAST_STATIONARY
from dataflows.dataflow import JobDataflow

DATAFLOW = JobDataflow(
    name="ws",
    interconnect="broadcast",
    description="weights stay, inputs are broadcast, partial sums reduced over the rows",
    model=BROADCAST_STATIONARY,
    stationary="filter",
)
