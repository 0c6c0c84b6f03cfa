"""One operator with its operands, and how layers without multiply-accumulates are recorded."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from workloads.graph import Shape
from workloads.layers import VectorKind, VectorLayer
from workloads.recording.lost import Lost
from workloads.recording.tape import Tape
from workloads.recording.values import Tensor


class Call(Protocol):
    """An operator as a model calls it."""

    @property
    def op(self) -> str:
        """Its name."""

    @property
    def tensors(self) -> Sequence[Any]:
        """All tensors that it reads."""

    @property
    def out(self) -> Any:
        """What it returns."""

    @property
    def outputs(self) -> Sequence[Any]:
        """The tensors that it returns."""

    @property
    def operands(self) -> Sequence[Any]:
        """The two tensors, or three, whose product it is, if it is one."""

    @property
    def macs(self) -> int:
        """Multiply-accumulates by somebody else's count; 0 where nobody counts them."""


Rule = Callable[[Tape, Any], None]


def floating(call: Call) -> list[Tensor]:
    """Return the outputs that are no integers or masks."""
    return [one for one in call.outputs if one.is_floating_point() or one.is_complex()]


def emit_vector(
    tape: Tape, call: Call, kind: VectorKind, out: Tensor, inputs: Sequence[str], shape: Shape | None = None,
    op: str = "",
) -> str:  # fmt: skip
    """Record a layer without multiply-accumulates that made `out` of the layers `inputs`."""
    op = op or call.op
    layer = VectorLayer(
        id="new", kind=kind, op=op, inputs=tuple(inputs), shape=tape.sample_shape(out) if shape is None else shape,
    )  # fmt: skip
    return tape.emit(layer, out, op, tape.values.parameters(call.tensors))


def lost(tape: Tape, call: Call) -> Lost:
    """Return the work of a product that is not simulated; the gradient of each operand takes as much as the product."""
    return Lost(call.macs, call.macs * sum(map(tape.flow.through, call.operands)))


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
    tape.lose(f"{call.op} is recorded as 'other', without its arithmetic", call.op, lost(tape, call))


def lost_product(tape: Tape, call: Call, what: str = "") -> None:
    """Record a product that has no place in a trace as a layer without multiply-accumulates, and say so."""
    record_other(tape, call)
    tape.lose(f"the multiply-accumulates of {call.op} are missing", what or call.op, lost(tape, call), tape.here)
