"""What the tables of operators consist of, and how one of their operators is recorded.

========  ==============================================================================================
family    what becomes of it
========  ==============================================================================================
product   a layer with multiply-accumulates
vector    a layer without
movement  a layer that only moves or selects elements, so its shape is all that matters
view      no layer: the tensor is looked through, and a layer stands only where one reads another shape
constant  no layer: what it makes depends on the shape of its operands and not on what they hold
control   no layer: it decides by values what runs
========  ==============================================================================================
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from workloads.recording.call import Call, Rule, lost, record_unknown
from workloads.recording.tape import Tape

Family = Literal["product", "vector", "movement", "view", "constant", "control", "unknown"]


@dataclass(frozen=True, slots=True)
class Operator:
    """What family an operator is of, and what records it."""

    family: Family
    rule: Rule


UNKNOWN = Operator("unknown", record_unknown)


def rows(family: Family, rules: Mapping[Rule, str | tuple[str, ...]]) -> dict[str, Operator]:
    """Return the rows of a table for the operators of one family, by name; names are a tuple or a text."""
    return {
        op: Operator(family, rule)
        for rule, ops in rules.items()
        for op in (ops.split() if isinstance(ops, str) else ops)
    }


def shape_alone(tape: Tape, call: Call) -> None:
    """Make a constant of an operand's shape."""
    for out in call.outputs:
        tape.values.compute(out, (), call.op, tape.place, random=False)


def record(tape: Tape, call: Call, operator: Operator) -> None:
    """Record one operator.

    What no input of the network reaches is a constant, and no layer; but a product that has rows for every sample runs
    as often as any other, whatever its rows hold.
    """
    tape.touch(call.tensors)
    reached = any(tape.is_activation(tensor) for tensor in call.tensors)
    if operator.family == "product" and not reached:
        reached = tape.values.batched(call.outputs[0])
        if not reached:
            made_of = "constants and parameters" if tape.values.parameters(call.tensors) else "constants"
            note = f"{call.op} of {made_of}, once a batch, is missing"
            tape.lose(note, f"{call.op} once a batch", lost(tape, call), tape.here)
    if operator.family in ("view", "constant", "control"):
        operator.rule(tape, call)
    elif not reached:
        _compute(tape, call, random=call.op == "bernoulli")
    elif operator.family == "product" or _in_place(call) or any(_is_real(one) for one in call.outputs):
        operator.rule(tape, call)
        for out in call.outputs:  # means, indices and masks beside the result
            if not tape.values.known(out):
                tape.values.compute(out, call.tensors, call.op, tape.place, False)
    else:
        _compute(tape, call)


def _compute(tape: Tape, call: Call, random: bool = False) -> None:
    """Remember what is computed without a layer: of constants alone, or integers and masks."""
    for out in call.outputs:
        tape.values.compute(out, call.tensors, call.op, tape.place, random)


def _is_real(tensor: Any) -> bool:
    return tensor.is_floating_point() or tensor.is_complex()


def _in_place(call: Call) -> bool:
    return any(out is operand for out in call.outputs for operand in call.tensors)
