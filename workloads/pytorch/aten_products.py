"""Record the operators with multiply-accumulates: convolutions, matrix products, attention."""

from typing import Any

import torch

from workloads.layers import Conv2d, Linear, Matmul, VectorLayer
from workloads.pytorch.aten_call import Call, record_other
from workloads.pytorch.tape import Tape


def convolution(tape: Tape, call: Call) -> None:
    """``convolution(image, weight, bias, stride, padding, dilation, transposed, output_padding, groups)``."""
    image, weight, bias, stride, padding, dilation, transposed, _, groups = call.args[:9]
    missing = 4 - image.dim()  # a one-dimensional convolution is one of height 1
    windows, rest = divmod(image.shape[0], tape.batch_size)
    if transposed or missing not in (0, 1):
        lost_product(tape, call, "transposed convolution" if transposed else f"{image.dim() - 2}-D convolution")
        return
    if rest or not tape.is_weight(weight):
        lost_product(tape, call)
        return
    H, W = (1,) * missing + tuple(image.shape[2:])
    R, S = (1,) * missing + tuple(weight.shape[2:])
    P, Q = (1,) * missing + tuple(call.out.shape[2:])
    C, K = image.shape[1], weight.shape[0]
    sample = (C, H, W) if windows == 1 else (windows, C, H, W)
    layer = Conv2d(
        id="new", kind="conv2d", inputs=(tape.read(image, sample),),
        N_per_sample=windows, C=C, H=H, W=W, K=K, R=R, S=S, P=P, Q=Q,
        stride=_pair(stride, missing, 1), padding=_pair(padding, missing, 0), dilation=_pair(dilation, missing, 1),
        groups=groups, bias=bias is not None and not _added(tape, bias, weight),
    )  # fmt: skip
    tape.emit_weighted(layer, call.out, weight)
    if bias is not None and _added(tape, bias, weight):
        _add(tape, call, bias)


def _pair(values: list[int], missing: int, neutral: int) -> tuple[int, int]:
    extents = [neutral] * missing + list(values) * (2 if len(values) == 1 and not missing else 1)
    return extents[0], extents[1]


def mm(tape: Tape, call: Call) -> None:
    """``mm(left, right)`` of two matrices, of G each, or of a vector."""
    _product(tape, call, call.args[0], call.args[1], bias=None)


def addmm(tape: Tape, call: Call) -> None:
    """``addmm(added, left, right)``."""
    _product(tape, call, call.args[1], call.args[2], bias=call.args[0])


def _product(tape: Tape, call: Call, left: torch.Tensor, right: torch.Tensor, bias: torch.Tensor | None) -> None:
    by_right, by_left = tape.is_weight(right), tape.is_weight(left)
    if by_right and (right.dim() == 2 or right.stride(0) == 0):
        _linear(tape, call, left, right, right.shape[-2], right.shape[-1], bias)
    elif by_left and left.dim() == 2 and right.dim() == 2:
        _linear(tape, call, right, left, left.shape[1], left.shape[0], bias)
    elif by_right and right.dim() == 3 and bias is None:
        _grouped(tape, call, left, right, right.shape[1], right.shape[2])
    elif by_left and left.dim() == 3 and bias is None:
        _grouped(tape, call, right, left, left.shape[2], left.shape[1])
    elif by_left or by_right or right.dim() == 1:
        lost_product(tape, call)
    else:
        _matmul(tape, call, left, right, bias)


def _linear(
    tape: Tape, call: Call, vectors: torch.Tensor, weight: torch.Tensor, C: int, K: int, bias: torch.Tensor | None
) -> None:
    L, rest = divmod(vectors.numel() // C, tape.batch_size)
    if rest:
        lost_product(tape, call)
        return
    source = tape.read(vectors, (C,) if L == 1 else (L, C), any_shape=True)
    has_bias = bias is not None and not _added(tape, bias, weight)
    layer = Linear(id="new", kind="linear", inputs=(source,), L=L, C=C, K=K, bias=has_bias)
    tape.emit_weighted(layer, call.out, weight)
    if bias is not None and not has_bias:
        _add(tape, call, bias)


def _grouped(tape: Tape, call: Call, vectors: torch.Tensor, weight: torch.Tensor, C: int, K: int) -> None:
    """Record G products with a weight each as a convolution of 1 x 1 in G groups, its rows the image's."""
    groups = weight.shape[0]
    rows, rest = divmod(vectors.numel() // (groups * C), tape.batch_size)
    if rest:
        lost_product(tape, call)
        return
    layer = Conv2d(
        id="new", kind="conv2d", inputs=(tape.read(vectors, (groups * C, rows, 1)),), C=groups * C, H=rows, W=1,
        K=groups * K, R=1, S=1, P=rows, Q=1, groups=groups,
    )  # fmt: skip
    tape.emit_weighted(layer, call.out, weight)


def grouped_mm(tape: Tape, call: Call) -> None:
    """``grouped_mm(rows, weights, ends)``: every row by one of G matrices, as in a mixture of experts."""
    rows, weights = call.args[:2]
    if rows.dim() != 2 or weights.dim() != 3 or not tape.is_weight(weights):
        lost_product(tape, call)
        return
    tape.note("which rows go through which weights depends on values; recorded as equal shares", tape.here)
    _grouped(tape, call, rows, weights, weights.shape[1], weights.shape[2])


def _matmul(tape: Tape, call: Call, left: torch.Tensor, right: torch.Tensor, added: torch.Tensor | None) -> None:
    M, C, K = left.shape[-2], left.shape[-1], right.shape[-1]
    G = left.shape[0] if left.dim() == 3 else 1
    if G % tape.batch_size == 0:
        G //= tape.batch_size
    elif M % tape.batch_size == 0:
        M //= tape.batch_size
        tape.note("a matrix product mixes the samples of a batch; recorded as one product a sample", tape.here)
    else:
        lost_product(tape, call)
        return
    operands = ((left, (G, M, C)), (right, (G, C, K)))
    inputs = tuple(tape.read(one, shape, any_shape=True) for one, shape in operands
                   if tape.is_activation(one) or tape.values.batched(one))  # fmt: skip
    if len(inputs) == 1:
        tape.note("an operand of a matrix product is a constant; recorded as if it were an activation", tape.here)
    tape.emit(Matmul(id="new", kind="matmul", inputs=inputs, G=G, M=M, C=C, K=K), call.out, call.op)
    if added is not None and tape.is_activation(added):
        _add(tape, call, added)


def _added(tape: Tape, bias: torch.Tensor, weight: torch.Tensor) -> bool:
    """Tell whether a bias is a layer of its own: an activation, or one that trains beside frozen weights."""
    return tape.is_activation(bias) or (tape.trains(bias) and not tape.trains(weight))


def _add(tape: Tape, call: Call, added: torch.Tensor) -> None:
    """Record what an operator adds to its product as a layer."""
    operands = [call.out, added] if tape.is_activation(added) else [call.out]
    # Both as the layers that made them: the sum has a gradient where autograd has not told it of the product yet.
    inputs = (tape.layers[-1].id, *(tape.read(one) for one in operands[1:]))
    layer = VectorLayer(id="new", kind="add", op="add", inputs=inputs, shape=tape.layers[-1].output_shape)
    tape.write(call.out, tape.emit(layer, None, "add", tape.values.parameters([added])))


def lost_product(tape: Tape, call: Call, what: str = "") -> None:
    """Record a product that has no place in a trace as a layer without multiply-accumulates, and say so."""
    record_other(tape, call)
    tape.lose(f"the multiply-accumulates of {call.op} are missing", what or call.op, call.macs, tape.here)


def attention(tape: Tape, call: Call) -> None:
    """``attention(query, key, value, ...)``, each (rows, heads, L, features): two products, a softmax between them.

    Rows are the batch's samples, or several a sample where windows or frames are folded into the batch.
    """
    query, key, value = call.args[:3]
    heads, rest = divmod(query.shape[:-2].numel(), tape.batch_size)
    if rest:
        lost_product(tape, call)
        return
    length, features = query.shape[-2:]
    others, width = key.shape[-2], value.shape[-1]
    scores = Matmul(
        id="new", kind="matmul", G=heads, M=length, C=features, K=others,
        inputs=(_operand(tape, query, (heads, length, features)), _operand(tape, key, (heads, features, others))),
    )  # fmt: skip
    made = tape.emit(scores, None, "query_key")
    softmax = VectorLayer(id="new", kind="softmax", op="softmax", inputs=(made,), shape=scores.output_shape)
    made = tape.emit(softmax, None, "softmax")
    mixed = Matmul(
        id="new", kind="matmul", G=heads, M=length, C=others, K=width,
        inputs=(made, _operand(tape, value, (heads, others, width))),
    )  # fmt: skip
    tape.emit(mixed, _first(call.out), "attention_value")


def _operand(tape: Tape, tensor: torch.Tensor, shape: tuple[int, int, int]) -> str:
    return tape.read(tensor, shape, any_shape=True)


def _first(out: Any) -> torch.Tensor:
    result: torch.Tensor = out[0] if isinstance(out, tuple | list) else out
    return result
