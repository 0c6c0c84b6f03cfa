"""A DRAM part: times and currents fit each other, and transfers take the cycles of their commands."""

from functools import partial

import numpy as np

from simulator.dram.part import FOLDER, load_part
from simulator.dram.transfer_time import TransferPattern, contiguous, transfer_memory_cycles
from simulator.machine.spec_loading import load_accelerator
from simulator.testing.ladder import Ladder, hold
from simulator.testing.transfers import check_transfer
from workloads.foundation.shipped import shipped_names

PATTERNS = 24


def check(name: str) -> None:
    """Check a part: alone, in a machine, and its transfers; no transfer is faster than the data bus."""
    part = load_part(name)
    machine = load_accelerator(overrides={"dram.model": "commands", "dram.part": name, "dram.capacity_bytes": 1 << 20})
    hold(machine.dram.refresh(machine.frequency_hz) is not None, "it is never refreshed")
    numbers = np.random.default_rng(0)
    for index in range(PATTERNS):
        size = int(numbers.integers(1, 2 * part.row_bytes))
        segments = int(numbers.integers(1, 40))
        stride = size + int(numbers.integers(0, part.row_bytes))
        pattern = TransferPattern(segments, size, stride, bool(index % 2))
        check_transfer(part, pattern, int(numbers.choice([1, 2, 5, 32])))
    for write in (False, True):
        moved = 16 * part.row_bytes
        cycles, _ = transfer_memory_cycles(part, contiguous(moved, write))
        least = moved // part.burst_bytes * part.burst_cycles
        hold(cycles >= least, f"{moved} bytes take {cycles} cycles, and the data bus alone needs {least}")


LADDER = Ladder(
    "dram_parts", "times and currents fit, and transfers equal their commands", partial(shipped_names, FOLDER), check
)
