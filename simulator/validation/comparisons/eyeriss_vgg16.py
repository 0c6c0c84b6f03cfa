"""Eyeriss: times of the convolutions of VGG-16, by the machine `eyeriss` and the search's mappings."""

from collections.abc import Iterator

from simulator.validation.comparison import WITHIN, Case, Comparison, Row
from simulator.validation.eyeriss import (
    TIME_RANGES,
    VGG16,
    VGG16_IMAGES,
    channels_a_pass,
    layer_plans,
    psum_cycles,
    timed_machine,
)
from simulator.validation.products import plan_cycles


def _rows(case: Case) -> Iterator[Row]:
    spec = timed_machine(case)
    for row, plan in layer_plans(spec, VGG16, VGG16_IMAGES):
        measured, milliseconds = float(row.text("ms")), 1e3 / spec.frequency_hz
        simulated, cause = plan_cycles(spec, plan) * milliseconds, ""
        psums = psum_cycles(spec, row, VGG16_IMAGES) * milliseconds
        if abs(psums / measured - 1) <= WITHIN:
            together = f"{channels_a_pass(row, VGG16_IMAGES)} of {row.text('channels')} channels a pass"
            cause = (
                f"the chip adds up {together}, by its buffer's accesses; its psums alone take {psums:.1f} ms to leave "
                "by their port"
            )
        yield Row(row.text("layer"), measured, simulated, "VGG-16", cause)


COMPARISON = Comparison(
    "eyeriss-vgg16", "Eyeriss, VGG-16", "ms", "Chen et al., JSSC 52 (1), 2017, table VI",
    "The machine `eyeriss`, batch 3, each convolution alone, on an ideal memory, under the search's mappings.",
    lambda case: tuple(_rows(case)), "eyeriss", ranges=TIME_RANGES, rank=6,
)  # fmt: skip
