"""Make docs/validation.md from what `adagp-sim validate` compares, and what only a checkout measures (two minutes).

It needs iverilog for the comparison `rtl`.

Every figure in it is measured here; tests check those that they name.
"""

import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "ladder")]

from array_specs import JOB_ARRAYS  # noqa: E402
from test_row_stationary import EYERISS  # noqa: E402
from test_stepped_arrays import closed_cycles  # noqa: E402

from dataflows.arrays.job import Geometry, JobTiles, Ports  # noqa: E402
from dataflows.arrays.stepped import step_job  # noqa: E402
from dataflows.convolution import whole_convolution  # noqa: E402
from dataflows.dataflow import find_dataflow  # noqa: E402
from dataflows.plans.cuts import cuts_of  # noqa: E402
from dataflows.plans.placement import ALL_IN_DRAM  # noqa: E402
from dataflows.plans.planning import choose_tiling, plan_product  # noqa: E402
from simulator.machine.spec_loading import load_accelerator  # noqa: E402
from simulator.run.simulation import Simulation  # noqa: E402
from simulator.validation.comparison import comparisons, validated  # noqa: E402
from simulator.validation.report import page  # noqa: E402
from workloads.foundation.markdown import wrapped  # noqa: E402
from workloads.passes import Product  # noqa: E402
from workloads.shapes import ConvShape  # noqa: E402
from workloads.trace import load_trace  # noqa: E402


def closed_form_section() -> list[str]:
    numbers = np.random.default_rng(0)
    count = different = 0
    for array in JOB_ARRAYS:
        for _ in range(1000):
            rows, columns, stationary, moving, output, V, D, N = numbers.integers(
                1, [9, 9, 40, 10, 40, 24, 24, 24]
            ).tolist()
            geometry = Geometry(rows, columns, Ports(stationary, moving, output))
            groups = int(numbers.integers(1, 4))
            a, b = numbers.integers(-9, 9, (groups, V, D)), numbers.integers(-9, 9, (groups, D, N))
            stepped = step_job(array, geometry, a, b)
            tiles = JobTiles(*(np.array([size]) for size in (groups, V, D, N)))
            same = (
                np.array_equal(stepped.result, a @ b)
                and stepped.cycles == closed_cycles(array, geometry, tiles)
                and stepped.traffic == array.traffic(geometry, tiles)
            )
            count, different = count + 1, different + (not same)
    return [
        "## Closed form = stepped = numpy",
        "",
        f"{count} random jobs (array size, ports, shape): cycles, all counts and numbers. Differences: {different}.",
        "",
        "Row stationary is compared in the same way (any mapping that fits, 1,500 random jobs).",
        "",
        "Again: `pytest tests/ladder/test_stepped_arrays.py tests/ladder/test_row_stationary.py "
        "tests/ladder/test_functional.py`. "
        "The last file compares forward, dgrad (dense and decomposed) and wgrad of random convolutions with PyTorch's "
        "autograd, under every dataflow.",
    ]


def eyeriss_section() -> list[str]:
    """Working PEs of AlexNet's convolutions: Eyeriss's, the best mapping of a whole layer, and what a run uses."""
    capacity = ["array.columns=14", "global_buffer.banks=27", "global_buffer.bank_bytes=4096"]
    narrow = ["array.weight_port_words_per_cycle=4", "array.input_port_words_per_cycle=1",
              "array.output_port_words_per_cycle=4"]  # fmt: skip
    specs = [load_accelerator(design="baseline", dataflow="rs", overrides=capacity + ports) for ports in ([], narrow)]
    flow = find_dataflow("rs", "broadcast", "", "")
    lines = [
        "## Row stationary: working PEs of AlexNet on 12 x 14",
        "",
        "Batch 4, 224 filter words, 12 ifmap words and 24 psums a PE, a buffer of 108 KiB. Eyeriss's figures are",
        "table IV of Chen et al., JSSC 2017. *Whole layer* is the mapping that the closed form finds fastest if the",
        "buffer does not matter. A run cuts the layer into tiles that fit in the buffer; it uses the mapping",
        "that is fastest for these tiles, which may keep fewer PEs busy.",
        "",
        "| layer | Eyeriss | whole layer | a run, ports as wide as the array | a run, ports of 4, 1 and 4 words |",
        "|---|---|---|---|---|",
    ]
    for name, ((C, H, K, R, P, stride, padding, groups), pes) in EYERISS.items():
        shape = ConvShape(4, C, H, H, K, R, R, P, P, (stride,) * 2, (padding,) * 2, (1, 1), groups)
        product = Product(shape, "forward")
        whole = flow.mapping(specs[0].array, whole_convolution(product)).pes
        runs = [
            choose_tiling(product, ALL_IN_DRAM, flow, spec.array, spec.budget(0)).mapped.fixed.pes for spec in specs
        ]
        lines.append(f"| {name} | {pes} | {whole} | {' | '.join(map(str, runs))} |")
    return [*lines, "", "Again: `pytest tests/ladder/test_row_stationary.py` for the whole layers"]


def speed_section() -> list[str]:
    lines = ["## Speed, one core of the machine that made this page", "", "| what | speed |", "|---|---|"]
    for array in JOB_ARRAYS:
        a, b = np.ones((1, 200_000, 12), np.float32), np.ones((1, 12, 15), np.float32)
        if not array.sums_by_vector:
            a, b = np.ones((1, 12, 200_000), np.float32), np.ones((1, 200_000, 15), np.float32)
        geometry = Geometry(12, 15, Ports(15, 12, 15))
        step_job(array, geometry, a[:, :20, :20], b[:, :20])
        start = time.perf_counter()
        job = step_job(array, geometry, a, b)
        rate = job.cycles / (time.perf_counter() - start) / 1e6
        lines.append(
            f"| stepped {array.name.replace('_', ' ')}, 12 x 15, real MACs | {rate:.1f} million cycles a second |"
        )
    trace, spec = load_trace("vgg13-cifar10"), load_accelerator(design="max")
    simulated = Simulation(trace, spec).run().total_cycles
    plan_product.cache_clear()
    cuts_of.cache_clear()
    start = time.perf_counter()
    Simulation(trace, spec).run()
    seconds = time.perf_counter() - start
    lines.append(f"| a run of VGG13 on CIFAR10, max, {simulated:,} cycles | {seconds * 1e3:.0f} ms, nothing cached |")
    return [*lines, "", "Again: `pytest tests/benchmarks -n 0 --benchmark-enable --benchmark-only`"]


if __name__ == "__main__":
    every = [validated(one, ranges=True) for one in comparisons().values()]
    sections = [closed_form_section(), eyeriss_section(), speed_section()]
    head = wrapped(page(every, pictures=False, command="python tests/make_validation.py"))
    text = wrapped("\n".join(line for section in sections for line in [*section, ""]))
    (ROOT / "docs" / "validation.md").write_text(head + "\n" + text, encoding="utf-8")
