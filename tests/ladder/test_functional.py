"""Convolutions on the stepped array against PyTorch's autograd: forward, dgrad, wgrad."""

import numpy as np
import pytest
from array_specs import RUN_IN_FLOATS, RUN_NAMES, RUNS, array_of
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from samples import sampled

from dataflows.functional.products import run_dgrad, run_forward, run_wgrad
from workloads.passes import Product, decomposed_dgrad
from workloads.shapes import ConvShape, linear_shape, output_extent

torch = pytest.importorskip("torch", reason="needs the torch extra")


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


@pytest.mark.parametrize(("flow", "kind"), RUNS, ids=RUN_NAMES)
@settings(max_examples=60, deadline=None)
@given(shapes(), st.integers(0, 2**32 - 1))
def test_convolutions_equal_autograd(flow, kind: str, shape: ConvShape, seed: int) -> None:
    X, W, dY = tensors(shape, seed)
    Y, dX, dW = autograd(shape, X, W, dY)
    pe = array_of(kind)
    assert np.array_equal(run_forward(shape, X, W, flow, pe).tensor, Y)
    assert np.array_equal(run_wgrad(shape, X, dY, flow, pe).tensor, dW)
    for decomposed in (True, False):
        assert np.array_equal(run_dgrad(shape, W, dY, flow, pe, decomposed).tensor, dX)


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


@pytest.mark.parametrize(("flow", "kind"), sampled(RUNS, lambda one: one == RUN_IN_FLOATS), ids=RUN_NAMES)
def test_linear_layers_and_attention_products_in_floats(flow, kind: str) -> None:
    numbers = np.random.default_rng(1)
    # a linear layer is a 1 x 1 convolution of 1 x 1 images; an attention product a grouped one
    for shape in (linear_shape(7, 10, 6), linear_shape(5, 8, 5, groups=3)):
        X, W, dY = (
            numbers.normal(size=size)
            for size in ((shape.N, shape.C, 1, 1), (shape.K, shape.C // shape.groups, 1, 1), (shape.N, shape.K, 1, 1))
        )
        Y, dX, dW = autograd(shape, X, W, dY)
        pe = array_of(kind)
        np.testing.assert_allclose(run_forward(shape, X, W, flow, pe).tensor, Y, rtol=1e-12)
        np.testing.assert_allclose(run_dgrad(shape, W, dY, flow, pe).tensor, dX, rtol=1e-12)
        np.testing.assert_allclose(run_wgrad(shape, X, dY, flow, pe).tensor, dW, rtol=1e-12)
