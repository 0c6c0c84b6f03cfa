"""DRAMsim3 and Ramulator 2.1: streams of requests to DDR3-1600."""

from collections.abc import Iterator

import numpy as np

from simulator.dram.command_kernel import simulate_stream
from simulator.dram.part import load_part
from simulator.validation.comparison import Case, Comparison, Row

_MEASURED = (
    ("200,000 sequential reads", "DRAMsim3", 841_311), ("200,000 sequential reads", "Ramulator 2.1", 840_653),
    ("50,000 random reads", "DRAMsim3", 422_128), ("50,000 random reads", "Ramulator 2.1", 420_517),
)  # fmt: skip


def _rows(_: Case) -> Iterator[Row]:
    part = load_part("ddr3-1600")
    bursts = {
        "200,000 sequential reads": np.arange(200_000),
        "50,000 random reads": np.random.default_rng(0).integers(0, 2**33 // 64, 50_000),
    }
    ours = {name: simulate_stream(part, those * part.burst_bytes).cycles for name, those in bursts.items()}
    for name, other, cycles in _MEASURED:
        yield Row(f"{name}, {other}", cycles, ours[name], other)


COMPARISON = Comparison(
    "dram", "DRAM by its commands", "memory cycles", "runs of DRAMsim3 (commit 29817593) and of Ramulator 2.1",
    "DDR3-1600, 8 Gb x8, 64 bits, one rank. More streams, and DDR4, are in docs/dram.md.",
    lambda case: tuple(_rows(case)), rank=3,
)  # fmt: skip
