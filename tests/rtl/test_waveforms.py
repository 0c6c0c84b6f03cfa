"""The waveform of a layer's first folds holds the values of the RTL's own dump, in every cycle."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from array_specs import RUN_NAMES, RUNS, array_of, choices
from rtl_simulator import RtlJob, RtlResult, flat, have_icarus, run_icarus
from test_every_array import rtl_of, run_convolutions
from waves import read_vcd

from dataflows.array import PEArray
from dataflows.arrays.first_folds import FirstFolds
from dataflows.arrays.vcd import write_vcd
from dataflows.convolution import Sliding, one_tile
from dataflows.dataflow import Dataflow

PARTS = one_tile((2, 1, 5, 9, 2, 3), (2, 3), Sliding((2, 1), (1, 1)), "forward")


def run_jobs(flow: Dataflow, array: PEArray, first: FirstFolds, folder: Path) -> RtlResult:
    return run_icarus(RtlJob(array.job_array(flow.way), flow.geometry(array), *first.operands), folder, dump=True)


def run_rows(flow: Dataflow, array: PEArray, first: FirstFolds, folder: Path) -> RtlResult:
    return run_convolutions(replace(flow, fixed=first.mapping), array, first.operands, folder)


def rtl_folds(path: Path, first: FirstFolds, array: PEArray) -> list[int] | None:
    """Return the number of the fold in each cycle from the RTL's own counters, where it counts the folds that work."""
    header, _, body = path.read_text().partition("$enddefinitions $end")
    _, found, scope = header.partition("$scope module fold $end")
    if not found:
        return None  # the broadcast array counts the folds that are loaded
    names = re.findall(r"\$var \w+ 32 (\S+) (\w+_count)", scope.partition("$upscope")[0])
    assert len(names) == 3
    now, folds, cut = dict.fromkeys((name for _, name in names), 0), [], first.cut
    blocks = -(-int(cut.N[0]) // array.columns), -(-int(getattr(cut, first.array.spread.rows)[0]) // array.rows)
    for moment in re.split(r"^#", body, flags=re.MULTILINE)[1:]:
        time, *changes = moment.split("\n")
        while 10 * len(folds) + 5 <= int(time):  # cycle t ends at 10 t + 5
            block = now["group_count"] * blocks[0] + now["column_count"] // array.columns
            folds.append(block * blocks[1] + now["inner_count"] // array.rows)
        for code, name in names:
            for change in (change for change in changes if change.endswith(f" {code}")):
                now[name] = int(change[1:].split()[0], 2)
    return folds


BENCHES = {"jobs": run_jobs, "convolutions": run_rows}


@pytest.mark.skipif(not have_icarus(), reason="needs Icarus Verilog (Debian package iverilog)")
@pytest.mark.parametrize(("flow", "kind"), RUNS, ids=RUN_NAMES)
def test_waveform_equals_the_rtls(flow: Dataflow, kind: str, tmp_path: Path) -> None:
    for own in choices(kind, flow):
        array = array_of(kind, 3, 4, (2, 3, 2), **own)
        rtl = rtl_of(flow, array)
        if rtl is None:
            pytest.skip("no RTL")
        first = flow.first_folds(array, PARTS, 3)
        stepped = first.step(first.cycles)
        bits = {name: 16 if name in stepped.word_registers else 32 for name in stepped.registers}
        write_vcd(stepped.registers, tmp_path / "ours.vcd", stepped.fold, bits)
        ours = read_vcd(tmp_path / "ours.vcd")
        found = BENCHES[rtl.bench](flow, array, first, tmp_path)
        assert ours["before cycle"].tolist() == list(range(first.cycles))
        assert first.cycles <= found.cycles
        for name, values in found.registers.items():
            assert np.array_equal(flat({name: ours[name]})[name], values[: first.cycles]), name
        counted = rtl_folds(tmp_path / "registers.vcd", first, array) if rtl.bench == "jobs" else None
        assert counted is None or ours["before fold"].tolist() == counted[: first.cycles]
        # the dump is no file of zeros, and it goes on past the first fold
        assert sum(bool(values.any()) for values in found.registers.values()) >= 3
        assert set(ours["before fold"].tolist()) == {0, 1, 2}
