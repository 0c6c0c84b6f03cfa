"""Energy of a layer's registers and wires, by hand: counts from the RTL's counters, prices from the table's text."""

from math import sqrt
from pathlib import Path

import numpy as np
import pytest
from rtl_simulator import RtlJob, have_icarus, run_icarus

from dataflows.arrays.job import Geometry, Ports
from dataflows.dataflow import dataflows
from dataflows.plans.placement import ALL_IN_DRAM
from dataflows.plans.plan import BufferBudget
from dataflows.plans.planning import plan_product
from simulator.energy.energy import energy_table_of
from simulator.machine.spec_loading import load_accelerator
from workloads.passes import Product
from workloads.shapes import linear_shape

BIT_PJ, UM2_A_BIT = 0.01042, 5.98  # of a register at 45 nm
PJ_PER_BIT_MM, UNITS_UM2 = 0.121, 1640 + 4184  # an fp16 multiplier and an fp32 adder
PORTS = {"weight": 4, "input": 3, "output": 4}
# By hand, of 5 vectors, 7 words and 6 columns on 3 x 4 PEs: 16-bit registers that a PE holds, and 32-bit ones; words
# and sums times pitches. Row blocks of 3, 3 and 1, column blocks of 4 and 2.
BY_HAND = {
    # in: 5 x 7 words for each of 2 column blocks, 4 pitches; weights: 42, down a column, since 4 words are a row
    # tree of 3 rows: 1 + 2 pitches in two blocks, none in the third: 5 x 6 x 2 x 3
    ("broadcast", "ws"): (2 + 3 / 12, (12 + 3 * 4 + 4) / 12, 70 * 4 + 42 * 3, 5 * 6 * 2 * 3),
    # moving filters (6 vectors of 7 words for each of 2 blocks of images), stationary images (5 columns); SP is 3
    ("broadcast", "is"): (2 + 3 / 12, (12 + 3 * 4 + 4) / 12, 6 * 7 * 2 * 4 + 35 * (3 + 4), 6 * 5 * 2 * 3),
    # a: 35 words for each of 2 column blocks, 4 pitches; b: 42 for each of 2 blocks of vectors, 3; sums down 3 rows
    ("broadcast", "os"): ((3 + 4) / 12, 3, 70 * 4 + 84 * 3, 30 * 3),
    # words shift through 4 columns; weights to row r take r + 1: 6 x (6 + 6 + 1); psums 3 rows, for each of 3 blocks
    ("systolic", "ws"): (2, 1, 70 * 4 + 6 * 13, 5 * 6 * 3 * 3),
    ("systolic", "os"): (2, 1, 70 * 4 + 84 * 3, 6 * (3 + 2 + 1 + 3 + 2)),  # 3 and 2 rows of sums leave by the bottom
    ("systolic_overlapped", "ws"): (4, 1, 70 * 4 + 6 * 13, 5 * 6 * 3 * 3),
    # sums of 4 columns leave at the right over 4, 3, 2 and 1 pitches, those of 2 columns over 4 and 3
    ("systolic_overlapped", "os"): (2, 4, 70 * 4 + 84 * 3, 5 * (4 + 3 + 2 + 1 + 4 + 3)),
}


@pytest.mark.skipif(not have_icarus(), reason="needs Icarus Verilog (Debian package iverilog)")
@pytest.mark.parametrize(("kind", "name"), BY_HAND)
def test_registers_and_wires_of_a_layer(kind: str, name: str, tmp_path: Path) -> None:
    words, sums, word_pitches, sum_pitches = BY_HAND[kind, name]
    keys = {"array.kind": kind, "array.rows": 3, "array.columns": 4, "array.accumulator_sums": 64}
    keys |= {f"array.{port}_port_words_per_cycle": width for port, width in PORTS.items()}
    spec = load_accelerator(design="baseline", dataflow=name, overrides=keys)
    flow, budget = dataflows()[kind, name], BufferBudget(1 << 30, 2, 4)
    plan = plan_product(Product(linear_shape(5, 7, 6), "forward"), ALL_IN_DRAM, flow, spec.array, budget)
    energy = energy_table_of(spec).energy(plan.counts, 0)

    numbers = np.random.default_rng(5)
    image, filters = numbers.integers(-9, 10, (1, 5, 7)), numbers.integers(-9, 10, (1, 7, 6))
    stationary, moving = (PORTS["input"], PORTS["weight"]) if name == "is" else (PORTS["weight"], PORTS["input"])
    geometry = Geometry(3, 4, Ports(stationary, moving, PORTS["output"]))
    operands = (filters.transpose(0, 2, 1), image.transpose(0, 2, 1)) if name == "is" else (image, filters)
    model = spec.array.job_array(flow.way)
    rtl = run_icarus(RtlJob(model, geometry, *operands), tmp_path)
    bits = [16 if register.is_word else 32 for register in model.registers(geometry)]
    registers = BIT_PJ * sum(count * width for count, width in zip(rtl.writes, bits, strict=True))
    additions = 0.9 * plan.counts.adds
    assert energy.pe_array == pytest.approx(2.0 * 5 * 7 * 6 + additions + registers)

    pitch_mm = sqrt(UNITS_UM2 + UM2_A_BIT * (16 * words + 32 * sums)) / 1000
    inside = PJ_PER_BIT_MM * pitch_mm * (16 * word_pitches + 32 * sum_pitches)
    free = plan.counts.array_network_bytes * energy_table_of(spec).actions["array_network_bytes"].energy_pj
    assert energy.array_network - free == pytest.approx(inside)
