"""What a PE costs by synthesis, and the baselines that what a design costs more buys at that price (docs/area.md)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from math import floor

from simulator.area.asic import asic_area, asic_power, asic_table
from simulator.area.datapath import Datapath, Figures, Synthesis, arrays_of, datapath_of, load_synthesis
from simulator.area.equal import LargerBaseline
from simulator.area.fpga import fpga_power, fpga_table
from simulator.area.sizes import sizes_of
from simulator.machine.spec import Accelerator
from simulator.machine.spec_loading import load_accelerator

_ROUNDING = 1e-12  # of a number of PEs: equal costs reached by other sums


@dataclass(frozen=True, slots=True)
class SynthesizedArray:
    """An array of a design: `datapath` is None where its RTL has none, `figures` where no synthesis is known."""

    design: str
    second: bool
    datapath: Datapath | None
    figures: Figures | None


def synthesized_arrays(specs: Sequence[Accelerator], synthesis: Synthesis) -> list[SynthesizedArray]:
    """Return the arrays of every design, the second after the first."""
    found = []
    for spec in specs:
        for array in arrays_of(spec):
            one = datapath_of(spec, array)
            found.append(
                SynthesizedArray(
                    spec.design, array is spec.second_array, one, None if one is None else synthesis.get(one)
                )
            )
    return found


@cache
def gate_prices() -> tuple[float, float]:
    """Return square micrometres and microwatt of a gate: table 5's step to MAX over the gates of its second array."""
    spec = load_accelerator(design="max")
    assert spec.second_array is not None, "MAX has a second array"
    datapath = datapath_of(spec, spec.second_array)
    assert datapath is not None, "the shipped dataflow's RTL has a datapath"
    gates, rows = load_synthesis()[datapath].gates, asic_table()
    (most, most_power), (before, before_power) = rows["max"], rows["efficient"]
    return (most.total_um2 - before.total_um2) / gates, (most_power.total_uw - before_power.total_uw) / gates


def fpga_watts(figures: Figures) -> float:
    """Return the power of an array on the FPGA: its share of the baseline's resources, each at table 4's power."""
    resources, power = fpga_table()["baseline"]
    return (
        power.clocks_w * figures.flip_flops / resources.clb_registers
        + (power.clb_logic_w + power.signals_w) * figures.luts / resources.clb_luts
        + power.dsps_w * figures.dsps / resources.dsps
    )


# By budget: what an array costs, and what a machine costs by the tables; None where the arrays themselves are counted.
PRICES: dict[str, tuple[Callable[[Figures], float], Callable[[Accelerator], float] | None]] = {
    "FPGA power": (fpga_watts, lambda spec: fpga_power(sizes_of(spec)).total_w),
    "ASIC power": (lambda figures: gate_prices()[1] * figures.gates, lambda spec: asic_power(sizes_of(spec)).total_uw),
    "ASIC area": (lambda figures: gate_prices()[0] * figures.gates, lambda spec: asic_area(sizes_of(spec)).total_um2),
    "gates of arrays": (lambda figures: figures.gates, None),
}
READING = "array as synthesised"


def synthesized_baselines(specs: Sequence[Accelerator], synthesis: Synthesis) -> list[LargerBaseline]:
    """Return the larger baseline of every budget and design at the price of a synthesised PE.

    A design costs as much more than the baseline as by the tables. An additional PE costs the baseline's synthesised
    array over its PEs. None where a synthesis of an array is lacking, or the baseline.
    """
    known = {(one.design, one.second): one.figures for one in synthesized_arrays(specs, synthesis)}
    baseline = next((spec for spec in specs if spec.design == "baseline"), None)
    own = known.get(("baseline", False))
    if baseline is None or own is None or None in known.values():
        return []
    found, pes = [], sizes_of(baseline).pes
    for budget, (price, cost) in PRICES.items():
        for spec in specs:
            if spec.design == "baseline":
                continue
            if cost is None:
                second = known.get((spec.design, True))
                more = 0.0 if second is None else price(second)
            else:
                more = cost(spec) - cost(baseline)
            number = floor((pes + max(0.0, more) / price(own) * pes) * (1 + _ROUNDING))
            found.append(LargerBaseline(f"{budget}, {READING}", spec.design, number, number / pes - 1))
    return found
