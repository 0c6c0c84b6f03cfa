"""Eyeriss: times of the convolutions of VGG-16 under the chip's mappings, as far as its table tells them."""

from collections.abc import Iterator

from simulator.machine.spec import Accelerator
from simulator.validation.comparison import WITHIN, Case, Comparison, Row
from simulator.validation.eyeriss import (
    TIME_RANGES,
    VGG16,
    VGG16_IMAGES,
    chip_cycles,
    rows_side_by_side,
    timed_machine,
)
from simulator.validation.measured import MeasuredRow, measured_rows


def _cause(spec: Accelerator, row: MeasuredRow, measured: float, simulated: float) -> str:
    """Return that the last strip of rows takes as long as a whole one, where that alone makes the difference."""
    size, e = row.number("size"), rows_side_by_side(spec, row)
    strips = -(-size // e)
    if abs(simulated * size / (strips * e) / measured - 1) > WITHIN:
        return ""
    return (
        f"the last of {strips} strips of {e} rows has {size - (strips - 1) * e}, and takes as long here as the others; "
        f"for its own rows alone the layer would take {simulated * size / (strips * e):.1f} ms"
    )


def _rows(case: Case) -> Iterator[Row]:
    spec = timed_machine(case)
    columns = ("layer", "channels", "size", "filters", "ms", "active_pes", "buffer_mib")
    for row in measured_rows(None, VGG16, columns):
        measured, simulated = float(row.text("ms")), 1e3 * chip_cycles(spec, row, VGG16_IMAGES) / spec.frequency_hz
        yield Row(row.text("layer"), measured, simulated, "VGG-16", _cause(spec, row, measured, simulated))


COMPARISON = Comparison(
    "eyeriss-vgg16-mapping", "Eyeriss, VGG-16, the chip's mappings", "ms", "Chen et al., JSSC 52 (1), 2017, table VI",
    "The same layers, with as many channels a pass and rows side by side as the table's buffer accesses and active PEs "
    "say; the fastest of such mappings. No time enters the choice.",
    lambda case: tuple(_rows(case)), "eyeriss", ranges=TIME_RANGES, rank=6,
)  # fmt: skip
