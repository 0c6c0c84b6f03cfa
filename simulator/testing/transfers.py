"""Transfers of a DRAM part: whatever short cut is taken, they take the cycles of their commands, one by one."""

import numpy as np

from simulator.dram.channel import channel_of
from simulator.dram.command_kernel import simulate_stream
from simulator.dram.part import DramPart
from simulator.dram.transfer_kernel import TIMES, run_transfers
from simulator.dram.transfer_table import ENTRY
from simulator.dram.transfer_time import TransferPattern, transfer_memory_cycles
from simulator.testing.ladder import hold


def bursts_of(part: DramPart, pattern: TransferPattern) -> list[int]:
    """Return every burst that a segment touches, once, one by one."""
    found: list[int] = []
    for segment in range(pattern.segments):
        first, last = segment * pattern.stride_bytes, segment * pattern.stride_bytes + pattern.segment_bytes - 1
        for burst in range(first // part.burst_bytes, last // part.burst_bytes + 1):
            if not found or burst > found[-1]:
                found.append(burst)
    return found


def by_kernel(part: DramPart, pattern: TransferPattern, depth: int = 32) -> tuple[int, int, int]:
    """Return the cycles, activates and bursts of a transfer from the kernel that issues each of its commands."""
    bursts = bursts_of(part, pattern)
    addresses = np.array(bursts) * part.burst_bytes
    result = simulate_stream(part, addresses, pattern.write, None, depth, refresh=False, close=True)
    return result.cycles, result.activates, len(bursts)


def from_scratch(part: DramPart, pattern: TransferPattern, depth: int, short_cuts: bool) -> tuple[int, int, int]:
    """Return cycles, activates and bursts of a transfer, without a table of what was run before."""
    numbers = (pattern.segments, pattern.segment_bytes, pattern.stride_bytes, pattern.write)
    columns = [np.array([each], np.int64) for each in numbers]
    result = np.zeros(1, TIMES)
    done, _ = run_transfers(
        *channel_of(part), part.burst_bytes, depth, *columns, short_cuts, result, 0, np.zeros(0, ENTRY), 0,
        part.channel_bytes,
    )  # fmt: skip
    hold(done == 1, f"{part.name}, {pattern}: is no transfer of this part")
    cycles, activates, bursts = result[0].tolist()
    return cycles, activates, bursts


def check_transfer(part: DramPart, pattern: TransferPattern, depth: int) -> None:
    """Hold a transfer against the commands of its bursts, with and without short cuts."""
    expected = by_kernel(part, pattern, depth)
    for short_cuts in (True, False):
        found = from_scratch(part, pattern, depth, short_cuts)
        hold(found == expected, f"{part.name}, {pattern}: {found}, and its commands give {expected}")
    cycles = transfer_memory_cycles(part, pattern, depth)
    hold(cycles == expected[:2], f"{part.name}, {pattern}: {cycles}, and its commands give {expected[:2]}")
