"""Record the operators with multiply-accumulates: convolutions, matrix products, attention."""

from collections.abc import Sequence
from typing import Any

from workloads.graph import broadcasts
from workloads.layers import Conv2d, Linear, Matmul, VectorKind
from workloads.recording.call import Call
from workloads.recording.other import lost_product
from workloads.recording.tape import Tape
from workloads.recording.values import Tensor
from workloads.shapes import output_extent


def convolution(
    tape: Tape, call: Call, image: Tensor, weight: Tensor, bias: Tensor | None, stride: Sequence[int],
    padding: Sequence[int], dilation: Sequence[int], groups: int, transposed: bool = False,
) -> None:  # fmt: skip
    """Record a convolution of one or two dimensions, transposed or not; more have no place in a trace."""
    missing = 4 - image.dim()  # a one-dimensional convolution is one of height 1
    windows, rest = divmod(image.shape[0], tape.batch_size)
    if missing not in (0, 1):
        lost_product(tape, call, f"{image.dim() - 2}-D {'transposed ' if transposed else ''}convolution")
        return
    stride, padding, dilation = _pair(stride, missing, 1), _pair(padding, missing, 0), _pair(dilation, missing, 1)
    (H, W), (R, S), (P, Q) = ((1,) * missing + tuple(one.shape[2:]) for one in (image, weight, call.out))
    C, K = image.shape[1], call.out.shape[1]
    sides = zip((P, Q), (R, S), stride, padding, dilation, strict=True)
    # More may be added to the output of a transposed one than its stride: then no convolution makes the input of it.
    odd = transposed and tuple(output_extent(*side) for side in sides) != (H, W)
    if rest or odd or not tape.is_weight(weight):
        lost_product(tape, call)
        return
    sample = (C, H, W) if windows == 1 else (windows, C, H, W)
    has_bias, added = _split_bias(tape, bias, weight, K)
    layer = Conv2d(
        id="new", kind="conv2d", inputs=(tape.read(image, sample),),
        N_per_sample=windows, C=C, H=H, W=W, K=K, R=R, S=S, P=P, Q=Q,
        stride=stride, padding=padding, dilation=dilation, groups=groups, transposed=transposed, bias=has_bias,
    )  # fmt: skip
    tape.emit_weighted(layer, call.out, weight)
    _add(tape, call.out, added)


def _pair(values: Sequence[int], missing: int, neutral: int) -> tuple[int, int]:
    extents = [neutral] * missing + list(values) * (2 if len(values) == 1 and not missing else 1)
    return extents[0], extents[1]


def product(
    tape: Tape, call: Call, left: Tensor, right: Tensor, M: int, C: int, K: int, bias: Tensor | None = None,
    spread: Sequence[Tensor] = (),
) -> None:  # fmt: skip
    """Record G products (M x C) by (C x K), G by the size of the result, and what is added to them.

    A side that is the same for every sample is weights: one matrix, or one for each of some groups. What is `spread`
    is one matrix over and over.
    """
    G = call.out.numel() // (M * K)

    def weights(side: Tensor, width: int) -> int:
        """Return how many matrices of weights a side holds; 0 if it holds none."""
        if any(side is one for one in spread):
            return 1
        return side.numel() // (C * width) if tape.is_weight(side) else 0

    by_left, by_right = weights(left, M), weights(right, K)
    if by_left and by_right:
        lost_product(tape, call)
    elif by_right == 1:
        linear(tape, left, right, C, K, bias, call.out)
    elif by_left == 1:
        linear(tape, right, left, C, M, None, call.out)
        _add(tape, call.out, bias)
    elif by_right and left.numel() == G * M * C:
        _grouped(tape, call, left, right, by_right, C, K, bias)
    elif by_left and right.numel() == G * C * K:
        _grouped(tape, call, right, left, by_left, C, M, bias)
    elif by_left or by_right:
        lost_product(tape, call)
    else:
        _matmul(tape, call, left, right, G, M, C, K, bias)


def linear(
    tape: Tape, vectors: Tensor, weight: Tensor, C: int, K: int, bias: Tensor | None = None, out: Tensor | None = None
) -> str:
    """Record a product of vectors of C numbers with one weight, C x K in any order; return the layer."""
    rows = vectors.numel() // C
    L = -(-rows // tape.batch_size)
    if rows % tape.batch_size:
        tape.note("vectors are no multiple of the batch; rounded up to whole ones a sample", f"{rows} at {tape.here}")
    source = tape.read(vectors, (C,) if L == 1 else (L, C), any_shape=True)
    has_bias, added = _split_bias(tape, bias, weight, K)
    made = tape.emit_weighted(
        Linear(id="new", kind="linear", inputs=(source,), L=L, C=C, K=K, bias=has_bias), out, weight
    )
    _add(tape, out, added)
    return made


def _grouped(
    tape: Tape, call: Call, vectors: Tensor, weight: Tensor, groups: int, C: int, K: int, bias: Tensor | None
) -> None:
    rows, rest = divmod(vectors.numel() // (groups * C), tape.batch_size)
    if rest:
        lost_product(tape, call)
    else:
        tape.emit_weighted(of_groups(tape, vectors, groups, rows, C, K), call.out, weight)
        _add(tape, call.out, bias)


def of_groups(tape: Tape, vectors: Tensor, groups: int, rows: int, C: int, K: int) -> Conv2d:
    """Return a convolution of 1 x 1 in groups, each a product of so many rows with a matrix of its own."""
    source = tape.read(vectors, (groups * C, rows, 1))
    return Conv2d(
        id="new", kind="conv2d", inputs=(source,), C=groups * C, H=rows, W=1, K=groups * K, R=1, S=1, P=rows, Q=1,
        groups=groups,
    )  # fmt: skip


def _matmul(
    tape: Tape, call: Call, left: Tensor, right: Tensor, G: int, M: int, C: int, K: int, bias: Tensor | None
) -> None:
    if G % tape.batch_size == 0:
        G //= tape.batch_size
    elif M % tape.batch_size == 0:
        M //= tape.batch_size
        tape.note("a matrix product mixes the samples of a batch; recorded as one product a sample", tape.here)
    else:
        lost_product(tape, call)
        return
    emit_matmul(tape, call.op, left, right, G, M, C, K, call.out)
    _add(tape, call.out, bias)


def emit_matmul(
    tape: Tape, name: str, left: Tensor | str, right: Tensor | str, G: int, M: int, C: int, K: int,
    out: Tensor | None = None,
) -> str:  # fmt: skip
    """Record G products (M x C) by (C x K) a sample, of tensors or of layers; return the layer."""
    inputs = tuple(
        side if isinstance(side, str) else tape.read(side, shape, any_shape=True)
        for side, shape in ((left, (G, M, C)), (right, (G, C, K)))
    )
    return tape.emit(Matmul(id="new", kind="matmul", inputs=inputs, G=G, M=M, C=C, K=K), out, name)


def _split_bias(tape: Tape, bias: Tensor | None, weight: Tensor, K: int) -> tuple[bool, Tensor | None]:
    """Tell whether a layer has this bias; else return it, if it is to be added by a layer of its own.

    That is an activation, what trains beside frozen weights, or no vector of K numbers.
    """
    if bias is None or not (tape.is_activation(bias) or tape.values.parameters([bias])):
        return False, None  # an exporter's zeros
    fits = bias.numel() == K and not tape.is_activation(bias) and (tape.trains(weight) or not tape.trains(bias))
    return fits, None if fits else bias


def _add(tape: Tape, out: Any, added: Tensor | None) -> None:
    """Record what an operator adds to its product as a layer."""
    names = () if added is None else tape.values.parameters([added])
    if added is None or not (names or tape.is_activation(added)):
        return
    # Both as the layers that made them: the sum has a gradient where autograd does not know of the product yet.
    made = tape.layers[-1]
    others = [tape.read(added)] if tape.is_activation(added) else []
    kind: VectorKind = "add" if all(broadcasts(tape.shapes[one], made.output_shape) for one in others) else "other"
    tape.write(out, tape.vector(kind, "add", (made.id, *others), made.output_shape, None, [added]))


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
    scores = emit_matmul(tape, "query_key", query, key, heads, length, features, others)
    biases = [tape.read(one) for one in call.tensors[3:] if tape.is_activation(one)]
    shares = tape.vector("softmax", "softmax", (scores, *biases), (heads, length, others), None, call.tensors[3:])
    emit_matmul(tape, "attention_value", shares, value, heads, length, others, width, call.outputs[0])
