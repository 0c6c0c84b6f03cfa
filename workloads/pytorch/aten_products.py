"""Record the operators with multiply-accumulates: convolutions, matrix products, attention."""

from typing import Any

import torch

from workloads.layers import Conv2d, Linear, Matmul, VectorLayer
from workloads.pytorch.aten_call import Call, record_other, records
from workloads.pytorch.tape import Tape


@records("convolution", "convolution_overrideable")
def convolution(tape: Tape, call: Call) -> None:
    """``convolution(image, weight, bias, stride, padding, dilation, transposed, output_padding, groups)``."""
    image, weight, bias, stride, padding, dilation, transposed, _, groups = call.args[:9]
    missing = 4 - image.dim()  # a one-dimensional convolution is one of height 1
    windows, rest = divmod(image.shape[0], tape.batch_size)
    if transposed or missing not in (0, 1) or rest or not _is_weight(tape, weight) or not tape.is_activation(image):
        _lost_product(tape, call)
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
        groups=groups, bias=bias is not None,
    )  # fmt: skip
    tape.emit_weighted(layer, call.out, weight)


def _pair(values: list[int], missing: int, neutral: int) -> tuple[int, int]:
    extents = [neutral] * missing + list(values) * (2 if len(values) == 1 and not missing else 1)
    return extents[0], extents[1]


@records("mm")
def mm(tape: Tape, call: Call) -> None:
    """``mm(left, right)``."""
    _product(tape, call, call.args[0], call.args[1], bias=None)


@records("addmm", "baddbmm")
def addmm(tape: Tape, call: Call) -> None:
    """``addmm(added, left, right)``."""
    _product(tape, call, call.args[1], call.args[2], bias=call.args[0])


@records("bmm", "mv", "dot")
def bmm(tape: Tape, call: Call) -> None:
    """``bmm(left, right)`` of G matrices, or of a vector."""
    _product(tape, call, call.args[0], call.args[1], bias=None)


def _is_weight(tape: Tape, tensor: torch.Tensor) -> bool:
    return not tape.is_activation(tensor) and bool(tape.constant(tensor).parameters)


def _product(tape: Tape, call: Call, left: torch.Tensor, right: torch.Tensor, bias: torch.Tensor | None) -> None:
    if _is_weight(tape, right) and (right.dim() == 2 or right.stride(0) == 0):
        _linear(tape, call, left, right, right.shape[-2], right.shape[-1], bias)
    elif _is_weight(tape, left) and left.dim() == 2:
        _linear(tape, call, right, left, left.shape[1], left.shape[0], bias)
    elif _is_weight(tape, right) and right.dim() == 3 and bias is None:
        _grouped(tape, call, left, right, right.shape[1], right.shape[2])
    elif _is_weight(tape, left) and left.dim() == 3 and bias is None:
        _grouped(tape, call, right, left, left.shape[2], left.shape[1])
    elif _is_weight(tape, left) or _is_weight(tape, right) or right.dim() == 1:
        _lost_product(tape, call)
    else:
        _matmul(tape, call, left, right, bias)


def _linear(
    tape: Tape, call: Call, vectors: torch.Tensor, weight: torch.Tensor, C: int, K: int, bias: torch.Tensor | None
) -> None:
    L, rest = divmod(vectors.numel() // C, tape.batch_size)
    if rest:
        _lost_product(tape, call)
        return
    source = tape.read(vectors, (C,) if L == 1 else (L, C), any_shape=True)
    has_bias = bias is not None and not tape.is_activation(bias)
    layer = Linear(id="new", kind="linear", inputs=(source,), L=L, C=C, K=K, bias=has_bias)
    tape.emit_weighted(layer, call.out, weight)
    _add_activation(tape, call, bias)


def _grouped(tape: Tape, call: Call, vectors: torch.Tensor, weight: torch.Tensor, C: int, K: int) -> None:
    """Record G products with a weight each as a convolution of 1 x 1 in G groups, its rows the image's."""
    groups = weight.shape[0]
    rows, rest = divmod(vectors.numel() // (groups * C), tape.batch_size)
    if rest:
        _lost_product(tape, call)
        return
    layer = Conv2d(
        id="new", kind="conv2d", inputs=(tape.read(vectors, (groups * C, rows, 1)),), C=groups * C, H=rows, W=1,
        K=groups * K, R=1, S=1, P=rows, Q=1, groups=groups,
    )  # fmt: skip
    tape.emit_weighted(layer, call.out, weight)


def _matmul(tape: Tape, call: Call, left: torch.Tensor, right: torch.Tensor, added: torch.Tensor | None) -> None:
    M, C, K = left.shape[-2], left.shape[-1], right.shape[-1]
    G = left.shape[0] if left.dim() == 3 else 1
    if G % tape.batch_size == 0:
        G //= tape.batch_size
    elif M % tape.batch_size == 0:
        M //= tape.batch_size
        tape.note("a matrix product mixes the samples of a batch; recorded as one product a sample", tape.here)
    else:
        _lost_product(tape, call)
        return
    operands = ((left, (G, M, C)), (right, (G, C, K)))
    inputs = tuple(tape.read(one, shape, any_shape=True) for one, shape in operands if tape.is_activation(one))
    if len(inputs) == 1:
        tape.note("an operand of a matrix product is a constant; recorded as if it were an activation", tape.here)
    tape.emit(Matmul(id="new", kind="matmul", inputs=inputs, G=G, M=M, C=C, K=K), call.out, call.op)
    _add_activation(tape, call, added)


def _add_activation(tape: Tape, call: Call, added: torch.Tensor | None) -> None:
    """Record what the operator adds to its product as a layer, where it is an activation."""
    if added is not None and tape.is_activation(added):
        shape = tape.sample_shape(call.out)
        layer = VectorLayer(id="new", kind="add", op="add", inputs=(tape.read(call.out), tape.read(added)), shape=shape)
        tape.write(call.out, tape.emit(layer, None, "add"))


def _lost_product(tape: Tape, call: Call) -> None:
    record_other(tape, call)
    tape.note(f"the multiply-accumulates of {call.op} are missing", tape.here)


@records(
    "scaled_dot_product_flash_attention", "scaled_dot_product_flash_attention_for_cpu",
    "scaled_dot_product_efficient_attention", "scaled_dot_product_cudnn_attention",
    "scaled_dot_product_fused_attention_overrideable",
)  # fmt: skip
def attention(tape: Tape, call: Call) -> None:
    """``attention(query, key, value, ...)``, each (N, heads, L, features): two products, a softmax between them."""
    query, key, value = call.args[:3]
    heads, length, features = query.shape[1:]
    others, width = key.shape[2], value.shape[3]
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
