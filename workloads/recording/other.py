"""How an operator is recorded whose shape is all that matters, and what is said of its arithmetic."""

from collections.abc import Callable
from typing import Any

from workloads.recording.call import Call
from workloads.recording.notes import Lost
from workloads.recording.tape import Tape
from workloads.recording.values import Tensor

Rule = Callable[[Tape, Any], None]


def is_real(tensor: Tensor) -> bool:
    """Tell whether a tensor holds numbers, and no indices or masks."""
    return tensor.is_floating_point() or tensor.is_complex()


def activations(tape: Tape, call: Call) -> list[Any]:
    """Return the operands that the network's inputs reach."""
    return [tensor for tensor in call.tensors if tape.is_activation(tensor)]


def lost(tape: Tape, call: Call) -> Lost:
    """Return the work of a product that is not simulated; the gradient of each operand takes as much as the product."""
    return Lost(call.macs, call.macs * sum(map(tape.flow.through, call.operands)))


def record_other(tape: Tape, call: Call) -> None:
    """Record an operator whose shape is all that matters of it."""
    inputs = [tape.read(tensor) for tensor in activations(tape, call)]
    for out in filter(is_real, call.outputs) if any(map(is_real, call.outputs)) else call.outputs:
        if inputs:
            tape.record_vector(call, "other", out, inputs)
        else:  # a product of constants that is no layer after all
            tape.compute(call, call.tensors, (out,))


def record_unknown(tape: Tape, call: Call) -> None:
    """Record an operator that no rule knows as `other`, and say so."""
    record_other(tape, call)
    tape.lose(f"{call.op} is recorded as 'other', without its arithmetic", call.op, lost(tape, call))


def lost_product(tape: Tape, call: Call, what: str = "") -> None:
    """Record a product that has no place in a trace as a layer without multiply-accumulates, and say so."""
    record_other(tape, call)
    tape.lose(f"the multiply-accumulates of {call.op} are missing", what or call.op, lost(tape, call), tape.here)
