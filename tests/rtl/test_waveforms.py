"""The waveform that `explain --vcd` writes holds the values of the RTL's own dump, in every cycle."""

from pathlib import Path

import numpy as np
import pytest
from array_specs import RUN_NAMES, RUNS, array_of, choices
from rtl_simulator import flat, have_icarus
from test_every_array import BENCHES, convolution, rtl_of
from waves import read_vcd

from dataflows.arrays.vcd import write_vcd
from dataflows.dataflow import Dataflow


@pytest.mark.skipif(not have_icarus(), reason="needs Icarus Verilog (Debian package iverilog)")
@pytest.mark.parametrize(("flow", "kind"), RUNS, ids=RUN_NAMES)
def test_waveform_equals_the_rtls(flow: Dataflow, kind: str, tmp_path: Path) -> None:
    for place, own in enumerate(choices(kind)):
        array, operands = array_of(kind, 3, 4, (2, 3, 2), **own), convolution(40 + place)
        rtl = rtl_of(flow, array)
        if rtl is None:
            pytest.skip("no RTL")
        found = BENCHES[rtl.bench](flow, array, operands, tmp_path)
        registers = flow.step(array, operands, dump_cycles=5000).registers
        bits = {name: 16 if name in rtl.word_registers else 32 for name in registers}
        write_vcd(registers, tmp_path / "ours.vcd", bits=bits)
        ours = read_vcd(tmp_path / "ours.vcd")
        assert ours["before cycle"].tolist() == list(range(found.cycles))
        for name, values in found.registers.items():
            assert np.array_equal(flat({name: ours[name]})[name], values), name
            assert sum(bool(values.any()) for values in found.registers.values()) >= 3  # the dump is no file of zeros
