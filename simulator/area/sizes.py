"""The sizes of a machine that decide its area and power, and the machine whose area and power the paper printed."""

from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from simulator.machine.spec import Accelerator
from simulator.machine.spec_loading import load_accelerator


@dataclass(frozen=True, slots=True)
class Sizes:
    """PEs, bytes of on-chip memory and width of words; `second_pes` and `predictor_sram_bytes` are 0 where lacking."""

    has_predictor: bool
    pes: int
    second_pes: int
    buffer_bytes: int
    predictor_sram_bytes: int
    word_bits: int

    @property
    def row(self) -> str:
        """The design whose row of the paper's tables this machine is scaled from: the one with the same parts."""
        if not self.has_predictor:
            return "baseline"
        if self.second_pes:
            return "max"
        return "efficient" if self.predictor_sram_bytes else "low"


@dataclass(frozen=True, slots=True)
class Ratios:
    """Sizes against the shipped machine's: of the first array, the second, the buffer and the predictor SRAM.

    `array` and `second_array` are PEs times word width, since a PE's logic grows with both.
    """

    array: Fraction
    second_array: Fraction
    buffer: Fraction
    predictor_sram: Fraction


def sizes_of(spec: Accelerator) -> Sizes:
    """Return the sizes of a machine."""
    return Sizes(
        has_predictor=spec.design_rules.predictor_home is not None,
        pes=spec.array.pes,
        second_pes=0 if spec.second_array is None else spec.second_array.pes,
        buffer_bytes=spec.global_buffer.capacity_bytes,
        predictor_sram_bytes=0 if spec.predictor_sram is None else spec.predictor_sram.capacity_bytes,
        word_bits=spec.precision.word_bits,
    )


@cache
def printed_sizes() -> Sizes:
    """Return the sizes that the rows of the paper's tables are taken to have: the shipped MAX's."""
    return sizes_of(load_accelerator(design="max"))


def ratios_of(sizes: Sizes) -> Ratios:
    """Return sizes against those of the shipped machine."""
    printed = printed_sizes()
    width = Fraction(sizes.word_bits, printed.word_bits)
    return Ratios(
        array=Fraction(sizes.pes, printed.pes) * width,
        second_array=Fraction(sizes.second_pes, printed.second_pes) * width,
        buffer=Fraction(sizes.buffer_bytes, printed.buffer_bytes),
        predictor_sram=Fraction(sizes.predictor_sram_bytes, printed.predictor_sram_bytes),
    )
