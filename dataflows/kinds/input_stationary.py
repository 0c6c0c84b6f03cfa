"""Input stationary on the broadcast array (paper, section 4.1): the image stays, filters come each step."""

from dataflows.arrays.broadcast_stationary import BROADCAST_STATIONARY
from dataflows.dataflow import JobDataflow

DATAFLOW = JobDataflow(
    name="is",
    interconnect="broadcast",
    description="inputs stay, weights come each step, partial sums reduced over the rows",
    model=BROADCAST_STATIONARY,
    stationary="image",
)
