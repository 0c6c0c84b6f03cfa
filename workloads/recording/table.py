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
from typing import Literal, TypeVar

from workloads.recording.call import Call
from workloads.recording.other import Rule, activations, is_real, lost, record_unknown
from workloads.recording.selection import Decides
from workloads.recording.tape import Tape

_R = TypeVar("_R")
Family = Literal["product", "vector", "movement", "view", "constant", "control", "unknown"]


@dataclass(frozen=True, slots=True)
class Operator:
    """What family an operator is of, and what records it."""

    family: Family
    rule: Rule


UNKNOWN = Operator("unknown", record_unknown)


def by_name(rules: Mapping[_R, str]) -> dict[str, _R]:
    """Return rules by the name of each of their operators, from the names of all as a text."""
    return {op: rule for rule, ops in rules.items() for op in ops.split()}


def table(rows: Mapping[Family, Mapping[Rule, str]]) -> dict[str, Operator]:
    """Return operators by name, from the names for each rule of each family."""
    return {op: Operator(family, rule) for family, rules in rows.items() for op, rule in by_name(rules).items()}


def shape_alone(tape: Tape, call: Call) -> None:
    """Make a constant of an operand's shape."""
    tape.compute(call, ())


def values_alone(tape: Tape, call: Call) -> None:
    """Make what its operands' values say, of any shape."""
    tape.compute(call, call.tensors)


def record(tape: Tape, call: Call, operator: Operator, decides: Decides | None) -> None:
    """Record one operator, and note where its values decide what runs after it.

    What no input of the network reaches is a constant, and no layer; but a product that has rows for every sample runs
    as often as any other, whatever its rows hold.
    """
    if decides is not None and decides(tape, call):
        what = f"values decide what runs after {call.op}: another batch may run other layers, or other sizes of them"
        tape.note(what, tape.here)
    tape.touch(call.tensors)
    reached = bool(activations(tape, call))
    if operator.family == "product" and not reached:
        reached = tape.values.batched(call.out)
        if not reached:
            made_of = "constants and parameters" if tape.values.parameters(call.tensors) else "constants"
            note = f"{call.op} of {made_of}, once a batch, is missing"
            tape.lose(note, f"{call.op} once a batch", lost(tape, call), tape.here)
    # Of integers and masks only the moves are followed; a layer needs numbers.
    moved = operator.family != "vector" and any(out is operand for out in call.outputs for operand in call.tensors)
    if operator.family == "product" and any(one.is_complex() for one in call.tensors):
        tape.note("products of complex numbers are recorded as those of real ones, which are a quarter", tape.here)
    if operator.family in ("view", "constant", "control"):
        operator.rule(tape, call)
    elif reached and (operator.family == "product" or moved or any(map(is_real, call.outputs))):
        operator.rule(tape, call)
        # Means, indices and masks beside the result.
        tape.compute(call, call.tensors, [out for out in call.outputs if not tape.values.known(out)])
    else:  # of constants alone, or integers and masks
        tape.compute(call, call.tensors, random=call.op == "bernoulli" and not reached)
