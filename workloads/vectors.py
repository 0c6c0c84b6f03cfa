"""What layers without multiply-accumulates do in training: operations, and tensors read and written.

Counts are a word of the layer's input or output, whichever has more words; a tensor is as large as the layer's inputs
(all of them) or its output. Normalisation over a batch needs its input twice, since its statistics come first; one over
a row keeps the row. Nothing is fused: every layer reads its input from DRAM and writes its output.
"""

from dataclasses import dataclass
from math import prod
from typing import Literal

from workloads.layers import Layer, VectorKind, VectorLayer
from workloads.trace import Trace


@dataclass(frozen=True, slots=True)
class VectorCost:
    """Operations a word, and how many times inputs and the output are read and written (the latter as gradients)."""

    operations: int
    inputs_read: int
    outputs_read: int
    inputs_written: int
    outputs_written: int


Direction = Literal["forward", "backward"]
NOTHING = VectorCost(0, 0, 0, 0, 0)
COSTS: dict[VectorKind, dict[Direction, VectorCost]] = {
    # forward: Y = f(X); backward: dX = dY where Y > 0 (Y and dY are both as large as the output)
    "activation": {"forward": VectorCost(1, 1, 0, 0, 1), "backward": VectorCost(1, 0, 2, 1, 0)},
    # a gradient of a sum is the gradient itself
    "add": {"forward": VectorCost(1, 1, 0, 0, 1), "backward": NOTHING},
    # forward: sums of x and x^2, then scale and shift; backward: sums of dy and dy x, then three terms of dx
    "batch_norm": {"forward": VectorCost(4, 2, 0, 0, 1), "backward": VectorCost(8, 2, 2, 1, 0)},
    "concat": {"forward": NOTHING, "backward": NOTHING},
    "dropout": {"forward": VectorCost(1, 1, 0, 0, 1), "backward": VectorCost(1, 0, 1, 1, 0)},
    "layer_norm": {"forward": VectorCost(4, 1, 0, 0, 1), "backward": VectorCost(8, 1, 1, 1, 0)},
    "multiply": {"forward": VectorCost(1, 1, 0, 0, 1), "backward": VectorCost(2, 1, 1, 1, 0)},
    "other": {"forward": NOTHING, "backward": NOTHING},
    # a window's words are met once; backward the gradient goes to where the largest was, or to all
    "pool": {"forward": VectorCost(1, 1, 0, 0, 1), "backward": VectorCost(1, 1, 1, 1, 0)},
    "reshape": {"forward": NOTHING, "backward": NOTHING},
    "select": {"forward": NOTHING, "backward": NOTHING},
    # largest, exponential, sum, quotient; backward: sum of y dy, and y (dy - sum)
    "softmax": {"forward": VectorCost(4, 1, 0, 0, 1), "backward": VectorCost(4, 0, 2, 1, 0)},
}


@dataclass(frozen=True, slots=True)
class VectorWork:
    """One direction of one layer, for a batch."""

    operations: int
    read_words: int
    written_words: int


def vector_work(layer: VectorLayer, direction: Direction, trace: Trace) -> VectorWork:
    """Return what a layer does in a batch of a trace."""
    shapes: dict[str, tuple[int, ...]] = dict(trace.inputs) | {one.id: one.output_shape for one in trace.layers}
    inputs = trace.batch_size * sum(prod(shapes[name]) for name in layer.inputs)
    outputs = trace.batch_size * prod(layer.shape)
    cost = COSTS[layer.kind][direction]
    return VectorWork(
        cost.operations * max(inputs, outputs),
        cost.inputs_read * inputs + cost.outputs_read * outputs,
        cost.inputs_written * inputs + cost.outputs_written * outputs,
    )


def vectors_behind(layers: tuple[Layer, ...], mac_layer: str) -> list[VectorLayer]:
    """Return the layers between one with multiply-accumulates and the next; those before the first belong to it."""
    found: dict[str, list[VectorLayer]] = {}
    waiting: list[VectorLayer] = []  # those behind the layer that was met last
    for layer in layers:
        if isinstance(layer, VectorLayer):
            waiting.append(layer)
            continue
        if found:
            waiting = []
        found[layer.id] = waiting
    return found.get(mac_layer, [])
