"""A DRAM model: transfers take whole cycles, no more than its bound, and nothing takes nothing."""

import numpy as np

from dataflows.plans.transfers import contiguous
from simulator.dram.models import DRAM_MODELS
from simulator.machine.spec_loading import load_accelerator
from simulator.testing.ladder import Ladder, hold

SIZES = np.array([1, 2, 3, 63, 64, 65, 1000, 4096, 100_000, 1 << 20])


def check(name: str) -> None:
    """Check a model with the values that its keys have where no file gives them."""
    machine = load_accelerator(overrides={"dram.model": name})
    dram, clock = machine.dram, machine.frequency_hz
    for write in (False, True):
        cycles = dram.transfer_cycles(contiguous(SIZES, write=write), clock)
        hold(np.issubdtype(np.asarray(cycles).dtype, np.integer), f"cycles are {np.asarray(cycles).dtype}, not whole")
        hold((np.diff(cycles) >= 0).all(), f"a longer transfer takes less: {dict(zip(SIZES, cycles, strict=True))}")
        for size, found in zip(SIZES.tolist(), np.asarray(cycles).tolist(), strict=True):
            bound = dram.bound_cycles(size, 1, clock)
            hold(0 <= found <= bound, f"{size} bytes take {found} cycles, and the bound is {bound}")
            rate = dram.rate(clock)
            if rate is not None:
                numerator, denominator, latency = rate
                by_rate = -(-size * numerator // denominator) + latency
                hold(found == by_rate, f"{size} bytes take {found} cycles, and {by_rate} by its rate")


LADDER = Ladder("dram_models", "whole cycles within the bound, and equal to its rate", lambda: DRAM_MODELS, check)
