"""How many bytes lie in DRAM at once in a batch of each phase."""

from collections.abc import Iterable
from math import prod

from simulator.batch.residency import Residency
from simulator.machine.spec import Accelerator
from simulator.phases.design import batch_kind
from simulator.phases.stages import PHASE_RULES
from workloads.graph import peak_live_words
from workloads.layers import Conv2d, Linear, VectorLayer
from workloads.optimizers import OPTIMIZERS
from workloads.schedule import Phase
from workloads.trace import Trace


def peak_dram_bytes(trace: Trace, spec: Accelerator, phase: Phase) -> int:
    """Return the most bytes that lie in DRAM at once in a batch.

    Always there: master weights and their optimizer's state, words for the passes where those are wider, and the
    tensors of the predictor (weights, moments) that have no place on the chip. A batch with a backward pass keeps the
    network's inputs and the output of every layer with multiply-accumulates (others work in place or are made again),
    the gradients of one layer's input and output, one weight gradient (two where a second array trains the predictor on
    the one before), and until the predictor is trained all predictions, pooled means and features. A GP batch keeps
    what a later layer still reads and one prediction. A batch that trains nothing keeps the words of the weights and
    what a later layer still reads.
    """
    owners = [
        layer for layer in trace.layers if isinstance(layer, Conv2d | Linear) and layer.shares_weights_with is None
    ]
    weights = [layer.product_shape(1).weight_words for layer in owners]
    others = sum(layer.parameters for layer in trace.layers if isinstance(layer, VectorLayer))
    rules = PHASE_RULES[batch_kind(spec.design_rules, phase)]
    if not rules.trains:
        live = trace.batch_size * peak_live_words(trace.layers, trace.inputs)
        return (sum(weights) + others + live) * spec.precision.word_bits // 8
    wide = spec.precision.master_words
    words = (sum(weights) + others) * (wide + (wide > 1))
    moving = [words for layer, words in zip(owners, weights, strict=True) if layer.trainable]
    moving += [layer.parameters for layer in trace.layers if isinstance(layer, VectorLayer) and layer.trainable]
    words += sum(moving) * wide * OPTIMIZERS[trace.optimizer].state_words  # frozen ones have no state
    predicted = [layer for layer in owners if layer.predicted] if spec.design_rules.predictor_home is not None else []
    words += _predictor_words(trace, spec, predicted)
    if not rules.goes_backward:
        words += trace.batch_size * peak_live_words(trace.layers, trace.inputs) + max(weights, default=0)
    else:
        shapes = [layer.product_shape(trace.batch_size) for layer in trace.mac_layers]
        words += trace.batch_size * sum(prod(shape) for shape in trace.inputs.values())
        words += sum(shape.output_words for shape in shapes)
        words += max(shape.input_words + shape.output_words for shape in shapes)
        words += len(spec.arrays) * max(weights, default=0)
        kept = [trace.predictor.conv_shape(layer) for layer in predicted]
        words += sum(layer.product_shape(1).weight_words for layer in predicted)
        words += sum(shape.input_words + shape.output_words for shape in kept)
    return words * spec.precision.word_bits // 8


def largest_batch(trace: Trace, spec: Accelerator, phases: Iterable[Phase]) -> int:
    """Return the most samples of a batch, up to the trace's own, that DRAM holds in every phase; 0 if it holds none."""
    kinds = tuple(phases)

    def fits(samples: int) -> bool:
        batch = trace.with_batch_size(samples)
        return all(peak_dram_bytes(batch, spec, phase) <= spec.dram.capacity_bytes for phase in kinds)

    most, too_many = 0, trace.batch_size + 1
    while too_many - most > 1:
        middle = (most + too_many) // 2
        most, too_many = (middle, too_many) if fits(middle) else (most, middle)
    return most


def _predictor_words(trace: Trace, spec: Accelerator, predicted: list[Conv2d | Linear]) -> int:
    """Words of the predictor's weights, gradient and moments that DRAM holds."""
    if not predicted:
        return 0
    total, moments = trace.predictor.total_weight_words, OPTIMIZERS[trace.predictor.optimizer].state_words
    if spec.predictor_sram is None:  # at home in DRAM; the gradient lives on the chip or is streamed
        return total * (1 + moments)
    places = Residency(trace, spec, len(spec.arrays) - 1).predictor(predicted[0])
    return total * ((places.weights == "dram") + (places.gradient == "dram") + moments * (places.moments == "dram"))
