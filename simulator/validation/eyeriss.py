"""Layers of convolutional networks on Eyeriss, from their tables."""

from collections.abc import Iterator

from dataflows.plans.plan import Plan
from simulator.machine.spec import Accelerator
from simulator.validation.comparison import Range
from simulator.validation.measured import MeasuredRow, measured_rows
from simulator.validation.products import convolution, product_plan
from workloads.shapes import ConvShape

RANGES = (
    Range("dram.latency_ns", (0, 1000), "the link and the board's memory; not published"),
    Range("dram.peak_bytes_per_second", (134_000_000, 720_000_000),
          "64 bits at 60 MHz; from what the chip moved on average to the link's 90 MHz"),
    Range("tiling_slack_percent", (0, None), "ours: which tiles a layer is cut into"),
)  # fmt: skip
"""What is not published of the chip, or is ours."""


def layer_plans(spec: Accelerator, table: str, images: int) -> Iterator[tuple[MeasuredRow, Plan]]:
    """Yield the rows of a table of layers, each with its plan."""
    for row in measured_rows(None, table, ("layer", "channels", "size", "filters")):
        channels, size, filters = map(row.number, ("channels", "size", "filters"))
        yield row, product_plan(spec, _shape(row, images, channels, size, filters))


def _shape(row: MeasuredRow, images: int, channels: int, size: int, filters: int) -> ConvShape:
    if not row.has("kernel"):  # VGG: 3 x 3, padded, stride 1
        return convolution(images, channels, size, filters, 3, size, 1, 1)
    kernel, out, stride, groups = map(row.number, ("kernel", "out", "stride", "groups"))
    return convolution(images, channels, size, filters, kernel, out, stride, int(row.text("padding")), groups)
