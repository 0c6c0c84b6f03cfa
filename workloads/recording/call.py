"""One operator with its operands, as a model calls it."""

from collections.abc import Sequence
from typing import Any, Protocol


class Call(Protocol):
    """An operator as a model calls it.

    Attributes
    ----------
    op : str
        Its name, as a trace has it.
    tensors, outputs : sequence of Tensor
        All that it reads, and all that it returns.
    out : Tensor
        The first that it returns.
    operands : sequence of Tensor
        The tensors whose product it is, if it is one.
    macs : int
        Multiply-accumulates by somebody else's count; 0 where nobody counts them.
    """

    @property
    def op(self) -> str: ...  # noqa: D102

    @property
    def tensors(self) -> Sequence[Any]: ...  # noqa: D102

    @property
    def outputs(self) -> Sequence[Any]: ...  # noqa: D102

    @property
    def out(self) -> Any: ...  # noqa: D102

    @property
    def operands(self) -> Sequence[Any]: ...  # noqa: D102

    @property
    def macs(self) -> int: ...  # noqa: D102
