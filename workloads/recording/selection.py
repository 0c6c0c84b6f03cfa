"""Operators whose result decides what runs after them: a branch, a number of rows, which experts."""

from collections.abc import Callable
from typing import Any

from workloads.recording.call import Call
from workloads.recording.other import activations
from workloads.recording.tape import Tape
from workloads.recording.values import Tensor

Decides = Callable[[Tape, Any], bool]
# What ranks values: indices that come from it select by them.
_RANKING = {"topk", "sort", "argsort", "argmax", "argmin", "kthvalue", "multinomial"}


def by_value(tape: Tape, call: Call) -> bool:
    """Tell whether values of an activation leave the graph, or make a shape."""
    return bool(activations(tape, call))


def by_index(tape: Tape, call: Call, is_mask: Callable[[Tensor], bool] = lambda _: False) -> bool:
    """Tell whether a mask, or ranked values, of an activation take some rows."""
    indices = [one for one in call.tensors[1:] if tape.is_activation(one) and not one.is_floating_point()]
    return any(is_mask(one) or tape.values.comes_from(one, _RANKING) for one in indices)
