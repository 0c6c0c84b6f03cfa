"""The stages of a network: which layers, what crosses into them, what they keep."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod

from workloads.layers import Conv2d, Linear, VectorLayer
from workloads.trace import Trace


@dataclass(frozen=True, slots=True)
class NetworkStage:
    """Layers `first` to ``end - 1`` of `Trace.mac_layers`, and numbers of words.

    Attributes
    ----------
    entering_words : int
        A sample, of all tensors from earlier stages (or of the network's inputs) that this or a later stage reads.
    kept_words : int
        A sample, for the backward pass: what enters, and the output of every layer with multiply-accumulates.
    output_words : int
        A sample, of those outputs alone: as many gradients wait between the halves of a split backward pass.
    working_words : int
        A sample, of the layer with the largest input and output together: what a pass without a backward one holds.
    weight_words : int
        Weights and other parameters.
    """

    index: int
    first: int
    end: int
    entering_words: int
    kept_words: int
    output_words: int
    working_words: int
    weight_words: int


def network_stages(trace: Trace, cuts: Sequence[int]) -> tuple[NetworkStage, ...]:
    """Return the stages that begin at the layers `cuts` (with multiply-accumulates; the last entry is their number).

    Layers without multiply-accumulates belong to the stage of the one before them.
    """
    macs = trace.mac_layers
    position = {layer.id: index for index, layer in enumerate(trace.layers)}
    begins = [0, *(position[macs[cut].id] for cut in cuts[1:-1]), len(trace.layers)]
    stages = []
    for index, (first, end) in enumerate(pairwise(cuts)):
        layers = trace.layers[begins[index] : begins[index + 1]]
        entering = _crossing_words(trace, begins[index])
        shapes = [layer.product_shape(1) for layer in macs[first:end]]
        outputs = sum(shape.output_words for shape in shapes)
        weights = sum(
            layer.product_shape(1).weight_words
            for layer in layers
            if isinstance(layer, Conv2d | Linear) and layer.shares_weights_with is None
        )
        weights += sum(layer.parameters for layer in layers if isinstance(layer, VectorLayer))
        working = max(shape.input_words + shape.output_words for shape in shapes)
        stages.append(NetworkStage(index, first, end, entering, entering + outputs, outputs, working, weights))
    return tuple(stages)


def _crossing_words(trace: Trace, begin: int) -> int:
    """Return the elements a sample of tensors made before a layer and read there or later."""
    sizes = {name: prod(shape) for name, shape in trace.inputs.items()}
    sizes |= {layer.id: prod(layer.output_shape) for layer in trace.layers[:begin]}
    read = {name for layer in trace.layers[begin:] for name in layer.inputs}
    return sum(size for name, size in sizes.items() if name in read)
