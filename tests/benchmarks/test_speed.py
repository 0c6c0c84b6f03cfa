"""Speed, recorded: ``pytest tests/benchmarks --benchmark-enable --benchmark-only``."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dataflows.arrays.job import Geometry, Ports
from dataflows.arrays.stepped import ARRAYS, ArrayName, step_job
from dataflows.planning import plan_product
from dataflows.tiling import choose_tiling
from simulator.engine.batch import merge
from simulator.engine.step_kernel import run_step_kernel
from simulator.engine.work import flatten
from simulator.simulation import Simulation, compare
from simulator.spec_loading import load_accelerator
from workloads.trace import load_trace

Benchmark = Callable[..., Any]


def test_load_trace(benchmark: Benchmark) -> None:
    assert benchmark(load_trace, "vgg13-cifar10").network == "VGG13"


def test_compare_from_nothing(benchmark: Benchmark) -> None:
    trace = load_trace("vgg13-cifar10")

    def fresh() -> int:
        plan_product.cache_clear()
        choose_tiling.cache_clear()
        return len(compare(trace).rows)

    assert benchmark(fresh) > 0


def test_step_kernel(benchmark: Benchmark) -> None:
    """Tiles a second of the kernel: all plans of a BP batch of VGG13 as one step."""
    simulation = Simulation(load_trace("vgg13-cifar10"), load_accelerator(design="max"))
    work = merge([work for step in simulation.works("bp") for work in step])
    flat = flatten(work, simulation.spec.dram, simulation.spec.frequency_hz)
    arguments = (
        flat.plan_begin, flat.tile_begin, flat.load_cycles, flat.store_cycles, flat.stores,
        flat.stream_cycles, flat.gap_cycles, flat.fill_cycles, flat.drain_cycles,
    )  # fmt: skip
    times, _ = benchmark(run_step_kernel, *arguments)
    assert len(times) == len(work.plans)


@pytest.mark.parametrize("array", ARRAYS)
def test_stepped_array(benchmark: Any, array: ArrayName) -> None:
    """Real MACs on every PE of 12 x 15 in every cycle; 100,000 vectors (or steps) a call."""
    moving, stationary = np.ones((1, 100_000, 12), np.float32), np.ones((1, 12, 15), np.float32)
    if array.endswith("output"):
        moving, stationary = np.ones((1, 12, 100_000), np.float32), np.ones((1, 100_000, 15), np.float32)
    job = benchmark(step_job, array, Geometry(12, 15, Ports(15, 12, 15)), moving, stationary)
    benchmark.extra_info["cycles"] = job.cycles
    assert job.macs == 12 * 15 * 100_000
