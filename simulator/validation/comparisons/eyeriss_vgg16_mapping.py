"""Eyeriss: times of the convolutions of VGG-16 under the chip's mappings, as far as its table tells them."""

from collections.abc import Iterator

from simulator.validation.comparison import Case, Comparison, Row
from simulator.validation.eyeriss import TIME_RANGES, VGG16, VGG16_IMAGES, chip_cycles, timed_machine
from simulator.validation.measured import measured_rows


def _rows(case: Case) -> Iterator[Row]:
    spec = timed_machine(case)
    columns = ("layer", "channels", "size", "filters", "ms", "active_pes", "buffer_mib")
    for row in measured_rows(None, VGG16, columns):
        simulated = 1e3 * chip_cycles(spec, row, VGG16_IMAGES) / spec.frequency_hz
        yield Row(row.text("layer"), float(row.text("ms")), simulated, "VGG-16")


COMPARISON = Comparison(
    "eyeriss-vgg16-mapping", "Eyeriss, VGG-16, the chip's mappings", "ms", "Chen et al., JSSC 52 (1), 2017, table VI",
    "The same layers, with as many channels a pass and rows side by side as the table's buffer accesses and active PEs "
    "say; the fastest of such mappings. No time enters the choice.",
    lambda case: tuple(_rows(case)), "eyeriss", ranges=TIME_RANGES, rank=6,
)  # fmt: skip
