"""Area and power of a machine as an ASIC, scaled from the paper's table 5, and its SRAM by CACTI."""

from dataclasses import dataclass
from functools import cache

from simulator.area.sizes import Sizes, ratios_of
from simulator.energy.energy_table import EnergyTableFile
from simulator.machine.spec import Accelerator
from workloads.foundation.shipped import shipped_folder
from workloads.foundation.shipped_csv import read_csv

_PORT_BITS = 64  # as the energy tables' accesses


@dataclass(frozen=True, slots=True)
class AsicArea:
    """Area of the logic in square micrometres, as table 5 divides it.

    Buffers and inverters are part of the combinational cells; the total is cells and interconnect.
    """

    combinational_um2: float
    buffers_inverters_um2: float
    net_interconnect_um2: float
    total_cell_um2: float
    total_um2: float


@dataclass(frozen=True, slots=True)
class AsicPower:
    """Power of the logic in microwatt, at the clock of table 5, which the paper does not state."""

    internal_uw: float
    switching_uw: float
    leakage_uw: float
    total_uw: float


@dataclass(frozen=True, slots=True)
class SramArea:
    """Area of the on-chip memories by CACTI, in square millimetres."""

    node_nm: int
    global_buffer_mm2: float
    predictor_sram_mm2: float


@cache
def asic_table() -> dict[str, tuple[AsicArea, AsicPower]]:
    """Return table 5 by design."""
    table = {}
    for row in read_csv(shipped_folder("configs/hardware") / "asic_table_5.csv", texts=("design",)):
        area = AsicArea(**{name: float(row[name]) for name in AsicArea.__dataclass_fields__})
        power = AsicPower(**{name: float(row[name]) for name in AsicPower.__dataclass_fields__})
        table[str(row["design"])] = (area, power)
    return table


def asic_area(sizes: Sizes) -> AsicArea:
    """Return the area of a machine's logic: the baseline's row and the steps from row to row.

    The baseline's grows with PEs and word width, the step to MAX with the second array and word width. The step to LOW
    is the predictor's control and that to Efficient the control of its SRAM, and neither grows: table 5 has no SRAM
    (docs/area.md).
    """
    ratios = ratios_of(sizes)
    rows = {design: area for design, (area, _) in asic_table().items()}
    areas = {}
    for name in AsicArea.__dataclass_fields__:
        baseline, low, efficient, most = (
            getattr(rows[design], name) for design in ("baseline", "low", "efficient", "max")
        )
        areas[name] = (
            baseline * float(ratios.array)
            + (low - baseline if sizes.has_predictor else 0.0)
            + (efficient - low if sizes.predictor_sram_bytes else 0.0)
            + (most - efficient) * float(ratios.second_array)
        )
    return AsicArea(**areas)


def asic_power(sizes: Sizes) -> AsicPower:
    """Return the power of a machine's logic: its row, scaled with its area."""
    printed, row = asic_table()[sizes.row]
    ratio = asic_area(sizes).total_um2 / printed.total_um2
    return AsicPower(**{name: getattr(row, name) * ratio for name in AsicPower.__dataclass_fields__})


def sram_area(spec: Accelerator, table: EnergyTableFile) -> SramArea:
    """Return the area of a machine's memories at an energy table's node.

    Raises
    ------
    InputError
        If CACTI's grid lacks a bank as large.
    """
    assert table.node_nm is not None, "the caller's own check"
    memories = {"global_buffer": spec.global_buffer, "predictor_sram": spec.predictor_sram}
    areas = [
        0.0 if memory is None
        else memory.banks * table.bank(f"{name}.bank_bytes", memory.bank_bytes, _PORT_BITS).area_mm2
        for name, memory in memories.items()
    ]  # fmt: skip
    return SramArea(table.node_nm, *areas)
