"""Gemmini, 16 x 16: ResNet-50 as a whole, a batch of four images."""

from collections.abc import Iterator
from dataclasses import replace

from simulator.machine.spec_loading import load_accelerator
from simulator.validation.comparison import Case, Comparison, Row
from simulator.validation.measured import measured_rows
from simulator.validation.products import product_cycles
from workloads.trace import load_trace

_IMAGES, _CYCLES = 4, 153_709_356
_MACHINE = {  # the generator's defaults in February 2021: 256 KiB of scratchpad, 64 KiB of accumulators
    "global_buffer.bank_bytes": (256 + 64) * 1024 // 4, "array.accumulator_sums": 1024,
}  # fmt: skip
_DRAM_BYTES_PER_CYCLE = 8
# The sixteen additions of residuals: images are 56, 28, 14 and 7 words high and wide; two operands and a sum each.
_ADDITION_BYTES = (
    _IMAGES
    * 3
    * sum(
        count * channels * size**2
        for count, channels, size in ((3, 256, 56), (4, 512, 28), (6, 1024, 14), (3, 2048, 7))
    )
)


def _rows(case: Case) -> Iterator[Row]:
    spec = load_accelerator("gemmini", overrides={**_MACHINE, **case.settings})
    shapes = [layer.product_shape(_IMAGES) for layer in load_trace("resnet50-imagenet").mac_layers]
    cycles = {shape: product_cycles(spec, shape) for shape in set(shapes)}
    found = Row("ResNet-50, 4 images", _CYCLES, sum(cycles[shape] for shape in shapes))
    ratio = _own_tilings({(s.C, s.K, s.P, s.Q, s.R, s.S, s.stride[0]) for s in shapes})
    explained = found.simulated * ratio + _ADDITION_BYTES / _DRAM_BYTES_PER_CYCLE
    cause = (
        f"Gemmini's own tilings take {ratio:.2f} times the cycles of the best given mappings, on the shapes of "
        "ResNet-50 in the data set of `gemmini`; with this and the additions of residuals the error is "
        f"{100 * (explained / _CYCLES - 1):+.1f} %"
    )
    yield replace(found, cause=cause)


def _own_tilings(shapes: set[tuple[int, ...]]) -> float:
    """Return the measured cycles of Gemmini's own tilings over those of the best given mappings, on some layers."""
    given: dict[tuple[int, ...], int] = {}
    own: dict[tuple[int, ...], int] = {}
    for row in measured_rows(None, "gemmini_firesim.csv", ("layer", "cycles", "auto_cycles")):
        shape = tuple(row.number(column) for column in ("C", "K", "P", "Q", "R", "S", "stride"))
        if shape in shapes:
            given[shape] = min(given.get(shape, 1 << 60), row.number("cycles"))
            own[shape] = min(own.get(shape, 1 << 60), row.number("auto_cycles"))
    return sum(own.values()) / sum(given.values())


COMPARISON = Comparison(
    "gemmini-resnet50", "Gemmini, ResNet-50 as a whole", "cycles", "ucb-bar/gemmini, pull request 69",
    "The machine `gemmini` with the generator's scratchpad and accumulators, and tilings that are searched for. The "
    "program of the time, imagenet/resnet50.c of ucb-bar/gemmini-rocc-tests, has four images: 4 x 4.1 G MACs in so "
    "many cycles of 256 PEs are the 40 % that the request tells. Simulated are all convolutions and the linear layer; "
    "the measured cycles also have additions and pooling.",
    lambda case: tuple(_rows(case)), "gemmini", rank=8,
)  # fmt: skip
