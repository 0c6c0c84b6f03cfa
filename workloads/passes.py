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

from dataclasses import dataclass
from typing import Literal, get_args

from workloads.layers import MacLayer, Matmul
from workloads.shapes import ConvShape

Role = Literal["forward", "dgrad", "wgrad"]
Pass = Literal[
    "forward", "dgrad", "wgrad", "update",
    "predictor_load", "predictor_forward", "predictor_backward", "predictor_update", "predictor_store",
]  # fmt: skip
ROLES: tuple[Role, ...] = get_args(Role)
PASSES: tuple[Pass, ...] = get_args(Pass)


@dataclass(frozen=True, slots=True)
class Product:
    """One convolution-shaped product in one of its three roles, seen as a matrix product.

    `groups` times, a (vectors x reduction) moving matrix meets a (reduction x columns) filter
    matrix. dgrad is dense: a strided layer's dY is read as if zeros stood between its elements.
    """

    shape: ConvShape
    role: Role

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


def layer_products(layer: MacLayer, role: Role, batch_size: int) -> tuple[Product, ...]:
    """Return the products of one pass of a layer.

    A `matmul` layer has two activations: its dgrad is the gradient of both, and it has no wgrad.
    """
    shape = layer.product_shape(batch_size)
    if isinstance(layer, Matmul):
        if role == "wgrad":
            return ()
        if role == "dgrad":
            return (Product(shape, "dgrad"), Product(shape, "wgrad"))
    return (Product(shape, role),)
