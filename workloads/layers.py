"""Layers of a network as a trace records them, each kind one model.

Shapes are those of one sample; the batch comes from the trace. Only `conv2d`, `linear` and
`matmul` have multiply-accumulates and so a product on a PE array. The other kinds keep the
graph whole: with them shapes chain from the network's input to its end.
"""

from typing import Annotated, Any, Literal

from pydantic import Field, PositiveInt, model_validator

from workloads.foundation.errors import InputError
from workloads.foundation.validation import StrictModel
from workloads.shapes import ConvShape, linear_shape, output_extent

Extent = Annotated[int, Field(ge=1)]
Pair = tuple[Extent, Extent]
Padding = tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=0)]]
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]


class TensorFile(StrictModel):
    """A tensor on disk beside the trace: its file and the SHA-256 of that file."""

    file: str
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Tensors(StrictModel):
    """Tensors of a layer that a run saved."""

    input: TensorFile | None = None
    weight: TensorFile | None = None
    output: TensorFile | None = None
    output_gradient: TensorFile | None = None


class Sparsity(StrictModel):
    """Share of zeros in a layer's tensors, averaged over the run."""

    inputs: Fraction | None = None
    weights: Fraction | None = None
    output_gradients: Fraction | None = None


class LayerBase(StrictModel):
    """What every layer has.

    Attributes
    ----------
    id : str
        Unique name; PyTorch's module path where there is one.
    inputs : tuple of str
        Ids of the layers (or of the network's inputs) whose outputs it reads.
    """

    id: Annotated[str, Field(min_length=1)]
    inputs: Annotated[tuple[str, ...], Field(min_length=1)]
    tensors: Tensors | None = None
    sparsity: Sparsity | None = None


class WeightedLayer(LayerBase):
    """A layer with weights.

    Attributes
    ----------
    trainable : bool
        Whether its weights have a gradient; frozen ones have no wgrad and no update.
    predicted : bool
        Whether ADA-GP predicts that gradient; frozen weights have none to predict.
    """

    bias: bool = False
    trainable: bool = True
    predicted: bool = True
    shares_weights_with: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _frozen_is_not_predicted(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("trainable") is False:
            if data.get("predicted") is True:
                raise InputError(
                    "",
                    "predicted",
                    f"is true for {data.get('id')}, which is not trainable",
                    "leave it out, or let the layer train",
                )
            return data | {"predicted": False}
        return data


class Conv2d(WeightedLayer):
    """A convolution; ``N_per_sample`` is above 1 where a sample is cut into windows.

    It reads (C, H, W) and makes (K, P, Q). A `transposed` one makes what a convolution of the same kernel, stride,
    padding and dilation would make its input of; its weights are C x K/groups x R x S.
    """

    kind: Literal["conv2d"]
    N_per_sample: PositiveInt = 1
    C: PositiveInt
    H: PositiveInt
    W: PositiveInt
    K: PositiveInt
    R: PositiveInt
    S: PositiveInt
    P: PositiveInt
    Q: PositiveInt
    stride: Pair = (1, 1)
    padding: Padding = (0, 0)
    dilation: Pair = (1, 1)
    groups: PositiveInt = 1
    transposed: bool = False

    @model_validator(mode="after")
    def _shape_is_possible(self) -> "Conv2d":
        shape = self.product_shape(1)
        large, small, side = ("PQ", "HW", "output") if self.transposed else ("HW", "PQ", "input")
        for axis, (size, kernel, result) in enumerate(((shape.H, shape.R, shape.P), (shape.W, shape.S, shape.Q))):
            extent = output_extent(size, kernel, self.stride[axis], self.padding[axis], self.dilation[axis])
            if extent < 1:
                raise InputError(
                    self.id,
                    "RS"[axis],
                    f"the kernel is wider than the padded {side} of {self.id}",
                    "give a smaller kernel or more padding",
                )
            if extent != result:
                raise InputError(
                    self.id,
                    small[axis],
                    f"is {result}, but {large[axis]}, kernel, stride, padding and dilation of {self.id} give {extent}",
                    f"write {small[axis]}: {extent}",
                )
        for key, channels in (("C", self.C), ("K", self.K)):
            if channels % self.groups:
                raise InputError(
                    self.id,
                    key,
                    f"{channels} channels of {self.id} do not divide into {self.groups} groups",
                    "give a multiple of groups",
                )
        return self

    def product_shape(self, batch_size: int) -> ConvShape:
        """Return the convolution of one batch; of a transposed one, that of its output."""
        X, Y = (self.C, self.H, self.W), (self.K, self.P, self.Q)
        (C, H, W), (K, P, Q) = (Y, X) if self.transposed else (X, Y)
        return ConvShape(
            N=self.N_per_sample * batch_size, C=C, H=H, W=W, K=K, R=self.R, S=self.S, P=P, Q=Q,
            stride=self.stride, padding=self.padding, dilation=self.dilation, groups=self.groups,
            transposed=self.transposed,
        )  # fmt: skip

    @property
    def input_shapes(self) -> tuple[tuple[int, ...], ...]:
        """Shapes of one sample that its inputs must have."""
        return (self._windowed((self.C, self.H, self.W)),)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of one sample of the output."""
        return self._windowed((self.K, self.P, self.Q))

    def _windowed(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return shape if self.N_per_sample == 1 else (self.N_per_sample, *shape)


class Linear(WeightedLayer):
    """A fully connected layer on `L` vectors a sample (1, or the length of a sequence)."""

    kind: Literal["linear"]
    L: PositiveInt = 1
    C: PositiveInt
    K: PositiveInt

    def product_shape(self, batch_size: int) -> ConvShape:
        """Return the convolution of one batch: N * L rows."""
        return linear_shape(batch_size * self.L, self.C, self.K)

    @property
    def input_shapes(self) -> tuple[tuple[int, ...], ...]:
        """Shapes of one sample that its inputs must have."""
        return ((self.C,) if self.L == 1 else (self.L, self.C),)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of one sample of the output."""
        return (self.K,) if self.L == 1 else (self.L, self.K)


class Matmul(LayerBase):
    """A product of two activations, as in attention: `G` times (M x C) by (C x K) a sample.

    It has no weights: both operands have a gradient, nothing is updated.
    """

    kind: Literal["matmul"]
    G: PositiveInt = 1
    M: PositiveInt
    C: PositiveInt
    K: PositiveInt
    inputs: Annotated[tuple[str, ...], Field(min_length=1, max_length=2)]

    def product_shape(self, batch_size: int) -> ConvShape:
        """Return the grouped product of one batch, the second operand in the weights' place."""
        return linear_shape(self.M, self.C, self.K, groups=batch_size * self.G)

    @property
    def input_shapes(self) -> tuple[tuple[int, ...], ...]:
        """Shapes of one sample that its inputs must have."""
        return ((self.G, self.M, self.C), (self.G, self.C, self.K))

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of one sample of the output."""
        return (self.G, self.M, self.K)


VectorKind = Literal[
    "activation", "add", "batch_norm", "concat", "dropout", "layer_norm", "multiply", "other", "pool",
    "reshape", "select", "softmax",
]  # fmt: skip


class VectorLayer(LayerBase):
    """A layer without multiply-accumulates on the PE array.

    Attributes
    ----------
    op : str
        The operator as PyTorch names it, such as ``max_pool2d``.
    shape : tuple of int
        Shape of one sample of its output.
    parameters : int
        Numbers that train (the affine part of a normalisation); ADA-GP predicts none of them.
    trainable : bool
        Whether they have a gradient; frozen ones are kept and not updated.
    wants_gradient : bool
        Whether a gradient has to come back to it all the same: another layer counts what it trains, as for a tied
        embedding, or the model asks for it.
    """

    kind: VectorKind
    op: str
    shape: tuple[Extent, ...]
    parameters: Annotated[int, Field(ge=0)] = 0
    trainable: bool = True
    wants_gradient: bool = False

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of one sample of the output."""
        return self.shape


MacLayer = Conv2d | Linear | Matmul
Layer = Annotated[Conv2d | Linear | Matmul | VectorLayer, Field(discriminator="kind")]


def gradient_words_per_channel(layer: Conv2d | Linear) -> int:
    """Return C/groups * R * S: the gradients that the predictor gives for one output channel."""
    if isinstance(layer, Conv2d):
        return layer.C // layer.groups * layer.R * layer.S
    return layer.C
