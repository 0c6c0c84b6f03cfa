"""The ladder can fail: faults planted in the RTL show in cycles, in numbers, or in registers alone."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import rtl_simulator
from rtl_simulator import RtlJob, have_icarus

from dataflows.arrays.job import Geometry, Ports
from dataflows.arrays.stepped import ArrayName, step_job

pytestmark = pytest.mark.skipif(not have_icarus(), reason="needs Icarus Verilog (Debian package iverilog)")
SOURCES = Path(__file__).parent
GEOMETRY = Geometry(3, 4, Ports(5, 2, 3))


@dataclass(frozen=True)
class Fault:
    """What is written in place of what, in which array, and where alone it shows."""

    array: ArrayName
    rtl: str
    right: str
    wrong: str
    shows: frozenset[str]


def fault(array: ArrayName, rtl: str, right: str, wrong: str, *shows: str) -> Fault:
    return Fault(array, rtl, right, wrong, frozenset(shows))


FAULTS = [
    # the first block of the reduction is taken for all: partial sums are lost, nothing is slower
    fault("broadcast_stationary", "broadcast_stationary", "first_row == 0}", "1'b1}", "numbers", "registers"),
    # the weights are swapped a cycle early: the last vector meets the next fold's weights
    fault("broadcast_stationary", "broadcast_stationary", "if (swap) weight", "if (start) weight",
          "numbers", "registers"),
    # loading a fold takes a cycle more: only the time is wrong
    fault("broadcast_stationary", "broadcast_stationary", "load_step == LC - 1", "load_step == LC",
          "cycles", "registers"),
    # the multipliers work in every cycle: results and time are right, registers are not
    fault("broadcast_stationary", "broadcast_stationary", "if (valid[0])", "if (1'b1)", "registers"),
    # sums are never started anew
    fault("broadcast_output", "broadcast_os", "is_first_step[1] ?", "1'b0 ?", "numbers", "registers"),
    # out is overwritten while the last words drain: the fold after may start a cycle too early
    fault("broadcast_output", "broadcast_os", "drain_step == DC - 1", "drain_step == DC - 2", "cycles", "numbers"),
    # filters shift sideways: each row gets its own
    fault("systolic_stationary", "systolic_stationary", "weight[(r-1)*C*WORD+:C*WORD]", "weight[r*C*WORD+:C*WORD]",
          "numbers", "registers"),
    # a row less is loaded
    fault("systolic_stationary", "systolic_stationary", "rows_sent == R - 1", "rows_sent == R - 2",
          "cycles", "numbers", "registers"),
    # sums are never started anew
    fault("systolic_output", "systolic_os", "beat == r + c ? {SUM{1'b0}}", "1'b0 ? {SUM{1'b0}}",
          "numbers", "registers"),
]  # fmt: skip


def operands() -> tuple[np.ndarray, np.ndarray]:
    numbers = np.random.default_rng(5)
    return numbers.integers(-99, 100, (2, 5, 8)), numbers.integers(-99, 100, (2, 8, 9))


def differences(array: ArrayName, folder: Path, sources: Path, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Run a job on the RTL of a folder and tell where it differs from the stepped kernel."""
    monkeypatch.setattr(rtl_simulator, "HERE", sources)
    moving, stationary = operands()
    names = {"broadcast_output": "broadcast_os", "systolic_output": "systolic_os"}
    ports = GEOMETRY.ports
    job = RtlJob(names.get(array, array), 3, 4, ports.stationary, ports.moving, ports.output, moving, stationary)
    stepped = step_job(array, GEOMETRY, moving, stationary, dump_cycles=5000)
    try:
        rtl = rtl_simulator.run_icarus(job, folder, dump=True)
    except RuntimeError as error:  # only where it never came to an end; a fault must compile
        assert "no end" in str(error), error
        return {"cycles", "numbers", "registers"}
    found = set()
    if rtl.cycles != stepped.cycles:
        found.add("cycles")
    if not np.array_equal(rtl.y, stepped.result):
        found.add("numbers")
    shared = min(rtl.cycles, stepped.cycles)
    if any(not np.array_equal(rtl.registers[name][:shared], v[:shared]) for name, v in stepped.registers.items()):
        found.add("registers")
    return found


@pytest.mark.parametrize("one", FAULTS, ids=lambda one: f"{one.rtl}: {one.wrong}")
def test_a_fault_shows_and_where(one: Fault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sources = tmp_path / "sources"
    shutil.copytree(SOURCES, sources, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    path = sources / f"{one.rtl}.sv"
    text = path.read_text()
    assert one.right in text
    assert differences(one.array, tmp_path / "right", sources, monkeypatch) == set()
    path.write_text(text.replace(one.right, one.wrong))
    found = differences(one.array, tmp_path / "wrong", sources, monkeypatch)
    assert found == one.shows
