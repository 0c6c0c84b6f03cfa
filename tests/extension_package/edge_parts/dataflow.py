"""Output stationary for the transposed product: inputs take the port at which `os` has weights, and the reverse."""

from dataflows.dataflow import JobDataflow

DATAFLOW = JobDataflow(
    name="ost",
    description="partial sums stay, of the transposed product",
    way="sums stay",
    stationary="image",
)
