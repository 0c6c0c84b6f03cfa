"""Record PyTorch's operators with multiply-accumulates: which operand is what."""

import torch

from workloads.layers import Linear, Matmul, VectorLayer
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
    if (by_right and right.dim() == 2) or _same_for_all(tape, right):
        products.linear(tape, call, left, right, right.shape[-2], right.shape[-1], bias)
    elif by_right and right.dim() == 1:
        products.linear(tape, call, left, right, right.shape[0], 1, bias)
    elif (by_left and left.dim() == right.dim() == 2) or _same_for_all(tape, left):
        products.linear(tape, call, right, left, left.shape[-1], left.shape[-2], bias)
    elif by_right and right.dim() == 3 and bias is None:
        products.grouped(tape, call, left, right, *right.shape)
    elif by_left and left.dim() == 3 and bias is None:
        products.grouped(tape, call, right, left, left.shape[0], left.shape[2], left.shape[1])
    elif by_left or by_right or right.dim() == 1:
        lost_product(tape, call)
    else:
        G = left.shape[0] if left.dim() == 3 else 1
        products.matmul(tape, call, left, right, G, left.shape[-2], left.shape[-1], right.shape[-1], bias)


def _same_for_all(tape: Tape, matrices: torch.Tensor) -> bool:
    """Tell whether a constant matrix is spread over the batch, or over heads."""
    return matrices.dim() == 3 and matrices.stride(0) == 0 and not tape.is_activation(matrices)


def grouped_mm(tape: Tape, call: Call) -> None:
    """``grouped_mm(rows, weights, ends)``: every row by one of G matrices, as in a mixture of experts.

    Shares are equal, or some have a row more: those are a layer of their own.
    """
    vectors, weights = call.args[:2]
    rows, rest = divmod(vectors.shape[0], tape.batch_size)
    if vectors.dim() != 2 or weights.dim() != 3 or not tape.is_weight(weights) or rest or rows < len(weights):
        lost_product(tape, call)
        return
    tape.note("which rows go through which weights depends on values; recorded as equal shares", tape.here)
    groups, C, K = weights.shape
    share, more = divmod(rows, groups)
    parts = [products.of_groups(tape, vectors, count, size, C, K)
             for count, size in ((groups - more, share), (more, share + 1)) if count]  # fmt: skip
    made = [tape.emit_weighted(layer, None, weights, part) for part, layer in enumerate(parts)]
    if len(made) == 1:
        tape.write(call.out, made[0])
    else:
        joined = VectorLayer(id="new", kind="concat", op="cat", inputs=tuple(made), shape=(rows, K))
        tape.emit(joined, call.out, "cat")


def bilinear(tape: Tape, call: Call) -> None:
    """``trilinear(left, weight, right, ...)`` as a bilinear layer calls it: y[k] = left . weight[k] . right.

    A linear layer of `left` gives a matrix a sample, and its product with `right` follows.
    """
    left, weight, right = call.args[:3]
    sums = ([1, 3], [0], [1, 2], [2, 3])
    activations = tape.is_activation(left) and tape.is_activation(right)
    L, rest = divmod(left.shape[0], tape.batch_size)
    if tuple(map(list, call.args[3:7])) != sums or not activations or not tape.is_weight(weight) or rest:
        lost_product(tape, call)
        return
    K, C, width = weight.shape
    first = Linear(id="new", kind="linear", L=L, C=C, K=K * width,
                   inputs=(tape.read(left, (C,) if L == 1 else (L, C), any_shape=True),))  # fmt: skip
    inputs = (tape.emit_weighted(first, None, weight), tape.read(right, (L, width, 1), any_shape=True))
    second = Matmul(id="new", kind="matmul", inputs=inputs, G=L, M=K, C=width, K=1)
    tape.emit(second, call.out, call.op)
