"""Record the operators with multiply-accumulates: convolutions, matrix products, attention."""

from collections.abc import Sequence
from typing import Any

from workloads.layers import Conv2d, Linear, Matmul, VectorLayer
from workloads.recording.call import Call, lost_product
from workloads.recording.tape import Tape
from workloads.recording.values import Tensor


def convolution(
    tape: Tape, call: Call, image: Tensor, weight: Tensor, bias: Tensor | None, stride: Sequence[int],
    padding: Sequence[int], dilation: Sequence[int], groups: int,
) -> None:  # fmt: skip
    """Record a convolution of one or two dimensions; more have no place in a trace."""
    missing = 4 - image.dim()  # a one-dimensional convolution is one of height 1
    windows, rest = divmod(image.shape[0], tape.batch_size)
    if missing not in (0, 1):
        lost_product(tape, call, f"{image.dim() - 2}-D convolution")
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
        groups=groups, bias=bias is not None and not _is_apart(tape, bias, weight),
    )  # fmt: skip
    tape.emit_weighted(layer, call.out, weight)
    if bias is not None and _is_apart(tape, bias, weight):
        _add(tape, call, bias)


def _pair(values: Sequence[int], missing: int, neutral: int) -> tuple[int, int]:
    extents = [neutral] * missing + list(values) * (2 if len(values) == 1 and not missing else 1)
    return extents[0], extents[1]


def linear(tape: Tape, call: Call, vectors: Tensor, weight: Tensor, C: int, K: int, bias: Tensor | None) -> None:
    """Record a product of vectors of C numbers with one weight, C x K in any order."""
    rows = vectors.numel() // C
    L = -(-rows // tape.batch_size)
    if rows % tape.batch_size:
        tape.note("vectors are no multiple of the batch; rounded up to whole ones a sample", f"{rows} at {tape.here}")
    source = tape.read(vectors, (C,) if L == 1 else (L, C), any_shape=True)
    has_bias = bias is not None and not _is_apart(tape, bias, weight)
    layer = Linear(id="new", kind="linear", inputs=(source,), L=L, C=C, K=K, bias=has_bias)
    tape.emit_weighted(layer, call.out, weight)
    if bias is not None and not has_bias:
        _add(tape, call, bias)


def grouped(tape: Tape, call: Call, vectors: Tensor, weight: Tensor, groups: int, C: int, K: int) -> None:
    """Record products with a weight each."""
    rows, rest = divmod(vectors.numel() // (groups * C), tape.batch_size)
    if rest:
        lost_product(tape, call)
    else:
        tape.emit_weighted(of_groups(tape, vectors, groups, rows, C, K), call.out, weight)


def of_groups(tape: Tape, vectors: Tensor, groups: int, rows: int, C: int, K: int) -> Conv2d:
    """Return a convolution of 1 x 1 in groups, each a product of so many rows with a matrix of its own."""
    source = tape.read(vectors, (groups * C, rows, 1))
    return Conv2d(
        id="new", kind="conv2d", inputs=(source,), C=groups * C, H=rows, W=1, K=groups * K, R=1, S=1, P=rows, Q=1,
        groups=groups,
    )  # fmt: skip


def matmul(
    tape: Tape, call: Call, left: Tensor, right: Tensor, G: int, M: int, C: int, K: int, bias: Tensor | None = None
) -> None:
    """Record G products (M x C) by (C x K) of activations."""
    if G % tape.batch_size == 0:
        G //= tape.batch_size
    elif M % tape.batch_size == 0:
        M //= tape.batch_size
        tape.note("a matrix product mixes the samples of a batch; recorded as one product a sample", tape.here)
    else:
        lost_product(tape, call)
        return
    operands = ((left, (G, M, C)), (right, (G, C, K)))
    inputs = tuple(tape.read(one, shape, any_shape=True) for one, shape in operands)
    tape.emit(Matmul(id="new", kind="matmul", inputs=inputs, G=G, M=M, C=C, K=K), call.out, call.op)
    if bias is not None and tape.is_activation(bias):
        _add(tape, call, bias)


def _is_apart(tape: Tape, bias: Tensor, weight: Tensor) -> bool:
    """Tell whether a bias is a layer of its own: an activation, or one that trains beside frozen weights."""
    return tape.is_activation(bias) or (tape.trains(bias) and not tape.trains(weight))


def _add(tape: Tape, call: Call, added: Tensor) -> None:
    """Record what an operator adds to its product as a layer."""
    operands = [call.out, added] if tape.is_activation(added) else [call.out]
    # Both as the layers that made them: the sum has a gradient where autograd has not told it of the product yet.
    inputs = (tape.layers[-1].id, *(tape.read(one) for one in operands[1:]))
    layer = VectorLayer(id="new", kind="add", op="add", inputs=inputs, shape=tape.layers[-1].output_shape)
    tape.write(call.out, tape.emit(layer, None, "add", tape.values.parameters([added])))


def attention(
    tape: Tape, call: Call, query: Tensor, key: Tensor, value: Tensor, heads: int, length: int, features: int,
    others: int, width: int,
) -> None:  # fmt: skip
    """Record two products with a softmax between them: `length` queries of some `features`, `others` keys, values.

    Heads are those of all rows of the batch: its samples, or windows or frames of them.
    """
    heads, rest = divmod(heads, tape.batch_size)
    if rest:
        lost_product(tape, call)
        return
    scores = Matmul(
        id="new", kind="matmul", G=heads, M=length, C=features, K=others,
        inputs=(_operand(tape, query, (heads, length, features)), _operand(tape, key, (heads, features, others))),
    )  # fmt: skip
    made = tape.emit(scores, None, "query_key")
    bias = [one for one in call.tensors[3:] if tape.is_activation(one)]
    softmax = VectorLayer(
        id="new", kind="softmax", op="softmax", inputs=(made, *map(tape.read, bias)), shape=scores.output_shape
    )
    made = tape.emit(softmax, None, "softmax")
    mixed = Matmul(
        id="new", kind="matmul", G=heads, M=length, C=others, K=width,
        inputs=(made, _operand(tape, value, (heads, others, width))),
    )  # fmt: skip
    tape.emit(mixed, _first(call.out), "attention_value")


def _operand(tape: Tape, tensor: Tensor, shape: tuple[int, int, int]) -> str:
    return tape.read(tensor, shape, any_shape=True)


def _first(out: Any) -> Tensor:
    result: Tensor = out[0] if isinstance(out, tuple | list) else out
    return result
