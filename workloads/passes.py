"""The passes of training, and the products that a pass of a layer consists of.

A product is a convolution shape and a role. The role says which of the three tensors of
the convolution is computed from the other two:

========  =============  ==================  ==================
role      filter         image               result
========  =============  ==================  ==================
forward   W              X                   Y
dgrad     W, rotated     dY                  dX
wgrad     dY             X                   dW
========  =============  ==================  ==================
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import gcd
from typing import Literal, get_args

from workloads.layers import MacLayer, Matmul
from workloads.shapes import ConvShape

Role = Literal["forward", "dgrad", "wgrad"]
DgradMethod = Literal["decomposed", "dense"]
Pass = Literal[
    "forward", "vector_forward", "vector_backward", "dgrad", "wgrad", "update",
    "predictor_load", "predictor_forward", "predictor_backward", "predictor_update", "predictor_store",
]  # fmt: skip
ROLES: tuple[Role, ...] = get_args(Role)
# The passes of a transposed convolution, as roles of the convolution that makes its input of its output.
_TRANSPOSED: dict[Role, Role] = {"forward": "dgrad", "dgrad": "forward", "wgrad": "wgrad"}
PASSES: tuple[Pass, ...] = get_args(Pass)


@dataclass(frozen=True, slots=True)
class Product:
    """One convolution-shaped product in one of its three roles, seen as a matrix product.

    `groups` times, a (vectors x reduction) moving matrix meets a (reduction x columns) filter
    matrix. The dgrad of a strided shape is dense: dY is read as if zeros stood between its elements.

    Attributes
    ----------
    residue : (int, int)
        Which positions of dX, modulo the stride of the layer, a part of a decomposed dgrad computes.
    """

    shape: ConvShape
    role: Role
    residue: tuple[int, int] = (0, 0)

    @property
    def vectors(self) -> int:
        """Rows of the result matrix in a group."""
        s = self.shape
        if self.role == "forward":
            return s.N * s.P * s.Q
        if self.role == "dgrad":
            return s.N * s.H * s.W
        return s.C // s.groups * s.R * s.S

    @property
    def reduction(self) -> int:
        """Length of each dot product."""
        s = self.shape
        if self.role == "forward":
            return s.C // s.groups * s.R * s.S
        if self.role == "dgrad":
            return s.K // s.groups * s.R * s.S
        return s.N * s.P * s.Q

    @property
    def columns(self) -> int:
        """Columns of the result matrix in a group."""
        s = self.shape
        return (s.C if self.role == "dgrad" else s.K) // s.groups

    @property
    def macs(self) -> int:
        """Multiply-accumulates that the array carries out, those on padding included."""
        return self.shape.groups * self.vectors * self.reduction * self.columns


def layer_products(
    layer: MacLayer,
    role: Role,
    batch_size: int,
    dgrad: DgradMethod = "decomposed",
    gradients: Sequence[bool] = (True,),
) -> tuple[Product, ...]:
    """Return the products of one pass of a layer.

    A `matmul` layer has two activations and no wgrad. Its dgrad is the gradient of both, or of the one that has any:
    `gradients` tells it of each input, as `input_gradients` of workloads.graph gives it. The forward pass of a
    transposed convolution is the dgrad of the convolution of its output, and the other way round; of its wgrad dY is
    the image and X the filter.
    """
    shape = layer.product_shape(batch_size)
    if shape.transposed:
        shape, role = replace(shape, transposed=False), _TRANSPOSED[role]
    if isinstance(layer, Matmul):
        if role == "wgrad":
            return ()
        if role == "dgrad":
            roles: tuple[Role, Role] = ("dgrad", "wgrad")  # of the left operand, and of the one in the weights' place
            wanted = (gradients[0], gradients[-1])
            return tuple(Product(shape, one) for one, needed in zip(roles, wanted, strict=True) if needed)
    if role == "dgrad" and dgrad == "decomposed":
        return decomposed_dgrad(shape)
    return (Product(shape, role),)


def decomposed_dgrad(shape: ConvShape) -> tuple[Product, ...]:
    """Cut a strided layer's dgrad into products of stride 1, one for each position of dX modulo the stride.

    dX's row h meets dY's row p through tap r where h = p * stride - padding + r * dilation. For the rows h = i +
    stride * m only the taps r0, r0 + stride / g, ... take part (g the common divisor of stride and dilation), and
    with them m and p are related as in a convolution of stride 1. Classes that no tap reaches are zero and free.
    """
    products = []
    for first_row, (H, R, top) in enumerate(_classes(shape, 0)):
        for first_column, (W, S, left) in enumerate(_classes(shape, 1)):
            if min(H, R, W, S) < 1:
                continue
            step = tuple(gcd(s, d) for s, d in zip(shape.stride, shape.dilation, strict=True))
            part = replace(
                shape, H=H, W=W, R=R, S=S, stride=(1, 1), padding=(top, left),
                dilation=(shape.dilation[0] // step[0], shape.dilation[1] // step[1]),
            )  # fmt: skip
            products.append(Product(part, "dgrad", residue=(first_row, first_column)))
    if len(products) == 1 and shape.stride == (1, 1):
        return (Product(shape, "dgrad"),)
    return tuple(products)


def taps_of_class(shape: ConvShape, axis: int, residue: int) -> range:
    """Return the taps that reach positions of dX that leave `residue` modulo the stride."""
    kernel, stride = (shape.R, shape.S)[axis], shape.stride[axis]
    dilation, padding = shape.dilation[axis], shape.padding[axis]
    step = stride // gcd(stride, dilation)
    first = next((r for r in range(min(step, kernel)) if (residue + padding - r * dilation) % stride == 0), kernel)
    return range(first, kernel, step)


def _classes(shape: ConvShape, axis: int) -> list[tuple[int, int, int]]:
    """Return (extent of dX, taps, padding) of each class along an axis."""
    extent, stride = (shape.H, shape.W)[axis], shape.stride[axis]
    found = []
    for residue in range(stride):
        taps = taps_of_class(shape, axis, residue)
        offset = residue + shape.padding[axis] - (taps[0] if taps else 0) * shape.dilation[axis]
        found.append((max(0, -(-(extent - residue) // stride)), len(taps), offset // stride))
    return found
