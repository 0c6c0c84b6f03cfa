"""Eyeriss: power of the chip on the convolutions of AlexNet, by the table of its node."""

from collections.abc import Iterator

from simulator.energy.energy import energy_table_of
from simulator.validation.comparison import Case, Comparison, Range, Row
from simulator.validation.eyeriss import TIME_RANGES, layer_plans, timed_machine
from simulator.validation.products import plan_cycles

_IMAGES = 4
_NODE = {"energy_table": "65nm"}


def _rows(case: Case) -> Iterator[Row]:
    spec = timed_machine(Case({**_NODE, **case.settings}))
    table = energy_table_of(spec)
    for row, plan in layer_plans(spec, "eyeriss_alexnet.csv", _IMAGES):
        cycles = plan_cycles(spec, plan)
        energy = table.energy(plan.counts, 0)
        chip_pj = energy.total - energy.dram + table.leakage_pj(cycles, spec.frequency_hz)
        milliwatts = 1e-9 * chip_pj / (cycles / spec.frequency_hz)
        yield Row(row.text("layer"), float(row.text("milliwatts")), milliwatts, "AlexNet")


COMPARISON = Comparison(
    "eyeriss-power", "Eyeriss, power on AlexNet", "mW", "Chen et al., JSSC 52 (1), 2017, table V",
    "The machine `eyeriss`, batch 4, each convolution alone, by the table `65nm`: PEs, network, buffer and leakage over"
    " the time of the layer, without DRAM. The chip runs at 1 V on 16-bit fixed point and gates PEs at zeros; the table"
    " has floating-point units at 0.9 V, an SRAM of 512 B for each scratchpad, no clock tree and no gating.",
    lambda case: tuple(_rows(case)), "eyeriss", rank=8,
    ranges=(*TIME_RANGES, Range("energy_table", ("45nm", "eyeriss"), "another node, and the chip's own ratios")),
)  # fmt: skip
