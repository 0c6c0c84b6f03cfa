"""NVDLA: power on ResNet-50, by the table of its node."""

from collections.abc import Iterator

from simulator.validation.comparison import Case, Comparison, Range, Row
from simulator.validation.nvdla import RANGES, images

_NARROW = {"precision.partial_sum_bits": 16}


def _rows(case: Case) -> Iterator[Row]:
    narrow = images(Case({**_NARROW, **case.settings}))
    for image, narrower in zip(images(case), narrow, strict=True):
        measured = float(image.row.text("average_mw"))
        cause = (
            "products of int8 have 16 bits and the sums of a tree 17 to 22, and here the registers and wires of both "
            f"have the 32 of psums; with 16 the error is {100 * (narrower.milliwatts / measured - 1):+.1f} %"
        )
        yield Row(image.what, measured, image.milliwatts, "ResNet-50", cause)


COMPARISON = Comparison(
    "nvdla-power", "NVDLA, power on ResNet-50", "mW", "nvdla/doc, doc/primer.rst",
    "The machine `nvdla` as in the comparison of that name, by the table `16nm`: PEs, network, accumulators, buffer "
    "and leakage over the time of the image, without DRAM. The primer's values are the average power in 16 nm at 1 GHz "
    "as NVDLA's makers estimate it. Theirs have the units for activation, pooling and DMA, and a clock tree.",
    lambda case: tuple(_rows(case)), "nvdla", rank=8,
    ranges=(*RANGES, Range("energy_table", ("22nm",), "another node")),
)  # fmt: skip
