"""One call of an aten operator, and the registry of what records which operator."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

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
    args : sequence
        Its positional arguments.
    tensors : tuple of Tensor
        All tensors among its arguments, those in lists and keywords included.
    out : object
        What it returned.
    """

    op: str
    args: Sequence[Any]
    tensors: tuple[torch.Tensor, ...]
    out: Any


Handler = Callable[[Tape, Call], None]
HANDLERS: dict[str, Handler] = {}


def records(*ops: str) -> Callable[[Handler], Handler]:
    """Make a function the one that records these operators."""

    def register(handler: Handler) -> Handler:
        for op in ops:
            HANDLERS[op] = handler
        return handler

    return register


def plain_name(schema_name: str) -> str:
    """Return an operator's name without what its variants add to it."""
    name = schema_name.partition("::")[2].strip("_")
    for prefix in ("native_", "cudnn_", "miopen_", "safe_"):
        name = name.removeprefix(prefix)
    return name.removesuffix("_legit").removesuffix("_with_indices")


def floating_outputs(out: Any) -> list[torch.Tensor]:
    """Return the outputs that can be activations: indices and masks cannot."""
    results = out if isinstance(out, tuple | list) else (out,)
    return [one for one in results if isinstance(one, torch.Tensor) and (one.is_floating_point() or one.is_complex())]


def emit_vector(
    tape: Tape, call: Call, kind: VectorKind, out: torch.Tensor, inputs: Sequence[str], shape: Shape | None = None
) -> str:
    """Record a layer without multiply-accumulates that made `out` of the layers `inputs`."""
    layer = VectorLayer(
        id="new", kind=kind, op=call.op, inputs=tuple(inputs), shape=tape.sample_shape(out) if shape is None else shape,
    )  # fmt: skip
    return tape.emit(layer, out, call.op, tape.parameters(call.tensors))


def record_unknown(tape: Tape, call: Call) -> None:
    """Record an operator that no handler knows as `other`, and say so."""
    record_other(tape, call)
    tape.note(f"{call.op} is recorded as 'other', without its arithmetic")


def record_other(tape: Tape, call: Call) -> None:
    """Record an operator whose shape is all that matters of it."""
    inputs = [tape.read(tensor) for tensor in call.tensors if tape.is_activation(tensor)]
    for out in floating_outputs(call.out):
        emit_vector(tape, call, "other", out, inputs)
