"""Count the multiply-accumulates of ONNX operators that a trace has no layer for."""

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

from workloads.importers.onnx.einsum import extents_of

_Count = Callable[[Sequence[Any], Any, Mapping[str, Any]], int]


def _convolution(weight: int) -> _Count:
    """Every element of the result is a sum over one filter."""
    return lambda inputs, out, _: out.numel() * prod(inputs[weight].shape[1:])


def _transposed(inputs: Sequence[Any], out: Any, attributes: Mapping[str, Any]) -> int:
    """Every element of the input is spread by one filter."""
    return inputs[0].numel() * prod(inputs[1].shape[1:])


def _matmul(left: int = 0) -> _Count:
    return lambda inputs, out, _: out.numel() * inputs[left].shape[-1]


def _gemm(inputs: Sequence[Any], out: Any, attributes: Mapping[str, Any]) -> int:
    return out.numel() * inputs[0].shape[0 if attributes.get("transA", 0) else 1]


def _einsum(inputs: Sequence[Any], out: Any, attributes: Mapping[str, Any]) -> int:
    return prod(extents_of(attributes["equation"], [one.shape for one in inputs]).values())


def _recurrent(inputs: Sequence[Any], out: Any, attributes: Mapping[str, Any]) -> int:
    rows = prod(inputs[0].shape[:2])
    return rows * (inputs[1].numel() + inputs[2].numel())


def _attention(inputs: Sequence[Any], out: Any, attributes: Mapping[str, Any]) -> int:
    query, key = inputs[:2]
    heads = prod(query.shape[1:-2]) if query.dim() == 4 else 1
    scores = query.shape[0] * heads * query.shape[-2] * key.shape[-2] * query.shape[-1]
    return scores + out.numel() * key.shape[-2]


_COUNTS: dict[str, _Count] = {
    "Conv": _convolution(1), "ConvInteger": _convolution(1), "QLinearConv": _convolution(3),
    "DeformConv": _convolution(1), "ConvTranspose": _transposed, "CausalConvWithState": _convolution(1),
    "MatMul": _matmul(), "MatMulInteger": _matmul(), "QLinearMatMul": _matmul(), "Gemm": _gemm, "Einsum": _einsum,
    "LSTM": _recurrent, "GRU": _recurrent, "RNN": _recurrent, "Attention": _attention,
}  # fmt: skip


def counts_macs(kind: str) -> bool:
    """Tell whether an operator is one with multiply-accumulates."""
    return kind in _COUNTS


def count_macs(kind: str, inputs: Sequence[Any], out: Any, attributes: Mapping[str, Any]) -> int:
    """Return the multiply-accumulates of an operator; 0 where nobody counts them."""
    return _COUNTS[kind](inputs, out, attributes) if kind in _COUNTS else 0
