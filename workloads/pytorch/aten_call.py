"""One call of an aten operator."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

# Where among the arguments of a product its operands stand, if not first and second.
_OPERANDS = dict.fromkeys(("addmm", "baddbmm", "addmv", "addbmm"), slice(1, 3)) | {"trilinear": slice(3)}


@dataclass(frozen=True, slots=True)
class Call:
    """An operator as the dispatcher ran it.

    Attributes
    ----------
    op : str
        Its name as users know it: ``aten::native_batch_norm`` is ``batch_norm``, ``add_`` is ``add``.
    func : OpOverload
        The operator itself.
    args, kwargs
        Its arguments.
    tensors : tuple of Tensor
        All tensors among its arguments, those in lists and keywords included.
    outputs : tuple of Tensor
        The tensors that it returned.
    """

    op: str
    func: Any
    args: Sequence[Any]
    kwargs: dict[str, Any]
    tensors: tuple[torch.Tensor, ...]
    outputs: tuple[torch.Tensor, ...]

    @property
    def out(self) -> torch.Tensor:
        """The first of them."""
        return self.outputs[0]

    @property
    def operands(self) -> list[torch.Tensor]:
        """The tensors whose product it is, if it is one."""
        return [one for one in self.args[_OPERANDS.get(self.op, slice(2))] if isinstance(one, torch.Tensor)]

    @property
    def macs(self) -> int:
        """Multiply-accumulates by torch's own counter; 0 where nobody knows the operator."""
        if self.op in _COUNTS:
            return _COUNTS[self.op](self)
        count = flop_registry.get(self.func.overloadpacket)
        return count(*self.args, **self.kwargs, out_val=self.out) // 2 if count else 0


def _trilinear(call: Call) -> int:
    """Every input is spread over the product's dimensions before a sum over some."""
    spread = [_unsqueezed(tensor.shape, dims) for tensor, dims in zip(call.args[:3], call.args[3:6], strict=True)]
    return prod(torch.broadcast_shapes(*spread))


def _by_vector(call: Call) -> int:
    """Each number of the matrix, or of the first vector, is multiplied once."""
    return call.operands[0].numel()


def _by_matrix(call: Call) -> int:
    """Each number of the first matrices meets one row of a matrix."""
    left, right = call.operands
    return left.numel() * right.shape[-1]


# What torch's counter does not know.
_COUNTS: dict[str, Callable[[Call], int]] = {
    "trilinear": _trilinear, "grouped_mm": _by_matrix, "addbmm": _by_matrix,
    "mv": _by_vector, "addmv": _by_vector, "dot": _by_vector, "vdot": _by_vector,
}  # fmt: skip


def _unsqueezed(shape: Sequence[int], dims: Sequence[int]) -> tuple[int, ...]:
    sizes = list(shape)
    for dim in sorted(dims):
        sizes.insert(dim, 1)
    return tuple(sizes)


def tensors_in(values: Any) -> tuple[torch.Tensor, ...]:
    """Return all tensors among some values, those in lists included."""
    return tuple(leaf for leaf in tree_leaves(values) if isinstance(leaf, torch.Tensor))


def plain_name(schema_name: str) -> str:
    """Return an operator's name without what its variants add to it."""
    name = schema_name.partition("::")[2].strip("_").replace("local_scalar_dense", "item")
    for prefix in ("native_", "cudnn_", "miopen_", "safe_"):
        name = name.removeprefix(prefix)
    return name.removesuffix("_legit").removesuffix("_with_indices")
