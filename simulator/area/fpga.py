"""Resources and power of a machine on the paper's FPGA, scaled from its table 4."""

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import ceil

from simulator.area.sizes import Sizes, printed_sizes, ratios_of
from workloads.foundation.shipped import shipped_folder
from workloads.foundation.shipped_csv import read_csv

# Operand widths of a DSP48E1's multiplier, signed (Xilinx, 7 Series DSP48E1 Slice, UG479).
_DSP_BITS = (25, 18)


@dataclass(frozen=True, slots=True)
class FpgaResources:
    """What a machine takes of a Virtex-7; block RAMs of 36 and 18 Kbit."""

    clb_luts: int
    clb_registers: int
    ramb36: int
    ramb18: int
    dsps: int


@dataclass(frozen=True, slots=True)
class FpgaPower:
    """On-chip power in watt, as table 4 divides it; `unnamed_w` is what its parts leave of its total."""

    clocks_w: float
    clb_logic_w: float
    signals_w: float
    block_ram_w: float
    dsps_w: float
    static_w: float
    unnamed_w: float
    total_w: float


@cache
def fpga_table() -> dict[str, tuple[FpgaResources, FpgaPower]]:
    """Return table 4 by design."""
    table = {}
    for row in read_csv(shipped_folder("configs/hardware") / "fpga_table_4.csv", texts=("design",)):
        design = str(row.pop("design"))
        values = {name: float(value) for name, value in row.items()}
        counts = {name: int(values.pop(name)) for name in FpgaResources.__dataclass_fields__}
        total = values.pop("total_w")
        power = FpgaPower(**values, unnamed_w=total - sum(values.values()), total_w=total)
        table[design] = (FpgaResources(**counts), power)
    return table


def fpga_resources(sizes: Sizes) -> FpgaResources:
    """Return what a machine takes: the baseline's row and the steps from row to row, each scaled with its cause.

    The baseline's LUTs, registers and DSPs grow with PEs and word width (a DSP48E1 multiplies up to 18 bits by itself,
    32 bits take four), its block RAMs with the buffer. The step to LOW is the predictor's control and does not grow;
    the step to Efficient grows with the predictor SRAM, that to MAX with the second array.
    """
    return FpgaResources(**{name: ceil(amount) for name, amount in _amounts(sizes).items()})


def fpga_power(sizes: Sizes) -> FpgaPower:
    """Return the power of a machine: each part of its row, scaled with the resource that draws it.

    Clocks with registers, logic and signals with LUTs, block RAM with block RAMs, DSPs with DSPs. Static power is the
    chip's, used or not, and stays, as does what the table leaves unnamed.
    """
    printed, row = fpga_table()[sizes.row]
    amounts = _amounts(sizes)
    block_ram = (amounts["ramb36"] + amounts["ramb18"] / 2) / (printed.ramb36 + Fraction(printed.ramb18, 2))
    parts = {
        "clocks_w": row.clocks_w * float(amounts["clb_registers"] / printed.clb_registers),
        "clb_logic_w": row.clb_logic_w * float(amounts["clb_luts"] / printed.clb_luts),
        "signals_w": row.signals_w * float(amounts["clb_luts"] / printed.clb_luts),
        "block_ram_w": row.block_ram_w * float(block_ram),
        "dsps_w": row.dsps_w * float(amounts["dsps"] / printed.dsps),
    }
    grown = sum(value - getattr(row, name) for name, value in parts.items())
    return FpgaPower(**parts, static_w=row.static_w, unnamed_w=row.unnamed_w, total_w=row.total_w + grown)


def _amounts(sizes: Sizes) -> dict[str, Fraction]:
    rows = {design: resources for design, (resources, _) in fpga_table().items()}
    ratios = ratios_of(sizes)
    narrow = Fraction(_dsps_a_multiplier(sizes.word_bits), _dsps_a_multiplier(printed_sizes().word_bits))
    width = Fraction(sizes.word_bits, printed_sizes().word_bits)
    amounts = {}
    for name in FpgaResources.__dataclass_fields__:
        baseline, low, efficient, most = (
            getattr(rows[design], name) for design in ("baseline", "low", "efficient", "max")
        )
        multipliers = narrow / width if name == "dsps" else Fraction(1)
        of_array = ratios.buffer if name.startswith("ramb") else ratios.array * multipliers
        amounts[name] = (
            baseline * of_array
            + (low - baseline if sizes.has_predictor else 0)
            + (efficient - low) * ratios.predictor_sram
            + (most - efficient) * ratios.second_array * multipliers
        )
    return amounts


def _dsps_a_multiplier(word_bits: int) -> int:
    """Return the DSPs of one signed multiplier: pieces of one operand times pieces of the other.

    Of a piece's bits the sign is the last one's alone, so n pieces hold one bit fewer each, and one more.
    """
    long, short = (ceil(Fraction(word_bits - 1, bits - 1)) for bits in _DSP_BITS)
    return long * short
