"""NVDLA: time of an image of ResNet-50."""

from collections.abc import Iterator

from simulator.validation.comparison import Case, Comparison, Row
from simulator.validation.nvdla import RANGES, images


def _rows(case: Case) -> Iterator[Row]:
    for image in images(case):
        yield Row(image.what, 1000 / float(image.row.text("frames_per_second")), image.milliseconds, "ResNet-50")


COMPARISON = Comparison(
    "nvdla", "NVDLA, ResNet-50", "ms an image", "nvdla/doc, doc/primer.rst",
    "The machine `nvdla` with the MACs, the buffer and the bandwidth of each row, one image. The primer's values are "
    "estimates of NVDLA's makers, not of a chip. Its rows of 128 and 32 MACs are left out, since their atoms are not "
    "published. Simulated are all convolutions and the linear layer.",
    lambda case: tuple(_rows(case)), "nvdla", ranges=RANGES, rank=8,
)  # fmt: skip
