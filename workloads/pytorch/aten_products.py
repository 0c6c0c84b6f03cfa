"""Record PyTorch's operators with multiply-accumulates: which operand is what."""

import torch

from workloads.pytorch.aten_call import Call
from workloads.recording import products
from workloads.recording.other import lost_product
from workloads.recording.recurrent import Direction, recurrent
from workloads.recording.tape import Tape


def convolution(tape: Tape, call: Call) -> None:
    """``convolution(image, weight, bias, stride, padding, dilation, transposed, output_padding, groups)``."""
    image, weight, bias, stride, padding, dilation, transposed, _, groups = call.args[:9]
    products.convolution(tape, call, image, weight, bias, stride, padding, dilation, groups, transposed)


def attention(tape: Tape, call: Call) -> None:
    """``attention(query, key, value, ...)``, each (rows, heads, L, features)."""
    query, key, value = call.args[:3]
    heads, (length, features) = query.shape[:-2].numel(), query.shape[-2:]
    products.attention(tape, call, query, key, value, heads, length, features, key.shape[-2], value.shape[-1])


def mm(tape: Tape, call: Call) -> None:
    """``mm(left, right)`` of two matrices, of G each, or of a vector."""
    _product(tape, call, call.args[0], call.args[1], None)


def addmm(tape: Tape, call: Call) -> None:
    """``addmm(added, left, right)``, or of a vector."""
    _product(tape, call, call.args[1], call.args[2], call.args[0])


def _product(tape: Tape, call: Call, left: torch.Tensor, right: torch.Tensor, bias: torch.Tensor | None) -> None:
    M, K = (left.shape[-2] if left.dim() > 1 else 1), (right.shape[-1] if right.dim() > 1 else 1)
    # A constant matrix that is spread over the batch, or over heads, without a copy.
    spread = [one for one in (left, right) if one.dim() == 3 and one.stride(0) == 0 and not tape.is_activation(one)]
    products.product(tape, call, left, right, M, left.shape[-1], K, bias, spread)


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
        tape.vector("concat", "cat", made, (rows, K), call.out)


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
    matrices = products.linear(tape, left, weight, C, K * width)
    products.emit_matmul(tape, call.op, matrices, right, L, K, width, 1, call.out)


def mkldnn_rnn_layer(tape: Tape, call: Call) -> None:
    """``mkldnn_rnn_layer(image, w_ih, w_hh, b_ih, b_hh, h0, c0, ...)``: one direction of one layer, (L, N, C).

    A device runs it as one operator; others run the products that it is recorded as.
    """
    image, w_ih, w_hh, b_ih, b_hh, hidden = call.args[:6]
    direction = Direction(w_ih, w_hh, bool(tape.values.parameters([b_ih, b_hh])), hidden)
    every, *last = call.outputs[:3]
    recurrent(tape, image, [direction], image.shape[0], 1, every, last)
