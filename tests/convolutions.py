"""Random convolutions, small enough to visit each of their elements."""

from hypothesis import assume
from hypothesis import strategies as st

from workloads.passes import Role
from workloads.shapes import ConvShape, output_extent

ROLES: tuple[Role, ...] = ("forward", "dgrad", "wgrad")


@st.composite
def shapes(draw: st.DrawFn) -> ConvShape:
    small = st.integers(1, 3)
    groups, stride, dilation = draw(small), (draw(small), draw(small)), (draw(small), draw(small))
    R, S = draw(small), draw(small)
    padding = (draw(st.integers(0, 2)), draw(st.integers(0, 2)))
    H, W = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    P = output_extent(H, R, stride[0], padding[0], dilation[0])
    Q = output_extent(W, S, stride[1], padding[1], dilation[1])
    assume(P >= 1 and Q >= 1)
    return ConvShape(
        N=draw(st.integers(1, 4)), C=groups * draw(st.integers(1, 5)), H=H, W=W, K=groups * draw(st.integers(1, 5)),
        R=R, S=S, P=P, Q=Q, stride=stride, padding=padding, dilation=dilation, groups=groups,
    )  # fmt: skip
