"""Energy of a layer's registers and wires, by hand: counts from the RTL's counters, prices from the table's text."""

from math import sqrt
from pathlib import Path

import numpy as np
import pytest
import row_stationary_simulator
from rtl_simulator import RtlJob, have_icarus, run_icarus

from dataflows.arrays.broadcast.row_stationary import RowMapping
from dataflows.arrays.job import Geometry, Ports
from dataflows.dataflow import dataflows
from dataflows.plans.budget import BufferBudget
from dataflows.plans.placement import ALL_IN_DRAM
from dataflows.plans.planning import plan_product
from simulator.energy.energy import energy_table_of
from simulator.machine.spec_loading import load_accelerator
from workloads.passes import Product
from workloads.shapes import ConvShape, linear_shape

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
    # 6 filters move past 2 blocks of images; an image's word for row r takes r + 1
    ("systolic", "is"): (2, 1, 6 * 7 * 2 * 4 + 5 * 13, 6 * 5 * 3 * 3),
    ("systolic", "os"): (2, 1, 70 * 4 + 84 * 3, 6 * (3 + 2 + 1 + 3 + 2)),  # 3 and 2 rows of sums leave by the bottom
    ("systolic_overlapped", "ws"): (4, 1, 70 * 4 + 6 * 13, 5 * 6 * 3 * 3),
    ("systolic_overlapped", "is"): (4, 1, 6 * 7 * 2 * 4 + 5 * 13, 6 * 5 * 3 * 3),
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


def test_every_dataflow_has_a_layer_by_hand() -> None:
    assert set(BY_HAND) | {("broadcast", "rs")} == set(dataflows())


@pytest.mark.skipif(not have_icarus(), reason="needs Icarus Verilog (Debian package iverilog)")
def test_a_row_stationary_layer(tmp_path: Path) -> None:
    """One 3 x 3 filter on a 4 x 5 image, 3 x 2 PEs, scratchpads as small as may be; all at 45 nm."""
    keys = {"array.rows": 3, "array.columns": 2, "array.accumulator_sums": 0}
    keys |= {f"array.{port}_port_words_per_cycle": 1 for port in PORTS}
    pads = {"filter_words": 3, "input_words": 3, "partial_sum_words": 1}
    keys |= {f"array.scratchpads.{name}": words for name, words in pads.items()}
    spec = load_accelerator(design="baseline", dataflow="rs", overrides=keys)
    shape, budget = ConvShape(1, 1, 4, 5, 1, 3, 3, 2, 3, (1, 1), (0, 0), (1, 1), 1), BufferBudget(1 << 30, 2, 4)
    plan = plan_product(Product(shape, "forward"), ALL_IN_DRAM, dataflows()["broadcast", "rs"], spec.array, budget)
    energy = energy_table_of(spec).energy(plan.counts, 0)

    mapping = RowMapping(h=3, w=3, q=1, p=1, r=1, e=2, t=1, d=1)
    image, filters = np.arange(20).reshape(1, 1, 1, 4, 5), np.ones((1, 1, 1, 3, 3), np.int64)
    job = row_stationary_simulator.RowJob(3, 2, 1, 1, 1, 3, 3, 1, mapping, image, filters, 2, 3)
    products, chains, sums = row_stationary_simulator.run_icarus(job, tmp_path).writes
    assert (products, chains, sums) == (54, 18, 6)  # MACs, row sums of 3 PEs and 6 positions, outputs
    # 512 B of CACTI, its smallest, for each scratchpad: 16 bits, and 32 a third of the way to 64. A MAC reads a filter
    # and an image word; 9 filter words go to 2 chains, and each of 6 PEs takes 5 image words. A row sum has 3 terms.
    read, read_64, write, write_64, area, area_64 = 0.8604, 1.4137, 1.3426, 2.2808, 0.00172, 0.00214
    words = 2 * 54 * read + (2 * 9 + 6 * 5) * write
    psums = (54 - 18) * (read + (read_64 - read) / 3 + write + (write_64 - write) / 3)
    registers = BIT_PJ * 32 * (products + chains + sums)
    assert energy.pe_array == pytest.approx(2.0 * 54 + words + psums + registers, rel=1e-3)

    # words: R + C to the first PE, then a pitch to the other chain's, or two for each further PE of an image word
    pitches = 16 * (9 * (5 + 1) + 20 * 5 + 2 * (6 * 5 - 20)) + 32 * (18 + 6 * 5)
    pads_um2 = 1e6 * (3 * area + (area_64 - area) / 3)
    pitch_mm = sqrt(UNITS_UM2 + UM2_A_BIT * 3 * 32 + pads_um2) / 1000
    free = plan.counts.array_network_bytes * energy_table_of(spec).actions["array_network_bytes"].energy_pj
    assert energy.array_network - free == pytest.approx(PJ_PER_BIT_MM * pitch_mm * pitches, rel=1e-3)
