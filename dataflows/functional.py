"""Products on the stepped array: tensors in, tensors out, with the cycles and counts it took.

A product's tensors are laid out as its image and filter matrices (docs/machine.md), which the dataflow hands to
its array as moving and stationary operands (docs/microarchitecture.md).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dataflows.array import PEArray
from dataflows.arrays.stepped import MODELS, ArrayName, SteppedJob, step_job
from dataflows.dataflow import JobDataflow
from workloads.passes import Product, decomposed_dgrad, taps_of_class
from workloads.shapes import ConvShape

Tensor = NDArray[Any]


@dataclass(frozen=True)
class FunctionalProduct:
    """The tensor that a product gives, and the jobs that made it."""

    tensor: Tensor
    jobs: tuple[SteppedJob, ...]

    @property
    def cycles(self) -> int:
        """Cycles of all jobs, one after the other."""
        return sum(job.cycles for job in self.jobs)


def run_forward(shape: ConvShape, X: Tensor, W: Tensor, dataflow: JobDataflow, array: PEArray) -> FunctionalProduct:
    """Compute Y[N,K,P,Q] of X[N,C,H,W] and W[K,C/groups,R,S]."""
    job = _run(_image_columns(shape, X), _filter_matrix(shape, W), dataflow, array)
    g, K = shape.groups, shape.K // shape.groups
    Y = _product(job, dataflow).reshape(g, shape.N, shape.P, shape.Q, K)
    return FunctionalProduct(Y.transpose(1, 0, 4, 2, 3).reshape(shape.N, shape.K, shape.P, shape.Q), (job,))


def run_wgrad(shape: ConvShape, X: Tensor, dY: Tensor, dataflow: JobDataflow, array: PEArray) -> FunctionalProduct:
    """Compute dW[K,C/groups,R,S] of X[N,C,H,W] and dY[N,K,P,Q]."""
    g, K = shape.groups, shape.K // shape.groups
    gradients = dY.reshape(shape.N, g, K, shape.P, shape.Q).transpose(1, 0, 3, 4, 2).reshape(g, -1, K)
    job = _run(_image_columns(shape, X).transpose(0, 2, 1), gradients, dataflow, array)
    dW = _product(job, dataflow).transpose(0, 2, 1).reshape(shape.K, shape.C // g, shape.R, shape.S)
    return FunctionalProduct(dW, (job,))


def run_dgrad(
    shape: ConvShape, W: Tensor, dY: Tensor, dataflow: JobDataflow, array: PEArray, decomposed: bool = True
) -> FunctionalProduct:
    """Compute dX[N,C,H,W] of W[K,C/groups,R,S] and dY[N,K,P,Q]."""
    dX = np.zeros((shape.N, shape.C, shape.H, shape.W), np.result_type(W, dY))
    jobs = []
    for product in decomposed_dgrad(shape) if decomposed else (Product(shape, "dgrad"),):
        part, (i, j) = product.shape, product.residue
        whole = part == shape
        taps = [range(k) if whole else taps_of_class(shape, axis, (i, j)[axis]) for axis, k in enumerate(W.shape[2:])]
        filters = W[:, :, list(taps[0])][:, :, :, list(taps[1])]
        job = _run(_gradient_columns(part, dY), _rotated_matrix(part, filters), dataflow, array)
        g, C = part.groups, part.C // part.groups
        tensor = _product(job, dataflow).reshape(g, part.N, part.H, part.W, C).transpose(1, 0, 4, 2, 3)
        steps = (1, 1) if whole else shape.stride
        dX[:, :, i :: steps[0], j :: steps[1]] = tensor.reshape(part.N, part.C, part.H, part.W)
        jobs.append(job)
    return FunctionalProduct(dX, tuple(jobs))


def _run(image: Tensor, filters: Tensor, dataflow: JobDataflow, array: PEArray) -> SteppedJob:
    if dataflow.stationary == "image":
        image, filters = filters.transpose(0, 2, 1), image.transpose(0, 2, 1)
    return step_job(_array_name(dataflow), dataflow.geometry(array), image, filters)


def _product(job: SteppedJob, dataflow: JobDataflow) -> Tensor:
    return job.result if dataflow.stationary == "filter" else job.result.transpose(0, 2, 1)


def _array_name(dataflow: JobDataflow) -> ArrayName:
    return next(name for name, model in MODELS.items() if model is dataflow.model)


def _image_columns(shape: ConvShape, X: Tensor) -> Tensor:
    """Lay out X as [groups, N P Q, C/groups R S], zeros for padding."""
    rows = np.add.outer(np.arange(shape.P) * shape.stride[0], np.arange(shape.R) * shape.dilation[0])
    columns = np.add.outer(np.arange(shape.Q) * shape.stride[1], np.arange(shape.S) * shape.dilation[1])
    top, left = shape.padding
    height, width = max(int(rows.max()) + 1, shape.H + top), max(int(columns.max()) + 1, shape.W + left)
    padded = np.zeros((*X.shape[:2], height, width), X.dtype)
    padded[:, :, top : top + shape.H, left : left + shape.W] = X
    windows = padded[:, :, rows[:, :, None, None], columns[None, None]]  # N C P R Q S
    g, C = shape.groups, shape.C // shape.groups
    windows = windows.reshape(shape.N, g, C, shape.P, shape.R, shape.Q, shape.S)
    return windows.transpose(1, 0, 3, 5, 2, 4, 6).reshape(g, shape.N * shape.P * shape.Q, C * shape.R * shape.S)


def _gradient_columns(shape: ConvShape, dY: Tensor) -> Tensor:
    """Lay out dY as [groups, N H W, K/groups R S], zeros where no row or column of dY is met."""

    def met(extent: int, kernel: int, limit: int, axis: int) -> tuple[Tensor, Tensor]:
        numerators = np.add.outer(np.arange(extent) + shape.padding[axis], -np.arange(kernel) * shape.dilation[axis])
        index = numerators // shape.stride[axis]
        real = (numerators % shape.stride[axis] == 0) & (index >= 0) & (index < limit)
        return np.where(real, index, 0), real

    rows, real_rows = met(shape.H, shape.R, shape.P, 0)
    columns, real_columns = met(shape.W, shape.S, shape.Q, 1)
    windows = dY[:, :, rows[:, :, None, None], columns[None, None]]
    windows = windows * (real_rows[:, :, None, None] & real_columns[None, None])
    g, K = shape.groups, shape.K // shape.groups
    windows = windows.reshape(shape.N, g, K, shape.H, shape.R, shape.W, shape.S)
    return windows.transpose(1, 0, 3, 5, 2, 4, 6).reshape(g, shape.N * shape.H * shape.W, K * shape.R * shape.S)


def _filter_matrix(shape: ConvShape, W: Tensor) -> Tensor:
    """Lay out W as [groups, C/groups R S, K/groups]."""
    g, K = shape.groups, shape.K // shape.groups
    return W.reshape(g, K, -1).transpose(0, 2, 1)


def _rotated_matrix(shape: ConvShape, W: Tensor) -> Tensor:
    """Lay out W as [groups, K/groups R S, C/groups]; that dY's windows run backward rotates it."""
    g, K, C = shape.groups, shape.K // shape.groups, shape.C // shape.groups
    return W.reshape(g, K, C, shape.R, shape.S).transpose(0, 1, 3, 4, 2).reshape(g, K * shape.R * shape.S, C)
