"""The shape of a convolution, which every product of a training pass is written as."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ConvShape:
    """``Y[N,K,P,Q] = sum over c,r,s of X[N,C,H,W] * W[K,C/groups,R,S]``.

    A linear layer has H = W = P = Q = R = S = 1; a batched matrix product is a grouped one.
    Pairs are (vertical, horizontal). A layer that is `transposed` makes X of Y: its forward pass is the gradient of
    this convolution's input, and the gradient of its own input is this convolution.
    """

    N: int
    C: int
    H: int
    W: int
    K: int
    R: int
    S: int
    P: int
    Q: int
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1
    transposed: bool = False

    @property
    def macs(self) -> int:
        """Multiply-accumulates of the forward pass, those on padding included."""
        return self.N * self.K * self.P * self.Q * (self.C // self.groups) * self.R * self.S

    @property
    def input_words(self) -> int:
        """Elements that the layer reads: of X, or of Y."""
        return self._y_words if self.transposed else self._x_words

    @property
    def weight_words(self) -> int:
        """Elements of W."""
        return self.K * (self.C // self.groups) * self.R * self.S

    @property
    def output_words(self) -> int:
        """Elements that the layer makes: of Y, or of X."""
        return self._x_words if self.transposed else self._y_words

    @property
    def _x_words(self) -> int:
        return self.N * self.C * self.H * self.W

    @property
    def _y_words(self) -> int:
        return self.N * self.K * self.P * self.Q


def linear_shape(N: int, C: int, K: int, groups: int = 1) -> ConvShape:
    """Return the shape of ``N`` rows times a ``C x K`` matrix, `groups` of them side by side."""
    return ConvShape(N=N, C=C * groups, H=1, W=1, K=K * groups, R=1, S=1, P=1, Q=1, groups=groups)


def output_extent(size: int, kernel: int, stride: int, padding: int, dilation: int) -> int:
    """Return P for H (or Q for W) of a convolution."""
    return (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
