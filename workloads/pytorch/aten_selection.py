"""Notice operators whose result decides what runs after them: a branch, a number of rows, which experts."""

import torch

from workloads.pytorch.aten_call import Call
from workloads.recording.tape import Tape

# Operators that hand values to Python, or make a tensor whose shape depends on values.
_ALWAYS = {
    "local_scalar_dense", "nonzero", "nonzero_numpy", "masked_select", "unique2", "unique_consecutive", "unique_dim",
    "is_nonzero", "equal", "bincount",
}  # fmt: skip
# Operators that take some rows, by indices among their arguments.
_BY_INDEX = {"index", "index_put", "unsafe_index_put", "index_put_impl", "index_select", "index_add", "index_copy"}
_RANKING = {"topk", "sort", "argsort", "argmax", "argmin", "kthvalue", "multinomial"}


def notice_selection(tape: Tape, call: Call) -> None:
    """Note an operator that selects by the values of activations."""
    if call.op in _ALWAYS or (call.op == "repeat_interleave" and tape.is_activation(call.args[0])):
        selects = any(tape.is_activation(tensor) for tensor in call.tensors)
    elif call.op in _BY_INDEX:
        selects = any(_decides(tape, tensor) for tensor in call.tensors[1:])
    else:
        return
    if selects:
        tape.selects(_NAMES.get(call.op, call.op))


_NAMES = {"local_scalar_dense": "item"}


def _decides(tape: Tape, index: torch.Tensor) -> bool:
    if not tape.is_activation(index) or index.is_floating_point():
        return False
    return index.dtype in (torch.bool, torch.uint8) or tape.values.comes_from(index, _RANKING)
