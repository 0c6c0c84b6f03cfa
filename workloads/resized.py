"""The Transformer with longer sentences, YOLO-v3 with larger images: layers with multiply-accumulates alone change."""

from workloads.layers import Conv2d, Layer, Linear, Matmul
from workloads.trace import Trace

_RECORDED_TOKENS = 32
_RECORDED_SIDE = 416
_COARSEST = 32  # pixels of a side for one position of YOLO-v3's coarsest grid


def with_tokens(trace: Trace, tokens: int) -> Trace:
    """Return `transformer-multi30k` with sentences of another length.

    A linear layer runs over tokens; of attention's two products the first makes tokens x tokens out of a head's
    words, the second takes them.
    """
    return trace.model_copy(update={"layers": tuple(_with_tokens(layer, tokens) for layer in trace.layers)})


def _with_tokens(layer: Layer, tokens: int) -> Layer:
    if isinstance(layer, Linear):
        assert layer.L == _RECORDED_TOKENS, "the shipped trace has 32 tokens"
        return layer.model_copy(update={"L": tokens})
    if isinstance(layer, Matmul):
        other = "K" if layer.id.endswith(".bmm") else "C"
        return layer.model_copy(update={"M": tokens, other: tokens})
    return layer


def with_image(trace: Trace, side: int) -> Trace:
    """Return `yolo-v3-voc` with square images of another side, a multiple of 32."""
    assert side % _COARSEST == 0, "every grid of YOLO-v3 must come out whole"
    layers = tuple(_with_image(layer, side) for layer in trace.layers)
    return trace.model_copy(update={"layers": layers, "inputs": {"x": (3, side, side)}})


def _with_image(layer: Layer, side: int) -> Layer:
    if not isinstance(layer, Conv2d):
        return layer
    sizes = {name: getattr(layer, name) * side // _RECORDED_SIDE for name in "HWPQ"}
    return layer.model_copy(update=sizes)
