"""ADA-GP's gradient predictor as a module, and the tensor reorganization before it (paper, section 3.6)."""

import torch
from torch import nn
from torch.nn import functional

from workloads.predictor import Predictor
from workloads.pytorch.predictor_training import PredictorTraining

# Weight of the newest batch in the running mean square of a layer's gradient: it follows the last
# ten batches or so, since gradients shrink quickly while a network trains.
_NEWEST = 0.1
# Of the variance that standardised images are divided by: images that are equal throughout stay zero.
_EPSILON = 1e-12
# What a `small` start multiplies torch's first weights with.
_SMALL = 0.01


def reorganize(output: torch.Tensor, channels_last: bool) -> torch.Tensor:
    """Turn a layer's output into one image for each output channel.

    Parameters
    ----------
    output : Tensor
        (N, K, P, Q) of a convolution; (N, K) or (N, L, K) of a linear layer.
    channels_last : bool
        True for a linear layer.

    Returns
    -------
    Tensor
        Means over the batch: (K, 1, P, Q); (K, 1, 1, 1) or (K, 1, L, 1).
    """
    mean = output.mean(dim=0)
    if channels_last:
        mean = mean.reshape(-1, mean.shape[-1]).T.unsqueeze(-1)
    return mean.unsqueeze(1)


class GradientPredictor(nn.Module):
    """One predictor for all layers: pooling, a small convolution, one fully connected layer.

    By default it works on gradients divided by the running root mean square of their layer,
    and multiplies its predictions by it: layers differ in scale by orders of magnitude. The fully connected
    layer starts at zero, so an untrained predictor leaves the weights alone instead of swamping them. It has no biases.

    Parameters
    ----------
    sizes : Predictor
        The sizes that the trace records and the simulator charges for.
    layers : sequence of str
        Names of the predicted layers.
    training : PredictorTraining, optional
        What it reads, is compared with, and starts at.
    """

    mean_square: torch.Tensor

    def __init__(self, sizes: Predictor, layers: list[str], training: PredictorTraining | None = None) -> None:
        super().__init__()
        self.training_choices = PredictorTraining() if training is None else training
        self.pools, self.pooling = sizes.pools, sizes.pooling
        padding = (sizes.kernel[0] // 2, sizes.kernel[1] // 2)
        biases = self.training_choices.biases
        self.conv = nn.Conv2d(1, sizes.channels, sizes.kernel, padding=padding, bias=biases)
        self.linear = nn.Linear(sizes.features, sizes.outputs, bias=biases)
        factor = {"zero": 0.0, "small": _SMALL, "default": 1.0}[self.training_choices.start]
        with torch.no_grad():
            for parameter in self.linear.parameters():
                parameter.mul_(factor)
        self._rows = {name: row for row, name in enumerate(layers)}
        self.register_buffer("mean_square", torch.zeros(len(layers)))

    def forward(self, images: torch.Tensor, width: int) -> torch.Tensor:
        """Return normalised gradients.

        Parameters
        ----------
        images : Tensor
            (K, 1, P, Q), as `reorganize` gives them.
        width : int
            C/groups * R * S of the layer; the outputs beyond it are masked, and not computed.

        Returns
        -------
        Tensor
            (K, width).
        """
        bias = self.linear.bias
        return functional.linear(
            self.features(images), self.linear.weight[:width], None if bias is None else bias[:width]
        )

    def pooled(self, images: torch.Tensor) -> torch.Tensor:
        """Return the pooled images, (K, 1, height, width) of the last pooling."""
        pool = functional.adaptive_max_pool2d if self.pooling == "max" else functional.adaptive_avg_pool2d
        for size in self.pools:
            images = pool(images, size)
        return images

    def features(self, images: torch.Tensor) -> torch.Tensor:
        """Return what the fully connected layer reads: (K, features)."""
        pooled = self.pooled(images)
        # A single number has no variance: it stays as it is, or nothing would be left of it.
        if self.training_choices.inputs == "standardised" and pooled.numel() > 1:
            variance, mean = torch.var_mean(pooled, correction=0)
            pooled = (pooled - mean) / (variance + _EPSILON).sqrt()
        return functional.relu(self.conv(pooled)).flatten(1)

    @torch.no_grad()
    def predict(self, layer: str, images: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """Return the predicted gradient of a layer's weight, in the weight's shape."""
        normalised = self(images, weight[0].numel())
        if self.training_choices.targets != "plain":
            normalised = normalised * self.scale(layer)
        return normalised.reshape(weight.shape)

    @torch.no_grad()
    def target(self, layer: str, gradient: torch.Tensor) -> torch.Tensor:
        """Return what the predictor's outputs for a layer should be, (K, width), after it has observed its gradient."""
        targets = self.training_choices.targets
        if targets == "running":
            gradient = gradient / self.scale(layer)
        elif targets == "batch":
            gradient = gradient / gradient.square().mean().sqrt()
        return gradient.flatten(1)

    def scale(self, layer: str) -> torch.Tensor:
        """Return the running root mean square of a layer's true gradients; 0 before the first one."""
        return self.mean_square[self._rows[layer]].sqrt()

    @torch.no_grad()
    def observe(self, layer: str, gradient: torch.Tensor) -> None:
        """Take a true gradient into the running mean square of its layer."""
        row, newest = self._rows[layer], gradient.square().mean()
        before = self.mean_square[row]
        self.mean_square[row] = newest if before == 0 else torch.lerp(before, newest, _NEWEST)
