"""What one layer and one weight take, from the definitions."""

import pytest

from workloads.layers import Linear, Matmul
from workloads.optimizers import OPTIMIZERS
from workloads.shapes import linear_shape, output_extent


class Counted(float):
    """A number that counts the multiplications it takes part in; an addition comes with a multiplication."""

    multiplications = 0

    def __mul__(self, other: float) -> "Counted":
        Counted.multiplications += 1
        return Counted(float(self) * float(other))

    __rmul__ = __mul__

    def __add__(self, other: float) -> "Counted":
        return Counted(float(self) + float(other))

    __radd__ = __add__

    def __sub__(self, other: float) -> "Counted":
        return Counted(float(self) - float(other))

    def __rsub__(self, other: float) -> "Counted":
        return Counted(float(other) - float(self))


def sgd(w: Counted, g: Counted) -> Counted:
    return w - 0.1 * g


def sgd_momentum(w: Counted, g: Counted, v: Counted) -> Counted:
    v = 0.9 * v + g
    return w - 0.1 * v


def adam(w: Counted, g: Counted, m: Counted, v: Counted) -> Counted:
    """Kingma and Ba, algorithm 1, with the bias corrections in the rate, and Newton's method for 1 / sqrt(v)."""
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * g * g
    half, y = Counted(v / 2), Counted(1.4)  # halving is a shift; the start is looked up
    for _ in range(2):
        y = y * (1.5 - half * (y * y))
    return w - 0.1 * (m * y)


@pytest.mark.parametrize(
    ("name", "update", "state"), [("sgd", sgd, 0), ("sgd_momentum", sgd_momentum, 1), ("adam", adam, 2)]
)
def test_an_update(name, update, state) -> None:
    Counted.multiplications = 0
    update(*(Counted(0.5) for _ in range(2 + state)))
    assert (OPTIMIZERS[name].state_words, OPTIMIZERS[name].macs) == (state, Counted.multiplications)


def test_a_linear_layer_is_a_convolution_of_one_pixel() -> None:
    shape = linear_shape(3, 5, 7)
    assert (shape.N, shape.C, shape.K, shape.groups) == (3, 5, 7, 1)
    for size, kernel, axis in ((shape.H, shape.R, 0), (shape.W, shape.S, 1)):
        assert (size, kernel, shape.padding[axis], shape.stride[axis], shape.dilation[axis]) == (1, 1, 0, 1, 1)
        assert output_extent(size, kernel, shape.stride[axis], shape.padding[axis], shape.dilation[axis]) == 1
    assert (shape.P, shape.Q, shape.macs, shape.weight_words) == (1, 1, 3 * 5 * 7, 5 * 7)


@pytest.mark.parametrize(("L", "read", "written"), [(1, (5,), (7,)), (2, (2, 5), (2, 7)), (3, (3, 5), (3, 7))])
def test_a_linear_layer_of_several_rows(L: int, read: tuple[int, ...], written: tuple[int, ...]) -> None:
    layer = Linear(id="fc", kind="linear", inputs=("input",), L=L, C=5, K=7)
    assert layer.input_shapes == (read,)
    assert layer.output_shape == written
    assert layer.product_shape(4).N == 4 * L


def test_a_product_of_activations() -> None:
    layer = Matmul(id="scores", kind="matmul", inputs=("a", "b"), M=2, C=3, K=5)
    assert layer.product_shape(4).macs == 4 * 2 * 3 * 5
    assert layer.model_copy(update={"G": 7}).product_shape(4).macs == 7 * 4 * 2 * 3 * 5
