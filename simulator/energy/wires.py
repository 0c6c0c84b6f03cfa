"""Lengths of wires from areas, and what a length costs (docs/energy.md, "Wires")."""

from math import prod, sqrt

from dataflows.array import PEArray
from dataflows.arrays.job import Geometry, Ports, Register
from dataflows.dataflow import find_dataflow
from simulator.energy.energy_table import EnergyTableFile
from simulator.machine.spec import Accelerator

_BUFFER_PORT_BITS = 64  # of a bank, as the energy tables' accesses


def wire_pj(table: EnergyTableFile, bits: int, length_mm: float) -> float:
    """Return the energy of so many bits over a length, in picojoules."""
    assert table.wires is not None, "the table's own check"
    return table.wires.pj_per_bit_mm * bits * length_mm


def pe_pitch_mm(table: EnergyTableFile, spec: Accelerator, array: PEArray) -> float:
    """Return the distance from PE to PE: a square of its multiplier, adder, registers and scratchpads."""
    assert table.wires is not None and table.arithmetic is not None
    word_bits, sum_bits = spec.precision.word_bits, spec.precision.partial_sum_bits
    registers, pads = 0, 0.0
    for register in _registers(spec, array):
        bits = word_bits if register.is_word else sum_bits
        if register.kind.startswith("scratchpad"):
            pad_bytes = register.shape[-1] * bits // 8
            pads += table.bank("array.scratchpads", pad_bytes, bits).area_mm2
        else:
            registers += prod(register.shape) * bits
    scale = table.arithmetic.area_scale
    logic_um2 = table.arithmetic.area_um2(word_bits, sum_bits)
    logic_um2 += scale * table.wires.register_um2_per_bit * registers / array.pes
    return sqrt(logic_um2 * 1e-6 + pads)


def way_to_the_buffer_mm(table: EnergyTableFile, spec: Accelerator) -> float:
    """Return the mean distance from a bank of the buffer to the array: half a side of the square of all banks."""
    buffer = spec.global_buffer
    bank = table.bank("global_buffer.bank_bytes", buffer.bank_bytes, _BUFFER_PORT_BITS)
    return sqrt(buffer.banks * bank.area_mm2) / 2


def _registers(spec: Accelerator, array: PEArray) -> list[Register]:
    """Return the registers of an array under the machine's dataflow."""
    flow = find_dataflow(spec.dataflow, array.kind, "the accelerator", "dataflow")
    if flow.way == "rows stay":
        return array.row_array().registers
    return array.job_array(flow.way).registers(Geometry(array.rows, array.columns, Ports(1, 1, 1)))
