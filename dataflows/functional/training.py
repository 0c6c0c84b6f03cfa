"""A training step of a small network with every product on the stepped array: Phase BP and Phase GP.

For networks that are a chain of convolutions and linear layers with a ReLU between them. What is not a product
(ReLU, pooling, the optimizer) is computed beside the array. From Python::

    network = FunctionalNetwork(shapes, weights, dataflow, array, learning_rate=0.01, momentum=0.9)
    output = network.forward(X)
    network.backward(gradient_of_output)    # Phase BP: dgrad, wgrad and update from the last layer to the first
    network.forward_and_predict(X, predictor)   # Phase GP: predict and update after each layer
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dataflows.array import PEArray
from dataflows.dataflow import Dataflow
from dataflows.functional.products import FunctionalProduct, run_dgrad, run_forward, run_wgrad
from workloads.shapes import ConvShape, linear_shape

Tensor = NDArray[Any]


@dataclass(frozen=True)
class FunctionalPredictor:
    """The gradient predictor's weights (docs/reference-run.md).

    Attributes
    ----------
    conv : [channels, 1, R, S]
        Weights of its convolution, which keeps the image's size; R and S odd.
    linear : [outputs, channels * height * width]
        Weights of its fully connected layer.
    pool : (int, int)
        Height and width to which mean images are pooled.
    scales : tuple of float
        Factor on the predictions of each layer (its gradients' running RMS).
    """

    conv: Tensor
    linear: Tensor
    pool: tuple[int, int]
    scales: tuple[float, ...]


@dataclass
class FunctionalNetwork:
    """A chain of layers on a stepped array, with SGD and momentum.

    Attributes
    ----------
    shapes : list of ConvShape
        The layers; a linear layer has 1 x 1 images, and its inputs are the flattened outputs before it.
    weights : list of [K, C/groups, R, S]
        Changed by updates.
    momenta : list of arrays like `weights`
        Momentum buffers, zero at first.
    cycles : int
        Array cycles of all products so far.
    """

    shapes: list[ConvShape]
    weights: list[Tensor]
    dataflow: Dataflow
    array: PEArray
    learning_rate: float
    momentum: float
    momenta: list[Tensor] = field(default_factory=list)
    cycles: int = 0
    _inputs: list[Tensor] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.momenta = self.momenta or [np.zeros_like(weight) for weight in self.weights]

    def forward(self, X: Tensor) -> Tensor:
        """Return the output of the last layer; inputs are kept for `backward`."""
        self._inputs = []
        for index in range(len(self.shapes)):
            X = self._layer(index, X)
        return X

    def backward(self, dY: Tensor) -> None:
        """Phase BP: send the gradient of the output back and update every layer (last to first)."""
        for index in reversed(range(len(self.shapes))):
            shape, X = self.shapes[index], self._inputs[index]
            dY = dY.reshape(shape.N, shape.K, shape.P, shape.Q)
            # the gradient that goes on is that of the weights as they were in the forward pass
            dX = self._ran(run_dgrad(shape, self.weights[index], dY, self.dataflow, self.array)) if index else dY
            dW = self._ran(run_wgrad(shape, X, dY, self.dataflow, self.array))
            self._update(index, dW)
            dY = dX * (X > 0) if index else dX

    def forward_and_predict(self, X: Tensor, predictor: FunctionalPredictor) -> Tensor:
        """Phase GP: forward, and after each layer predict its gradient and update it; return the output."""
        self._inputs = []
        for index in range(len(self.shapes)):
            X = self._layer(index, X)
            self._update(index, self.predict(index, X, predictor))
        return X

    def predict(self, index: int, Y: Tensor, predictor: FunctionalPredictor) -> Tensor:
        """Return the predicted gradient of a layer's weights from its output (before any ReLU)."""
        height, width = predictor.pool
        channels, _, R, S = predictor.conv.shape
        K, words = self.shapes[index].K, self.weights[index][0].size
        images = _adaptive_mean(Y.mean(axis=0), predictor.pool)[:, None]
        conv = ConvShape(N=K, C=1, H=height, W=width, K=channels, R=R, S=S, P=height, Q=width, padding=(R // 2, S // 2))
        features = np.maximum(0, self._ran(run_forward(conv, images, predictor.conv, self.dataflow, self.array)))
        linear = linear_shape(K, channels * height * width, words)
        masked = predictor.linear[:words].reshape(words, -1, 1, 1)
        flat = features.reshape(K, -1, 1, 1)
        gradient = self._ran(run_forward(linear, flat, masked, self.dataflow, self.array))
        return gradient.reshape(self.weights[index].shape) * predictor.scales[index]

    def _layer(self, index: int, X: Tensor) -> Tensor:
        shape = self.shapes[index]
        if index:
            X = np.maximum(0, X)
        X = X.reshape(shape.N, shape.C, shape.H, shape.W)
        self._inputs.append(X)
        return self._ran(run_forward(shape, X, self.weights[index], self.dataflow, self.array))

    def _update(self, index: int, gradient: Tensor) -> None:
        self.momenta[index] = self.momentum * self.momenta[index] + gradient
        self.weights[index] = self.weights[index] - self.learning_rate * self.momenta[index]

    def _ran(self, product: FunctionalProduct) -> Tensor:
        self.cycles += product.cycles
        return product.tensor


def _adaptive_mean(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Average images [K, P, Q] over windows that cut each axis into parts, as PyTorch's adaptive pooling does."""

    def windows(extent: int, parts: int) -> list[slice]:
        return [slice(i * extent // parts, -(-(i + 1) * extent // parts)) for i in range(parts)]

    rows, columns = windows(images.shape[1], size[0]), windows(images.shape[2], size[1])
    return np.stack([np.stack([images[:, r, c].mean(axis=(1, 2)) for c in columns], axis=1) for r in rows], axis=1)
