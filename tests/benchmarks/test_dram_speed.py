"""Speed of DRAM, recorded: ``pytest tests/benchmarks -n 0 --benchmark-enable --benchmark-only``."""

from typing import Any

import numpy as np
import pytest
from registries import DRAM_PARTS

from simulator.dram.command_kernel import simulate_stream
from simulator.dram.part import load_part
from simulator.dram.transfer_time import transfer_times


@pytest.mark.parametrize("part", DRAM_PARTS)
@pytest.mark.parametrize("order", ["sequential", "random"])
def test_command_kernel(benchmark: Any, part: str, order: str) -> None:
    """Bursts a second of the command kernel, refresh included."""
    memory, bursts = load_part(part), 100_000
    places = np.arange(bursts)
    if order == "random":
        places = np.random.default_rng(0).integers(0, memory.channel_bytes // memory.burst_bytes, bursts)
    result = benchmark(simulate_stream, memory, places * memory.burst_bytes)
    benchmark.extra_info["bursts_per_second"] = bursts / benchmark.stats["mean"]
    assert result.reads == bursts


@pytest.mark.parametrize("part", DRAM_PARTS)
@pytest.mark.parametrize("kind", ["contiguous", "rows of images"])
def test_transfers(benchmark: Any, part: str, kind: str) -> None:
    """A thousand different patterns: runs of up to 4 MiB, or some rows of each of up to 512 images of 2-byte words."""
    rng = np.random.default_rng(0)
    if kind == "contiguous":
        segments = np.ones(1000, np.int64)
        size = stride = rng.integers(1, 4 << 20, 1000)
    else:
        width = rng.choice([8, 14, 16, 28, 32, 56, 112], 1000)
        segments, stride = rng.choice([64, 128, 256, 512], 1000), width * width * 2
        size = rng.integers(1, width + 1) * width * 2
    times = benchmark(transfer_times, load_part(part), segments, size, stride, rng.integers(0, 2, 1000))
    benchmark.extra_info["microseconds_a_pattern"] = benchmark.stats["mean"] * 1e6 / len(segments)
    benchmark.extra_info["bursts_per_second"] = int(times.bursts.sum()) / benchmark.stats["mean"]
    assert np.all(times.cycles >= times.bursts)
