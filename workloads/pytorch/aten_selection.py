"""Notice operators whose result decides what runs after them: a branch, a number of rows, which experts."""

from collections.abc import Callable

import torch

from workloads.pytorch.aten_call import Call
from workloads.recording.tape import Tape

Decides = Callable[[Tape, Call], bool]
# What ranks values: indices that come from it select by them.
_RANKING = {"topk", "sort", "argsort", "argmax", "argmin", "kthvalue", "multinomial"}
_NAMES = {"local_scalar_dense": "item"}


def by_value(tape: Tape, call: Call) -> bool:
    """Tell whether values of an activation go to Python, or make a shape."""
    return any(tape.is_activation(tensor) for tensor in call.tensors)


def by_count(tape: Tape, call: Call) -> bool:
    """``repeat_interleave(repeats)``: tell whether the shape is a sum of an activation's values."""
    return tape.is_activation(call.args[0])


def by_index(tape: Tape, call: Call) -> bool:
    """Tell whether a mask, or ranked values, of an activation take some rows."""
    return any(_ranks(tape, tensor) for tensor in call.tensors[1:])


def _ranks(tape: Tape, index: torch.Tensor) -> bool:
    if not tape.is_activation(index) or index.is_floating_point():
        return False
    return index.dtype in (torch.bool, torch.uint8) or tape.values.comes_from(index, _RANKING)


def note_selection(tape: Tape, call: Call) -> None:
    """Say that values decide here."""
    tape.selects(_NAMES.get(call.op, call.op))
