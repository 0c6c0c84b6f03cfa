"""Products on the stepped array: tensors in, tensors out, with the cycles and counts it took.

A product's tensors are laid out as the convolution that it is for an array (`dataflows.convolution`); the dataflow
steps that.
"""

from dataclasses import dataclass

import numpy as np

from dataflows.array import PEArray
from dataflows.convolution import Sliding
from dataflows.dataflow import Dataflow
from dataflows.operands import ConvolutionOperands, SteppedProduct, Tensor
from workloads.passes import Product, decomposed_dgrad, taps_of_class
from workloads.shapes import ConvShape


@dataclass(frozen=True)
class FunctionalProduct:
    """The tensor that a product gives, and the convolutions that made it."""

    tensor: Tensor
    parts: tuple[SteppedProduct, ...]

    @property
    def cycles(self) -> int:
        """Cycles of all parts, one after the other."""
        return sum(part.cycles for part in self.parts)


def run_forward(shape: ConvShape, X: Tensor, W: Tensor, dataflow: Dataflow, array: PEArray) -> FunctionalProduct:
    """Compute Y[N,K,P,Q] of X[N,C,H,W] and W[K,C/groups,R,S]."""
    step = dataflow.step(array, forward_operands(shape, X, W))
    return FunctionalProduct(_joined(step.result), (step,))


def run_wgrad(shape: ConvShape, X: Tensor, dY: Tensor, dataflow: Dataflow, array: PEArray) -> FunctionalProduct:
    """Compute dW[K,C/groups,R,S] of X[N,C,H,W] and dY[N,K,P,Q]."""
    step = dataflow.step(array, wgrad_operands(shape, X, dY))
    dW = step.result.transpose(0, 2, 1, 3, 4)  # [g, K/g, C/g, R, S]
    return FunctionalProduct(dW.reshape(shape.K, shape.C // shape.groups, shape.R, shape.S), (step,))


def run_dgrad(
    shape: ConvShape, W: Tensor, dY: Tensor, dataflow: Dataflow, array: PEArray, decomposed: bool = True
) -> FunctionalProduct:
    """Compute dX[N,C,H,W] of W[K,C/groups,R,S] and dY[N,K,P,Q]."""
    dX = np.zeros((shape.N, shape.C, shape.H, shape.W), np.result_type(W, dY))
    steps = []
    for product in decomposed_dgrad(shape) if decomposed else (Product(shape, "dgrad"),):
        part, (i, j) = product.shape, product.residue
        whole = part == shape
        taps = [range(k) if whole else taps_of_class(shape, axis, (i, j)[axis]) for axis, k in enumerate(W.shape[2:])]
        filters = W[:, :, list(taps[0])][:, :, :, list(taps[1])]
        step = dataflow.step(array, dgrad_operands(part, filters, dY))
        stride = (1, 1) if whole else shape.stride
        dX[:, :, i :: stride[0], j :: stride[1]] = _joined(step.result)
        steps.append(step)
    return FunctionalProduct(dX, tuple(steps))


def forward_operands(shape: ConvShape, X: Tensor, W: Tensor) -> ConvolutionOperands:
    """Lay out a forward pass as the convolution that it is."""
    sliding = Sliding(shape.stride, shape.dilation)
    image = _padded(shape, _grouped(X, shape.groups))
    filters = W.reshape(shape.groups, -1, *W.shape[1:])
    return ConvolutionOperands(image, filters, shape.P, shape.Q, sliding, "forward")


def wgrad_operands(shape: ConvShape, X: Tensor, dY: Tensor) -> ConvolutionOperands:
    """Lay out a wgrad: X's channels are images, its images channels, and dY is the filter."""
    sliding = Sliding(shape.dilation, shape.stride)
    image = _padded(shape, _grouped(X, shape.groups)).transpose(0, 2, 1, 3, 4)
    filters = _grouped(dY, shape.groups).transpose(0, 2, 1, 3, 4)
    return ConvolutionOperands(image, filters, shape.R, shape.S, sliding, "wgrad")


def dgrad_operands(shape: ConvShape, W: Tensor, dY: Tensor) -> ConvolutionOperands:
    """Lay out a dgrad: dY with zeros between its elements, met by the rotated filters.

    dX's row h meets dY's row p through tap r where h + padding = p * stride + r * dilation. With the taps counted
    backward, i = R - 1 - r, virtual row h + i * dilation is the one that holds dY's row p at
    p * stride - padding + (R - 1) * dilation.
    """
    groups, K, C = shape.groups, shape.K // shape.groups, shape.C // shape.groups
    spans = [(kernel - 1) * d for kernel, d in zip((shape.R, shape.S), shape.dilation, strict=True)]
    image = np.zeros((groups, shape.N, K, shape.H + spans[0], shape.W + spans[1]), dY.dtype)
    places, kept = [], []
    for axis, count in enumerate((shape.P, shape.Q)):
        place = np.arange(count) * shape.stride[axis] - shape.padding[axis] + spans[axis]
        inside = (place >= 0) & (place < image.shape[3 + axis])
        places.append(place[inside])
        kept.append(np.flatnonzero(inside))
    image[:, :, :, places[0][:, None], places[1]] = _grouped(dY, groups)[:, :, :, kept[0][:, None], kept[1]]
    filters = W.reshape(groups, K, C, shape.R, shape.S).transpose(0, 2, 1, 3, 4)[:, :, :, ::-1, ::-1]
    return ConvolutionOperands(image, filters, shape.H, shape.W, Sliding((1, 1), shape.dilation), "dgrad")


def _grouped(tensor: Tensor, groups: int) -> Tensor:
    """Return [N, C, H, W] as [groups, N, C/groups, H, W]."""
    images, channels, *extent = tensor.shape
    return tensor.reshape(images, groups, channels // groups, *extent).transpose(1, 0, 2, 3, 4)


def _joined(result: Tensor) -> Tensor:
    """Return [groups, N, K/groups, P, Q] as [N, K, P, Q]."""
    groups, images, filters, *extent = result.shape
    return result.transpose(1, 0, 2, 3, 4).reshape(images, groups * filters, *extent)


def _padded(shape: ConvShape, X: Tensor) -> Tensor:
    """Return X with zeros around it, as far as windows reach."""
    (sy, sx), (dy, dx), (top, left) = shape.stride, shape.dilation, shape.padding
    height = max((shape.P - 1) * sy + (shape.R - 1) * dy + 1, shape.H + top)
    width = max((shape.Q - 1) * sx + (shape.S - 1) * dx + 1, shape.W + left)
    padded = np.zeros((*X.shape[:3], height, width), X.dtype)
    padded[:, :, :, top : top + shape.H, left : left + shape.W] = X
    return padded
