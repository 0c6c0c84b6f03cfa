"""Eyeriss: times of the convolutions of VGG-16, by the machine `eyeriss`."""

from collections.abc import Iterator

from simulator.machine.spec_loading import load_accelerator
from simulator.validation.comparison import Case, Comparison, Row
from simulator.validation.eyeriss import RANGES, layer_plans
from simulator.validation.products import plan_cycles

_IMAGES = 3


def _rows(case: Case) -> Iterator[Row]:
    spec = load_accelerator("eyeriss", overrides=case.settings)
    for row, plan in layer_plans(spec, "eyeriss_vgg16.csv", _IMAGES):
        cycles = plan_cycles(spec, plan)
        yield Row(row.text("layer"), float(row.text("ms")), 1e3 * cycles / spec.frequency_hz, "VGG-16")


COMPARISON = Comparison(
    "eyeriss-vgg16", "Eyeriss, VGG-16", "ms", "Chen et al., JSSC 52 (1), 2017, table VI",
    "The machine `eyeriss`, batch 3, each convolution alone.",
    lambda case: tuple(_rows(case)), "eyeriss", ranges=RANGES, rank=6,
)  # fmt: skip
