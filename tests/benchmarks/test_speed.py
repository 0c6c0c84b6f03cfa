"""Speed, recorded: ``pytest tests/benchmarks -n 0 --benchmark-enable --benchmark-only``."""

from itertools import count
from random import Random
from typing import Any

import numpy as np
import pytest
from array_specs import JOB_ARRAY_NAMES, JOB_ARRAYS
from registries import DATAFLOWS

from dataflows.arrays.job import Geometry, JobArray, Ports
from dataflows.arrays.stepped import step_job
from dataflows.convolution import whole_convolution
from dataflows.dataflow import find_dataflow
from dataflows.plans.cuts import cuts_of
from dataflows.plans.planning import plan_product
from simulator.engine.step_kernel import CHANNEL, RefreshRules, run_step_kernel
from simulator.engine.work import flatten, merge
from simulator.machine.spec import Accelerator
from simulator.machine.spec_loading import load_accelerator, load_designs
from simulator.phases.design import designs
from simulator.run.simulation import Simulation, compare
from simulator.sweep.point import Point, totals
from workloads.passes import Product, decomposed_dgrad
from workloads.shapes import ConvShape, linear_shape
from workloads.trace import load_trace

Benchmark = Any


def test_load_trace(benchmark: Benchmark) -> None:
    assert benchmark(load_trace, "vgg13-cifar10").network == "VGG13"


def test_compare_from_nothing(benchmark: Benchmark) -> None:
    trace = load_trace("vgg13-cifar10")

    def fresh() -> int:
        plan_product.cache_clear()
        cuts_of.cache_clear()
        return len(compare(trace).rows)

    assert benchmark(fresh) > 0


@pytest.mark.parametrize("changed", ["nothing", "energy table", "bandwidth", "array"])
def test_compare_again(benchmark: Benchmark, changed: str) -> None:
    """One more comparison in the same process, of a machine that differs from all before in one thing."""
    trace, turns = load_trace("vgg13-cifar10"), count(1)
    compare(trace)

    def machines() -> tuple[tuple[list[Accelerator]], dict[str, Any]]:
        turn = next(turns)
        overrides = {
            "nothing": [], "energy table": ["energy_table=22nm"],
            "bandwidth": [f"dram.peak_bytes_per_second={10**10 + turn}"], "array": [f"array.rows={12 + turn}"],
        }[changed]  # fmt: skip
        return (load_designs(overrides=overrides),), {}

    runs = benchmark.pedantic(lambda specs: compare(trace, specs).runs, setup=machines, rounds=5)
    assert len(runs) == 4


@pytest.mark.parametrize("trace, flow", [("vgg13-cifar10", "ws"), ("resnet50-imagenet", "ws"), ("vgg13-cifar10", "rs")])
def test_sweep_point(benchmark: Benchmark, trace: str, flow: str) -> None:
    """A point of a sweep, kernels compiled: the totals of all designs on a machine that no point had before."""
    turns, draw = count(1), Random(5)

    def machine() -> tuple[tuple[list[Point]], dict[str, Any]]:
        keys = {
            "dataflow": flow, "array.rows": draw.randint(8, 24), "array.columns": draw.randint(8, 30),
            "global_buffer.banks": draw.randint(17, 48), "dram.latency_ns": draw.randint(20, 80),
            "dram.peak_bytes_per_second": draw.randint(4, 40) * 10**9 + next(turns),
        }  # fmt: skip
        return ([Point.of({"trace": trace, "design": name, **keys}, None) for name in designs()],), {}

    found = benchmark.pedantic(lambda points: [totals(one) for one in points], setup=machine, rounds=5, warmup_rounds=1)
    assert all(cycles > 0 for cycles, *_ in found)


@pytest.mark.parametrize("model", ["bandwidth", "commands"])
def test_compare_by_dram_model(benchmark: Benchmark, model: str) -> None:
    """All plans from nothing, by each model of the DRAM; transfers are remembered after the first round."""
    trace, specs = load_trace("vgg13-cifar10"), load_designs(overrides=[f"dram.model={model}"])

    def fresh() -> int:
        plan_product.cache_clear()
        return len(compare(trace, specs).rows)

    assert benchmark(fresh) > 0


def test_step_kernel(benchmark: Benchmark) -> None:
    """Tiles a second of the kernel: all plans of a BP batch of VGG13 as one step."""
    simulation = Simulation(load_trace("vgg13-cifar10"), load_accelerator(design="max"))
    work = merge([work for step in simulation.batches.works("bp") for work in step])
    flat = flatten([work], simulation.spec.dram, simulation.spec.frequency_hz)[0]
    channel = np.zeros(1, CHANNEL)[0]
    arguments = flat.plan_begin, flat.tile_begin, flat.plans, flat.tiles, RefreshRules.of(None)

    def run() -> int:
        channel["free"] = 0
        return len(run_step_kernel(*arguments, channel)[0])

    times = benchmark(run)
    assert times == len(work.plans)


@pytest.mark.parametrize("array", JOB_ARRAYS, ids=JOB_ARRAY_NAMES)
def test_stepped_array(benchmark: Any, array: JobArray) -> None:
    """Real MACs on every PE of 12 x 15 in every cycle; 100,000 vectors (or steps) a call."""
    moving, stationary = np.ones((1, 100_000, 12), np.float32), np.ones((1, 12, 15), np.float32)
    if not array.sums_by_vector:
        moving, stationary = np.ones((1, 12, 100_000), np.float32), np.ones((1, 100_000, 15), np.float32)
    job = benchmark(step_job, array, Geometry(12, 15, Ports(15, 12, 15)), moving, stationary)
    benchmark.extra_info["cycles"] = job.cycles
    assert job.macs == 12 * 15 * 100_000


def resnet50_shapes(batch: int) -> list[ConvShape]:
    """ResNet-50 at 224 x 224 (He et al., CVPR 2016, table 1; stride on the 3 x 3 convolution)."""

    def conv(C: int, K: int, extent: int, kernel: int, stride: int) -> ConvShape:
        out = -(-extent // stride)
        return ConvShape(batch, C, extent, extent, K, kernel, kernel, out, out, (stride,) * 2, (kernel // 2,) * 2)

    shapes, C = [conv(3, 64, 224, 7, 2)], 64
    for width, blocks, extent, first_stride in ((64, 3, 56, 1), (128, 4, 56, 2), (256, 6, 28, 2), (512, 3, 14, 2)):
        for block in range(blocks):
            stride = first_stride if block == 0 else 1
            shapes += [conv(C, width, extent, 1, 1), conv(width, width, extent, 3, stride)]
            shapes += [conv(width, 4 * width, extent // stride, 1, 1)]
            if block == 0:
                shapes.append(conv(C, 4 * width, extent, 1, stride))
            extent, C = extent // stride, 4 * width
    return [*shapes, linear_shape(batch, 2048, 1000)]


@pytest.mark.parametrize("name", DATAFLOWS)
def test_closed_form_of_resnet50(benchmark: Benchmark, name: str) -> None:
    """Cycles and traffic of all products of a training batch; row stationary with its mappings remembered."""
    array, flow = load_accelerator(design="baseline").array, find_dataflow(name, "broadcast", "", "")
    shapes = resnet50_shapes(128)
    assert sum(shape.weight_words for shape in shapes) == 25_502_912  # torchvision's, batch norms and biases left out
    products = [
        product for shape in shapes for product in
        (Product(shape, "forward"), *decomposed_dgrad(shape), Product(shape, "wgrad"))
    ]  # fmt: skip
    tiles = [whole_convolution(product) for product in products]

    def run() -> int:
        cycles = 0
        for one in tiles:
            timing, _ = flow.timing(array, one), flow.traffic(array, one, 0)
            cycles += timing.fill_cycles + int(timing.stream_cycles[0]) + timing.drain_cycles
        return cycles

    run()
    assert benchmark(run) > 0
