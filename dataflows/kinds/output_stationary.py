"""Output stationary on the broadcast array (paper, section 4.1): sums stay, image and filters are broadcast."""

from dataflows.arrays.broadcast_output import BROADCAST_OUTPUT
from dataflows.dataflow import JobDataflow

DATAFLOW = JobDataflow(
    name="os",
    interconnect="broadcast",
    description="partial sums stay, inputs and weights are broadcast",
    model=BROADCAST_OUTPUT,
    stationary="filter",
)
