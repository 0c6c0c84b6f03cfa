"""How many bytes lie in DRAM at once in a batch of each phase."""

from math import prod

from simulator.spec import Accelerator
from workloads.graph import peak_live_words
from workloads.layers import Conv2d, Linear, VectorLayer
from workloads.optimizers import OPTIMIZERS
from workloads.schedule import Phase
from workloads.trace import Trace


def peak_dram_bytes(trace: Trace, spec: Accelerator, phase: Phase) -> int:
    """Return the most bytes that lie in DRAM at once in a batch.

    Weights, their optimizer's state and the whole predictor are always there. A batch with a backward pass keeps the
    network's inputs and the output of every layer with multiply-accumulates (others work in place or
    are made again), one weight gradient and two activation gradients at a time, and the
    predictions until they are compared. A GP batch keeps what a later layer still reads.
    """
    owners = [
        layer for layer in trace.layers if isinstance(layer, Conv2d | Linear) and layer.shares_weights_with is None
    ]
    weights = [layer.product_shape(1).weight_words for layer in owners]
    others = sum(layer.parameters for layer in trace.layers if isinstance(layer, VectorLayer))
    states = OPTIMIZERS[trace.optimizer].state_words
    words = (sum(weights) + others) * (1 + states)
    rules = spec.design_rules
    with_predictor = rules.predictor_home is not None
    if with_predictor:
        moments = OPTIMIZERS[trace.predictor.optimizer].state_words
        words += trace.predictor.total_weight_words * (1 + moments)
    if rules.runs_as(phase) == "gp":
        words += trace.batch_size * peak_live_words(trace.layers, trace.inputs)
        words += max(weights, default=0)
    else:
        outputs = [layer.product_shape(trace.batch_size).output_words for layer in trace.mac_layers]
        inputs = [layer.product_shape(trace.batch_size).input_words for layer in trace.mac_layers]
        words += trace.batch_size * sum(prod(shape) for shape in trace.inputs.values())
        words += sum(outputs) + max(a + b for a, b in zip(inputs, outputs, strict=True)) + max(weights, default=0)
        if with_predictor:
            words += sum(w for w, layer in zip(weights, owners, strict=True) if layer.predicted)
    return words * spec.precision.word_bits // 8
