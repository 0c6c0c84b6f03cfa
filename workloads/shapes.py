"""The shape of a convolution, which every product of a training pass is written as."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ConvShape:
    """``Y[N,K,P,Q] = sum over c,r,s of X[N,C,H,W] * W[K,C/groups,R,S]``.

    A linear layer has H = W = P = Q = R = S = 1; a batched matrix product is a grouped one.
    Pairs are (vertical, horizontal).
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

    @property
    def macs(self) -> int:
        """Multiply-accumulates of the forward pass, those on padding included."""
        return self.N * self.K * self.P * self.Q * (self.C // self.groups) * self.R * self.S

    @property
    def input_words(self) -> int:
        """Elements of X."""
        return self.N * self.C * self.H * self.W

    @property
    def weight_words(self) -> int:
        """Elements of W."""
        return self.K * (self.C // self.groups) * self.R * self.S

    @property
    def output_words(self) -> int:
        """Elements of Y."""
        return self.N * self.K * self.P * self.Q


def linear_shape(N: int, C: int, K: int, groups: int = 1) -> ConvShape:
    """Return the shape of ``N`` rows times a ``C x K`` matrix, `groups` of them side by side."""
    return ConvShape(N=N, C=C * groups, H=1, W=1, K=K * groups, R=1, S=1, P=1, Q=1, groups=groups)


def output_extent(size: int, kernel: int, stride: int, padding: int, dilation: int) -> int:
    """Return P for H (or Q for W) of a convolution."""
    return (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
