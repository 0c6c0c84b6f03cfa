"""One call of an aten operator, and how layers without multiply-accumulates are recorded."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from workloads.graph import Shape
from workloads.layers import VectorKind, VectorLayer
from workloads.pytorch.tape import Tape


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
    out : object
        What it returned.
    """

    op: str
    func: Any
    args: Sequence[Any]
    kwargs: dict[str, Any]
    tensors: tuple[torch.Tensor, ...]
    out: Any

    @property
    def outputs(self) -> list[torch.Tensor]:
        """The tensors that it returned."""
        return [one for one in tree_leaves(self.out) if isinstance(one, torch.Tensor)]

    @property
    def macs(self) -> int:
        """Multiply-accumulates by torch's own counter; 0 where it does not know the operator."""
        if self.op == "trilinear":  # every input is spread over the product's dimensions before a sum over some
            spread = [_unsqueezed(tensor.shape, dims)
                      for tensor, dims in zip(self.args[:3], self.args[3:6], strict=True)]  # fmt: skip
            return prod(torch.broadcast_shapes(*spread))
        count = flop_registry.get(self.func.overloadpacket)
        return count(*self.args, **self.kwargs, out_val=self.out) // 2 if count else 0


def _unsqueezed(shape: Sequence[int], dims: Sequence[int]) -> tuple[int, ...]:
    sizes = list(shape)
    for dim in sorted(dims):
        sizes.insert(dim, 1)
    return tuple(sizes)


Rule = Callable[[Tape, Call], None]


def plain_name(schema_name: str) -> str:
    """Return an operator's name without what its variants add to it."""
    name = schema_name.partition("::")[2].strip("_")
    for prefix in ("native_", "cudnn_", "miopen_", "safe_"):
        name = name.removeprefix(prefix)
    return name.removesuffix("_legit").removesuffix("_with_indices")


def floating(call: Call) -> list[torch.Tensor]:
    """Return the outputs that are no integers or masks."""
    return [one for one in call.outputs if one.is_floating_point() or one.is_complex()]


def emit_vector(
    tape: Tape, call: Call, kind: VectorKind, out: torch.Tensor, inputs: Sequence[str], shape: Shape | None = None
) -> str:
    """Record a layer without multiply-accumulates that made `out` of the layers `inputs`."""
    layer = VectorLayer(
        id="new", kind=kind, op=call.op, inputs=tuple(inputs), shape=tape.sample_shape(out) if shape is None else shape,
    )  # fmt: skip
    return tape.emit(layer, out, call.op, tape.values.parameters(call.tensors))


def record_other(tape: Tape, call: Call) -> None:
    """Record an operator whose shape is all that matters of it."""
    inputs = [tape.read(tensor) for tensor in call.tensors if tape.is_activation(tensor)]
    for out in floating(call) or call.outputs:
        if inputs:
            emit_vector(tape, call, "other", out, inputs)
        else:  # a product of constants that is no layer after all
            tape.values.compute(out, call.tensors, call.op, tape.place, random=False)


def record_unknown(tape: Tape, call: Call) -> None:
    """Record an operator that no rule knows as `other`, and say so."""
    record_other(tape, call)
    tape.lose(f"{call.op} is recorded as 'other', without its arithmetic", call.op, call.macs)
