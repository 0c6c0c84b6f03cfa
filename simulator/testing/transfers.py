"""Transfers of a DRAM part: whatever short cut is taken, they take the cycles of their commands, one by one."""

import numpy as np

from simulator.dram.channel import channel_of
from simulator.dram.command_kernel import simulate_stream
from simulator.dram.part import DramPart
from simulator.dram.transfer_kernel import run_transfers
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


def check_transfer(part: DramPart, pattern: TransferPattern, depth: int) -> None:
    """Hold a transfer against the commands of its bursts, with and without short cuts."""
    expected = by_kernel(part, pattern, depth)
    numbers = [np.array([each]) for each in (pattern.segments, pattern.segment_bytes, pattern.stride_bytes)]
    for short_cuts in (True, False):
        found = run_transfers(
            *channel_of(part), part.burst_bytes, depth, *numbers, np.array([pattern.write]), short_cuts
        )
        hold(
            tuple(found[0]) == expected, f"{part.name}, {pattern}: {tuple(found[0])}, and its commands give {expected}"
        )
    cycles = transfer_memory_cycles(part, pattern, depth)
    hold(cycles == expected[:2], f"{part.name}, {pattern}: {cycles}, and its commands give {expected[:2]}")
