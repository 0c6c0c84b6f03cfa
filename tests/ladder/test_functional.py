"""Convolutions on the stepped array against PyTorch's autograd: forward, dgrad, wgrad."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dataflows.array import PEArray
from dataflows.dataflow import dataflows
from dataflows.functional.products import run_dgrad, run_forward, run_wgrad
from dataflows.plans.placement import ALL_IN_DRAM
from dataflows.plans.plan import BufferBudget
from dataflows.plans.planning import plan_product
from workloads.passes import Product, decomposed_dgrad
from workloads.shapes import ConvShape, linear_shape, output_extent

torch = pytest.importorskip("torch", reason="needs the torch extra")
FLOWS = list(dataflows().values())
ONE_TILE = BufferBudget(capacity_bytes=1 << 40, word_bytes=2, partial_sum_bytes=4)


def array(interconnect: str, drain: str = "free", rows: int = 4, columns: int = 3) -> PEArray:
    return PEArray(
        interconnect=interconnect, rows=rows, columns=columns, weight_port_words_per_cycle=4,
        input_port_words_per_cycle=3, output_port_words_per_cycle=2, systolic_os_drain=drain,
        row_stationary_sets="whole", accumulator_sums=0,
        scratchpads={"input_words": 4, "filter_words": 24, "partial_sum_words": 3},
    )  # fmt: skip


@st.composite
def shapes(draw: st.DrawFn) -> ConvShape:
    def pair(low: int, high: int) -> tuple[int, int]:
        return draw(st.integers(low, high)), draw(st.integers(low, high))

    groups = draw(st.sampled_from([1, 1, 2, 3]))
    depthwise = draw(st.booleans())
    C = groups if depthwise else groups * draw(st.integers(1, 3))
    K = groups * draw(st.integers(1, 3))
    (H, W), (R, S), stride, padding, dilation = pair(1, 7), pair(1, 3), pair(1, 3), pair(0, 2), pair(1, 2)
    P = output_extent(H, R, stride[0], padding[0], dilation[0])
    Q = output_extent(W, S, stride[1], padding[1], dilation[1])
    assume(P >= 1 and Q >= 1)
    return ConvShape(draw(st.integers(1, 2)), C, H, W, K, R, S, P, Q, stride, padding, dilation, groups)


def tensors(shape: ConvShape, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    numbers = np.random.default_rng(seed)
    X = numbers.integers(-9, 10, (shape.N, shape.C, shape.H, shape.W))
    W = numbers.integers(-9, 10, (shape.K, shape.C // shape.groups, shape.R, shape.S))
    return X, W, numbers.integers(-9, 10, (shape.N, shape.K, shape.P, shape.Q))


def autograd(shape: ConvShape, X: np.ndarray, W: np.ndarray, dY: np.ndarray) -> tuple[np.ndarray, ...]:
    x, w = (torch.tensor(a, dtype=torch.float64, requires_grad=True) for a in (X, W))
    y = torch.nn.functional.conv2d(
        x, w, stride=shape.stride, padding=shape.padding, dilation=shape.dilation, groups=shape.groups
    )
    y.backward(torch.tensor(dY, dtype=torch.float64))
    return y.detach().numpy(), x.grad.numpy(), w.grad.numpy()


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: f"{flow.name}-{flow.interconnect}")
@settings(max_examples=60, deadline=None)
@given(shapes(), st.integers(0, 2**32 - 1))
def test_convolutions_equal_autograd(flow, shape: ConvShape, seed: int) -> None:
    X, W, dY = tensors(shape, seed)
    Y, dX, dW = autograd(shape, X, W, dY)
    pe = array(flow.interconnect)
    assert np.array_equal(run_forward(shape, X, W, flow, pe).tensor, Y)
    assert np.array_equal(run_wgrad(shape, X, dY, flow, pe).tensor, dW)
    for decomposed in (True, False):
        assert np.array_equal(run_dgrad(shape, W, dY, flow, pe, decomposed).tensor, dX)


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: f"{flow.name}-{flow.interconnect}")
@settings(max_examples=40, deadline=None)
@given(shapes(), st.integers(0, 2**32 - 1), st.sampled_from(["free", "serial"]))
def test_cycles_and_counts_of_passes_equal_the_plans(flow, shape: ConvShape, seed: int, drain: str) -> None:
    X, W, dY = tensors(shape, seed)
    pe = array(flow.interconnect, drain)
    runs = {
        (Product(shape, "forward"),): run_forward(shape, X, W, flow, pe),
        (Product(shape, "wgrad"),): run_wgrad(shape, X, dY, flow, pe),
        (Product(shape, "dgrad"),): run_dgrad(shape, W, dY, flow, pe, decomposed=False),
        decomposed_dgrad(shape): run_dgrad(shape, W, dY, flow, pe),
    }
    for products, run in runs.items():
        for product, job in zip(products, run.parts, strict=True):
            plan = plan_product(product, ALL_IN_DRAM, flow, pe, ONE_TILE)
            assume(len(plan.stream_cycles) == 1)
            assert job.cycles == plan.compute_cycles
            assert job.macs == plan.counts.macs == product.macs
            for accesses in ("register_reads", "register_writes", "scratchpad_reads", "scratchpad_writes"):
                assert getattr(job.traffic, accesses) == getattr(plan.counts, accesses)
            words = job.traffic.image_words + job.traffic.filter_words
            results = job.result.size
            read_back = job.traffic.partial_sum_reads
            assert read_back == job.traffic.partial_sum_writes
            # sums that come back do so in the broadcast array; elsewhere they are added where they are kept
            returns = flow.interconnect == "broadcast" and flow.name != "os"
            assert plan.counts.array_network_bytes == 2 * (words + results) + (8 if returns else 4) * read_back
            assert plan.counts.adds == (0 if returns else read_back)
            stored = 2 * results
            assert plan.counts.buffer_read_bytes == 2 * words + 4 * read_back + stored


@settings(max_examples=200, deadline=None)
@given(shapes())
def test_decomposed_dgrad_does_no_work_on_zeros_between_elements(shape: ConvShape) -> None:
    def meetings(extent: int, kernel: int, axis: int) -> int:
        return sum(
            (h + shape.padding[axis] - r * shape.dilation[axis]) % shape.stride[axis] == 0
            for h in range(extent)
            for r in range(kernel)
        )

    useful = shape.N * shape.C * shape.K // shape.groups * meetings(shape.H, shape.R, 0) * meetings(shape.W, shape.S, 1)
    assert sum(product.macs for product in decomposed_dgrad(shape)) == useful
    assert (
        Product(shape, "dgrad").macs
        == shape.N * shape.C * shape.H * shape.W * shape.K // shape.groups * shape.R * shape.S
    )


def test_linear_layers_and_attention_products_in_floats() -> None:
    numbers = np.random.default_rng(1)
    for flow in FLOWS:
        # a linear layer is a 1 x 1 convolution of 1 x 1 images; an attention product a grouped one
        for shape in (linear_shape(7, 10, 6), linear_shape(5, 8, 5, groups=3)):
            X, W, dY = (
                numbers.normal(size=size)
                for size in (
                    (shape.N, shape.C, 1, 1), (shape.K, shape.C // shape.groups, 1, 1), (shape.N, shape.K, 1, 1),
                )
            )  # fmt: skip
            Y, dX, dW = autograd(shape, X, W, dY)
            pe = array(flow.interconnect)
            np.testing.assert_allclose(run_forward(shape, X, W, flow, pe).tensor, Y, rtol=1e-12)
            np.testing.assert_allclose(run_dgrad(shape, W, dY, flow, pe).tensor, dX, rtol=1e-12)
            np.testing.assert_allclose(run_wgrad(shape, X, dY, flow, pe).tensor, dW, rtol=1e-12)
