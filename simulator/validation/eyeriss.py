"""Layers of convolutional networks on Eyeriss, from their tables."""

from collections.abc import Iterator

from dataflows.plans.given import Given, MappingError
from dataflows.plans.plan import Plan
from simulator.machine.spec import Accelerator
from simulator.machine.spec_loading import load_accelerator
from simulator.validation.comparison import Case, Range
from simulator.validation.measured import MeasuredRow, measured_rows
from simulator.validation.products import convolution, plan_cycles, product_plan
from workloads.shapes import ConvShape

VGG16 = "eyeriss_vgg16.csv"
VGG16_IMAGES = 3
_KERNEL, _WORD_BYTES = 3, 2

RANGES = (
    Range("dram.latency_ns", (0, 1000), "the link and the board's memory; not published"),
    Range("dram.peak_bytes_per_second", (134_000_000, 720_000_000),
          "64 bits at 60 MHz; from what the chip moved on average to the link's 90 MHz"),
    Range("tiling_slack_percent", (0, None), "ours: which tiles a layer is cut into"),
)  # fmt: skip
"""What is not published of the chip, or is ours."""
TIME_RANGES = RANGES[-1:]


def timed_machine(case: Case) -> Accelerator:
    """Return the machine `eyeriss` with an ideal memory.

    The tables' processing latency is without what DRAM takes: the total latency beside it is longer by 1.6 to 2.5 ms
    for each MiB that DRAM moves (CONV1 to CONV3 of VGG-16), and the link takes 2.2.
    """
    return load_accelerator("eyeriss", overrides={"dram.model": "ideal", **case.settings})


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


def channels_a_pass(row: MeasuredRow, images: int) -> int:
    """Return how many channels of the ifmap the chip adds up in a pass, as its buffer's accesses say.

    Each pass but the first reads the psums of all outputs from the buffer, and each writes them, so C channels in
    passes of n take at least (2 C / n - 1) words an output. Of the n that divide C it is the least that the words of
    the table allow; ifmaps and filters take the rest.
    """
    channels, size, filters = map(row.number, ("channels", "size", "filters"))
    words = float(row.text("buffer_mib")) * (1 << 20) / _WORD_BYTES
    of_an_output = words / (images * filters * size * size)
    return next(n for n in range(1, channels + 1) if channels % n == 0 and 2 * channels // n - 1 <= of_an_output)


def psum_cycles(spec: Accelerator, row: MeasuredRow, images: int) -> int:
    """Return the cycles in which the psums of all passes leave by the port to the buffer, and nothing else."""
    channels, size, filters = map(row.number, ("channels", "size", "filters"))
    passes = channels // channels_a_pass(row, images)
    return -(-images * filters * size * size * passes // spec.array.row_array().output_port)


def rows_side_by_side(spec: Accelerator, row: MeasuredRow) -> int:
    """Return the rows of outputs that lie side by side (e): what each of the array's rows has of the active PEs."""
    return -(-row.number("active_pes") // spec.array.row_array().rows)


def chip_mappings(spec: Accelerator, row: MeasuredRow, images: int) -> Iterator[Given]:
    """Yield the mappings of a layer of VGG-16 that fit what table VI says of the chip's own.

    Those are its channels a pass (q in a PE, r in a chain), and rows of outputs side by side (e), which follow from its
    active PEs, since a set of PEs has a row for each of the three of a filter. Filters (p in a PE, t side by side) fill
    what is left of the array, as far as scratchpads hold them.
    """
    pads = spec.array.row_array()
    sets = pads.rows // _KERNEL
    together, e = channels_a_pass(row, images), rows_side_by_side(spec, row)
    for r in (r for r in range(1, sets + 1) if sets % r == 0 and together % r == 0):
        q, t = together // r, sets // r
        for p in range(1, pads.sum_words + 1):
            if q * _KERNEL <= pads.input_words and p * q * _KERNEL <= pads.filter_words:
                letters = {"chain.h": _KERNEL, "chain.r": r, "sets.e": e, "sets.t": t, "sets.d": 1, "pe.p": p,
                           "pe.q": q, "pe.w": _KERNEL}  # fmt: skip
                yield Given(spatial=tuple(letters.items()))


def chip_cycles(spec: Accelerator, row: MeasuredRow, images: int) -> int:
    """Return the cycles of a layer of VGG-16 under the fastest of `chip_mappings`."""
    channels, size, filters = map(row.number, ("channels", "size", "filters"))
    shape, found = _shape(row, images, channels, size, filters), []
    for given in chip_mappings(spec, row, images):
        try:
            found.append(plan_cycles(spec, product_plan(spec, shape, given)))
        except MappingError:  # of more filters than the layer has, or than the buffer holds
            continue
    return min(found)
