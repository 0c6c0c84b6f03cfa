"""A new DRAM model and a new DRAM part are one new file each."""

import subprocess
import sys
from pathlib import Path

from tree_copy import copy_project

MODEL = '''
"""Each transfer takes as many cycles as it has bytes."""

from typing import Literal

from dataflows.integers import Integers
from dataflows.plans.transfers import Transfers
from simulator.dram.model import DramModel


class ByteDram(DramModel):
    """A byte a cycle, times `slowness`."""

    model: Literal["byte"]
    slowness: int

    def least_transfer_cycles(self, frequency_hz: int) -> int:
        """None."""
        return 0

    @property
    def bytes_per_second(self) -> int:
        """At 1 GHz."""
        return 10**9 // self.slowness

    def transfer_cycles(self, transfers: Transfers, frequency_hz: int) -> Integers:
        """Return the bytes, times `slowness`."""
        return transfers.moved_bytes * self.slowness

    def bound_cycles(self, moved_bytes: int, transfers: int, frequency_hz: int) -> int:
        """Return the bytes, times `slowness`."""
        return moved_bytes * self.slowness


DRAM_MODEL = ByteDram
'''
SCRIPT = """
import sys
sys.path.insert(0, ".")
import numpy as np
from dataflows.plans.transfers import contiguous
from simulator.machine.spec_loading import load_accelerator
byte = load_accelerator(overrides=["dram.model=byte", "dram.slowness=3"]).dram
part = load_accelerator(overrides=["dram.model=commands", "dram.part=ddr3-800"]).dram
print(byte.transfer_cycles(contiguous(np.array([7]), write=False), 1)[0], part.bytes_per_second)
"""


def test_a_model_and_a_part_are_one_file_each(tmp_path: Path) -> None:
    environment = copy_project(tmp_path, "configs")
    (tmp_path / "simulator/dram/models/byte.py").write_text(MODEL, encoding="utf-8")
    part = (tmp_path / "configs/dram/ddr3-1600.yaml").read_text(encoding="utf-8")
    assert part.count("clock_hz: 800_000_000") == 1
    slower = part.replace("clock_hz: 800_000_000", "clock_hz: 400_000_000")
    (tmp_path / "configs/dram/ddr3-800.yaml").write_text(slower, encoding="utf-8")
    command = [sys.executable, "-P", "-c", SCRIPT]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, env=environment)
    assert run.returncode == 0, run.stderr
    # 7 bytes in 21 cycles; 64 bits, two words a cycle of 400 MHz: 6.4 GB/s
    assert run.stdout.split() == ["21", "6400000000"]
