"""Record PyTorch's operators with multiply-accumulates: which operand is what."""

import torch

from workloads.pytorch.aten_call import Call
from workloads.recording import products
from workloads.recording.call import lost_product
from workloads.recording.tape import Tape


def convolution(tape: Tape, call: Call) -> None:
    """``convolution(image, weight, bias, stride, padding, dilation, transposed, output_padding, groups)``."""
    image, weight, bias, stride, padding, dilation, transposed, _, groups = call.args[:9]
    if transposed:
        lost_product(tape, call, "transposed convolution")
    else:
        products.convolution(tape, call, image, weight, bias, stride, padding, dilation, groups)


def attention(tape: Tape, call: Call) -> None:
    """``attention(query, key, value, ...)``, each (rows, heads, L, features)."""
    query, key, value = call.args[:3]
    heads, (length, features) = query.shape[:-2].numel(), query.shape[-2:]
    products.attention(tape, call, query, key, value, heads, length, features, key.shape[-2], value.shape[-1])


def mm(tape: Tape, call: Call) -> None:
    """``mm(left, right)`` of two matrices, of G each, or of a vector."""
    _product(tape, call, call.args[0], call.args[1], bias=None)


def addmm(tape: Tape, call: Call) -> None:
    """``addmm(added, left, right)``."""
    _product(tape, call, call.args[1], call.args[2], bias=call.args[0])


def _product(tape: Tape, call: Call, left: torch.Tensor, right: torch.Tensor, bias: torch.Tensor | None) -> None:
    by_right, by_left = tape.is_weight(right), tape.is_weight(left)
    if by_right and (right.dim() == 2 or right.stride(0) == 0):
        products.linear(tape, call, left, right, right.shape[-2], right.shape[-1], bias)
    elif by_left and left.dim() == 2 and right.dim() == 2:
        products.linear(tape, call, right, left, left.shape[1], left.shape[0], bias)
    elif by_right and right.dim() == 3 and bias is None:
        products.grouped(tape, call, left, right, *right.shape)
    elif by_left and left.dim() == 3 and bias is None:
        products.grouped(tape, call, right, left, left.shape[0], left.shape[2], left.shape[1])
    elif by_left or by_right or right.dim() == 1:
        lost_product(tape, call)
    else:
        G = left.shape[0] if left.dim() == 3 else 1
        products.matmul(tape, call, left, right, G, left.shape[-2], left.shape[-1], right.shape[-1], bias)


def grouped_mm(tape: Tape, call: Call) -> None:
    """``grouped_mm(rows, weights, ends)``: every row by one of G matrices, as in a mixture of experts."""
    rows, weights = call.args[:2]
    if rows.dim() != 2 or weights.dim() != 3 or not tape.is_weight(weights):
        lost_product(tape, call)
        return
    tape.note("which rows go through which weights depends on values; recorded as equal shares", tape.here)
    products.grouped(tape, call, rows, weights, *weights.shape)
