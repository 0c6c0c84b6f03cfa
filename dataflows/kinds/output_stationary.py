"""Output stationary (paper, section 4.1; SCALE-Sim): sums stay, image and filters stream."""

from dataflows.dataflow import JobDataflow

DATAFLOW = JobDataflow(
    name="os",
    description="psums stay, inputs and weights stream",
    way="sums stay",
    stationary="filter",
)
