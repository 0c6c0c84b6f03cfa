"""The paper's FPGA set-up as a shipped machine: block RAM of table 4, and every byte through the SSD."""

import pytest

from simulator.machine.spec_loading import load_designs
from simulator.reproduce.paper import block_ram_bytes
from simulator.run.simulation import compare
from workloads.trace import load_trace


def test_block_ram_is_table_4_s() -> None:
    """1327 blocks of 4608 bytes and 514 of half; Efficient and MAX have 1080 blocks more for the predictor."""
    for spec in load_designs("virtex7"):
        buffer, predictor = spec.global_buffer, spec.predictor_sram
        held = buffer.banks * buffer.bank_bytes
        if predictor is not None:
            held += predictor.banks * predictor.bank_bytes
        printed = spec.design.upper() if spec.design in ("low", "max") else spec.design.capitalize()
        assert held == block_ram_bytes(printed) == (1584 + 1080 * (spec.design in ("efficient", "max"))) * 4608


def test_every_byte_takes_the_ssd_s_time_and_energy() -> None:
    """600 MB/s at 200 MHz are 3 bytes a cycle; a byte takes 5 nJ, and nothing else behind the chip is paid."""
    specs = load_designs("virtex7")
    for run in compare(load_trace("digits-cnn"), specs).runs:
        for phase in run.phases:
            moved = phase.dram_read_bytes_per_batch + phase.dram_write_bytes_per_batch
            assert phase.cycles_per_batch >= moved / 3
            rows = [row for row in run.rows if row.phase == phase.phase]
            assert sum(row.energy.dram for row in rows) == pytest.approx(5000 * moved)
