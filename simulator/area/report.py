"""All costs of a machine together, and as plain data."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from simulator.area.asic import AsicArea, AsicPower, SramArea, asic_area, asic_power, sram_area
from simulator.area.equal import EqualStudy, LargerBaseline, published
from simulator.area.fpga import FpgaPower, FpgaResources, fpga_power, fpga_resources
from simulator.area.sizes import sizes_of
from simulator.area.synthesized import SynthesizedArray
from simulator.energy.energy_table import load_energy_table
from simulator.machine.spec import Accelerator

SCHEMA = 2


@dataclass(frozen=True, slots=True)
class DesignCost:
    """Area and power of one machine; `sram` is None where its energy table names no node."""

    design: str
    resources: FpgaResources
    power: FpgaPower
    area: AsicArea
    asic_power: AsicPower
    sram: SramArea | None


def cost_of(spec: Accelerator) -> DesignCost:
    """Return what a machine costs.

    Raises
    ------
    InputError
        If its energy table cannot be read, or CACTI's grid lacks a bank as large.
    """
    sizes, table = sizes_of(spec), load_energy_table(spec.energy_table)
    return DesignCost(
        design=spec.design,
        resources=fpga_resources(sizes),
        power=fpga_power(sizes),
        area=asic_area(sizes),
        asic_power=asic_power(sizes),
        sram=None if table.node_nm is None else sram_area(spec, table),
    )


def area_data(
    costs: Sequence[DesignCost],
    arrays: Sequence[SynthesizedArray],
    larger: Sequence[LargerBaseline],
    studies: Sequence[EqualStudy],
    dataset: str | None,
) -> dict[str, Any]:
    """Return everything as plain data for JSON."""
    return {
        "schema": SCHEMA,
        "designs": [
            {
                "design": cost.design,
                "fpga": {"resources": asdict(cost.resources), "power": asdict(cost.power)},
                "asic": {"area": asdict(cost.area), "power": asdict(cost.asic_power)},
                "sram": None if cost.sram is None else asdict(cost.sram),
            }
            for cost in costs
        ],
        "synthesis": [
            {
                "design": one.design,
                "second": one.second,
                "datapath": None if one.datapath is None else asdict(one.datapath),
                "figures": None if one.figures is None else asdict(one.figures),
            }
            for one in arrays
        ],
        "larger_baselines": [asdict(one) for one in larger],
        "studies": [
            asdict(study.larger)
            | {
                "rows": study.rows,
                "columns": study.columns,
                "baseline_speedup": study.baseline_speedup,
                "slowest_speedup": study.slowest_speedup,
                "design_speedup": study.design_speedup,
            }
            for study in studies
        ],
        "published": [asdict(one) for one in published().values()],
        "dataset": dataset,
    }
