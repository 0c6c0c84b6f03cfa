"""The ladder can fail: faults planted in the RTL show in cycles, in numbers, or in registers alone."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import rtl_simulator
from rtl_simulator import RtlJob, RtlResult, flat, have_icarus
from samples import sampled
from test_row_stationary_equals_rtl import both

from dataflows.arrays.broadcast.output import BROADCAST_OUTPUT
from dataflows.arrays.broadcast.row_stationary import RowArray, RowMapping
from dataflows.arrays.broadcast.stationary import BROADCAST_STATIONARY
from dataflows.arrays.job import Geometry, JobArray, Ports
from dataflows.arrays.stepped import SteppedJob, step_job
from dataflows.arrays.systolic.output import SYSTOLIC_OUTPUT
from dataflows.arrays.systolic.stationary import SYSTOLIC_STATIONARY
from dataflows.arrays.systolic_overlapped.output import OVERLAPPED_OUTPUT
from dataflows.arrays.systolic_overlapped.stationary import OVERLAPPED_STATIONARY
from dataflows.convolution import Sliding
from dataflows.operands import ConvolutionOperands, SteppedProduct

pytestmark = pytest.mark.skipif(not have_icarus(), reason="needs Icarus Verilog (Debian package iverilog)")
GEOMETRY = Geometry(3, 4, Ports(5, 2, 3))


@dataclass(frozen=True)
class Fault:
    """What is written in place of what, in which array (row stationary: None), and where alone it shows."""

    array: JobArray | None
    rtl: str
    right: str
    wrong: str
    shows: frozenset[str]


def fault(array: JobArray | None, rtl: str, right: str, wrong: str, *shows: str) -> Fault:
    return Fault(array, rtl, right, wrong, frozenset(shows))


FAULTS = [
    # the first block of the reduction is taken for all: partial sums are lost, nothing is slower
    fault(BROADCAST_STATIONARY, "broadcast_stationary", "first_row == 0}", "1'b1}", "numbers", "registers"),
    # the weights are swapped a cycle early: the last vector meets the next fold's weights
    fault(BROADCAST_STATIONARY, "broadcast_stationary", ".swap(swap)", ".swap(start)",
          "numbers", "registers"),
    # loading a fold takes a cycle more: only the time is wrong
    fault(BROADCAST_STATIONARY, "broadcast_stationary", "load_step == LC - 1", "load_step == LC",
          "cycles", "registers"),
    # the multipliers work in every cycle: results and time are right, registers are not
    fault(BROADCAST_STATIONARY, "broadcast_stationary_pe", "if (multiply)", "if (1'b1)", "registers"),
    # sums are never started anew
    fault(BROADCAST_OUTPUT, "broadcast_os_pe", "is_first_step ?", "1'b0 ?", "numbers", "registers"),
    # out is overwritten while the last words drain: the fold after may start a cycle too early
    fault(BROADCAST_OUTPUT, "broadcast_os", "drain_step == DC - 1", "drain_step == DC - 2", "cycles", "numbers"),
    # filters shift sideways: each row gets its own
    fault(SYSTOLIC_STATIONARY, "systolic_stationary", "weight[(r-1)*C*WORD+:C*WORD]", "weight[r*C*WORD+:C*WORD]",
          "numbers", "registers"),
    # a row less is loaded
    fault(SYSTOLIC_STATIONARY, "systolic_stationary", "rows_sent == R - 1", "rows_sent == R - 2",
          "cycles", "numbers", "registers"),
    # sums are never started anew
    fault(SYSTOLIC_OUTPUT, "systolic_os", "beat == r + c ? {SUM{1'b0}}", "1'b0 ? {SUM{1'b0}}",
          "numbers", "registers"),
    # the next fold waits until the last vector of this one has entered: only the time is wrong
    fault(OVERLAPPED_STATIONARY, "overlapped_stationary", "(!streaming || last_enter)", "!streaming",
          "cycles", "registers"),
    # words skip a register on their way down: they run ahead of the wave
    fault(OVERLAPPED_STATIONARY, "overlapped_stationary", "= pass[(PE-C)*WORD+:WORD]", "= shadow[(PE-C)*WORD+:WORD]",
          "numbers", "registers"),
    # sums skip a register on their way to the right
    fault(OVERLAPPED_OUTPUT, "overlapped_os", "assign moved = pass[(PE-1)*SUM+:SUM]",
          "assign moved = out[(PE-1)*SUM+:SUM]", "numbers", "registers"),
    # sums are copied a cycle early: the last product is missing
    fault(OVERLAPPED_OUTPUT, "overlapped_os", "copy <= last_step", "copy <= last_enter",
          "cycles", "numbers", "registers"),
    # a block of filter rows starts its sums anew
    fault(None, "row_stationary_sequencer", "entered.channel == 0 && entered.filter_row == 0",
          "entered.channel == 0", "numbers", "registers"),
    # the output port is given a cycle more: only the time is wrong
    fault(None, "row_stationary_sequencer", "output_cycles_left <= enter ? O - 1",
          "output_cycles_left <= enter ? O", "cycles", "registers"),
    # the window does not move along
    fault(None, "row_stationary_pe", "input_[(b*W+j+NEW_COLUMNS)*WORD+:WORD]",
          "input_[(b*W+j)*WORD+:WORD]", "numbers", "registers"),
    # PEs take words of rows that do not exist: nothing comes of it
    fault(None, "row_stationary_pe", "if (!row_exists || j >=", "if (j >=", "registers"),
    # the multipliers work in every cycle
    fault(None, "row_stationary_pe", "if (control.multiply) product", "if (1'b1) product", "registers"),
]  # fmt: skip


def operands() -> tuple[np.ndarray, np.ndarray]:
    numbers = np.random.default_rng(5)
    return numbers.integers(-99, 100, (2, 5, 8)), numbers.integers(-99, 100, (2, 8, 9))


def job_differences(array: JobArray, folder: Path) -> set[str]:
    """Run a job on an array's RTL and tell where it differs from the stepped kernel."""
    stepped = step_job(array, GEOMETRY, *operands(), dump_cycles=5000)
    return compared(stepped, rtl_simulator.run_icarus(RtlJob(array, GEOMETRY, *operands()), folder, dump=True))


def row_differences(folder: Path) -> set[str]:
    """Do the same with a row-stationary job in which every dimension is folded."""
    numbers = np.random.default_rng(7)
    convolution = ConvolutionOperands(
        numbers.integers(-99, 100, (2, 2, 3, 6, 9)), numbers.integers(-99, 100, (2, 3, 3, 3, 3)),
        4, 4, Sliding((1, 2), (1, 1)), "forward",
    )  # fmt: skip
    mapping = RowMapping(h=2, w=3, q=1, p=2, r=2, e=3, t=1, d=1)
    return compared(*both(RowArray(4, 3, 4, 6, 1, 12, 6, 4), mapping, convolution, folder))


def compared(stepped: SteppedJob | SteppedProduct, rtl: RtlResult) -> set[str]:
    found = set()
    if rtl.cycles != stepped.cycles:
        found.add("cycles")
    if not np.array_equal(rtl.y, stepped.result):
        found.add("numbers")
    shared = min(rtl.cycles, stepped.cycles)
    if any(not np.array_equal(rtl.registers[name][:shared], v[:shared]) for name, v in flat(stepped.registers).items()):
        found.add("registers")
    return found


def differences(one: Fault, folder: Path) -> set[str]:
    try:
        return row_differences(folder) if one.array is None else job_differences(one.array, folder)
    except RuntimeError as error:  # only where it never came to an end; a fault must compile
        assert "no end" in str(error), error
        return {"cycles", "numbers", "registers"}


@pytest.mark.parametrize(
    "array", dict.fromkeys(one.array for one in FAULTS), ids=lambda array: array.name if array else "row_stationary"
)
def test_without_a_fault_nothing_shows(array: JobArray | None, tmp_path: Path) -> None:
    assert (row_differences(tmp_path) if array is None else job_differences(array, tmp_path)) == set()


FIRST_OF_ITS_FILE = [next(one for one in FAULTS if one.rtl == rtl) for rtl in dict.fromkeys(one.rtl for one in FAULTS)]


@pytest.mark.parametrize(
    "one", sampled(FAULTS, FIRST_OF_ITS_FILE.__contains__), ids=lambda one: f"{one.rtl}: {one.wrong}"
)
def test_a_fault_shows_and_where(one: Fault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sources = tmp_path / "sources"
    shutil.copytree(rtl_simulator.RTL, sources)
    path = sources / f"{one.rtl}.sv"
    text = path.read_text()
    assert one.right in text
    monkeypatch.setattr(rtl_simulator, "RTL", sources)
    path.write_text(text.replace(one.right, one.wrong))
    found = differences(one, tmp_path)
    assert found == one.shows
