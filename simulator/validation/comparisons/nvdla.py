"""NVDLA: time of an image of ResNet-50."""

from collections.abc import Iterator

from simulator.validation.comparison import WITHIN, Case, Comparison, Row
from simulator.validation.nvdla import RANGES, images

_AT_ONCE = {"dram.peak_bytes_per_second": 10**15}  # DRAM takes no time


def _rows(case: Case) -> Iterator[Row]:
    for image, alone in zip(images(case), images(Case({**case.settings, **_AT_ONCE})), strict=True):
        measured = 1000 / float(image.row.text("frames_per_second"))
        after_each_other = alone.milliseconds + image.dram_bytes / (1000 * image.row.number("megabytes_per_second"))
        cause = "within 10 % if what DRAM moves does not overlap with what the array does"
        explains = abs(after_each_other / measured - 1) <= WITHIN
        yield Row(image.what, measured, image.milliseconds, "ResNet-50", cause if explains else "")


COMPARISON = Comparison(
    "nvdla", "NVDLA, ResNet-50", "ms an image", "nvdla/doc, doc/primer.rst",
    "The machine `nvdla` with the MACs, the buffer and the bandwidth of each row, one image. The primer's values are "
    "estimates of NVDLA's makers, not of a chip. Its rows of 128 and 32 MACs are left out, since their atoms are not "
    "published. Simulated are all convolutions and the linear layer.",
    lambda case: tuple(_rows(case)), "nvdla", ranges=RANGES, rank=8,
)  # fmt: skip
