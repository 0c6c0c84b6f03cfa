"""Weight stationary (paper, section 4.1; SCALE-Sim): filters stay, image vectors stream."""

from dataflows.dataflow import JobDataflow

DATAFLOW = JobDataflow(
    name="ws",
    description="weights stay, inputs stream, psums reduced over the rows",
    way="operand stays",
    stationary="filter",
)
