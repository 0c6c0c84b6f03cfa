"""Input stationary (paper, section 4.1; SCALE-Sim): the image stays, filters stream."""

from dataflows.dataflow import JobDataflow

DATAFLOW = JobDataflow(
    name="is",
    description="inputs stay, weights stream, psums reduced over the rows",
    way="operand stays",
    stationary="image",
)
