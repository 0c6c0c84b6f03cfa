"""ADA-GP's gradient predictor (paper, section 3.6): its sizes and its products for a layer.

Tensor reorganization turns a layer's output (N, K, P, Q) into K samples: the mean over the
batch, one image an output channel. Each is pooled to a fixed size in one step or several, goes through a small
convolution and one fully connected layer, and comes out as the C/groups * R * S gradients of
that output channel's weights. The fully connected layer is as wide as the widest layer needs;
for a narrower layer its other outputs are masked and cost nothing.
"""

from typing import Annotated, Literal

from pydantic import Field, PositiveInt, model_validator

from workloads.foundation.errors import InputError
from workloads.foundation.validation import StrictModel
from workloads.layers import Conv2d, Linear, gradient_words_per_channel
from workloads.optimizers import OptimizerName
from workloads.passes import Product
from workloads.shapes import ConvShape, linear_shape

Extent = Annotated[int, Field(ge=1)]


class Predictor(StrictModel):
    """Sizes of the predictor.

    Attributes
    ----------
    pool : (int, int)
        Height and width to which the mean output image is pooled.
    pooling : str
        What a window of the image becomes: its average, or its largest value.
    earlier_pools : sequence of (int, int)
        Heights and widths to which the image is pooled before, one after the other.
    channels : int
        Output channels of the convolution, which keeps the image's size.
    kernel : (int, int)
        Its kernel; odd, so that padding keeps the size.
    outputs : int
        Width of the fully connected layer: the largest C/groups * R * S of the predicted layers.
    optimizer : str
        What trains it.
    """

    pool: tuple[Extent, Extent] = (4, 4)
    pooling: Literal["average", "max"] = "average"
    earlier_pools: tuple[tuple[Extent, Extent], ...] = ()
    channels: PositiveInt = 4
    kernel: tuple[Extent, Extent] = (3, 3)
    outputs: PositiveInt
    optimizer: OptimizerName = "adam"

    @model_validator(mode="after")
    def _kernel_is_odd(self) -> "Predictor":
        if self.kernel[0] % 2 == 0 or self.kernel[1] % 2 == 0:
            raise InputError("", "kernel", f"{self.kernel} is even", "give odd sizes, which padding can centre")
        return self

    @property
    def pools(self) -> tuple[tuple[int, int], ...]:
        """Sizes to which an image is pooled, one after the other."""
        return *self.earlier_pools, self.pool

    def image_words(self, layer: Conv2d | Linear) -> tuple[int, ...]:
        """Return the words of all images of a layer that are made one after the other, the pooled ones last.

        The batch's mean and the first average are one sum. A largest value is taken of the mean, so this is made first.
        """
        pooled = [layer.K * height * width for height, width in self.pools]
        return tuple(pooled) if self.pooling == "average" else (layer.product_shape(1).output_words, *pooled)

    @property
    def features(self) -> int:
        """Inputs of the fully connected layer."""
        return self.channels * self.pool[0] * self.pool[1]

    @property
    def conv_words(self) -> int:
        """Weights of the convolution."""
        return self.channels * self.kernel[0] * self.kernel[1]

    def weight_words(self, layer: Conv2d | Linear) -> int:
        """Weights in use for a layer: the convolution's and those of the outputs that are not masked."""
        return self.conv_words + self.features * gradient_words_per_channel(layer)

    @property
    def total_weight_words(self) -> int:
        """Weights of the whole predictor."""
        return self.conv_words + self.features * self.outputs

    def conv_shape(self, layer: Conv2d | Linear) -> ConvShape:
        """Return the convolution on the pooled images, one an output channel of the layer."""
        height, width = self.pool
        return ConvShape(
            N=layer.K, C=1, H=height, W=width, K=self.channels, R=self.kernel[0], S=self.kernel[1],
            P=height, Q=width, padding=(self.kernel[0] // 2, self.kernel[1] // 2),
        )  # fmt: skip

    def linear_shape(self, layer: Conv2d | Linear) -> ConvShape:
        """Return the fully connected layer, masked to the layer's width."""
        return linear_shape(layer.K, self.features, gradient_words_per_channel(layer))

    def forward_products(self, layer: Conv2d | Linear) -> tuple[Product, Product]:
        """Return the convolution and the fully connected layer of a prediction."""
        return Product(self.conv_shape(layer), "forward"), Product(self.linear_shape(layer), "forward")

    def backward_products(self, layer: Conv2d | Linear) -> tuple[Product, Product, Product]:
        """Return the gradients of the fully connected weights, of the features and of the convolution.

        The pooled images need no gradient.
        """
        linear = self.linear_shape(layer)
        return Product(linear, "wgrad"), Product(linear, "dgrad"), Product(self.conv_shape(layer), "wgrad")
