"""What batches consist of (paper, sections 3.2 to 3.4), layer by layer, on any design.

A stage is one visit to one layer: the passes of the layer itself, then the predictor's passes that wait for them.
`simulator.phases.phase` says which phase has which stages. A design decides on which array and in which order they run.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from workloads.graph import needs_input_gradient
from workloads.layers import MacLayer, Matmul, VectorKind
from workloads.passes import Pass
from workloads.trace import Trace
from workloads.vectors import vectors_behind


@dataclass(frozen=True, slots=True)
class Stage:
    """One visit to the layer `layer` (an index into `Trace.mac_layers`)."""

    layer: int
    main: tuple[Pass, ...]
    predictor: tuple[Pass, ...] = ()


@dataclass(frozen=True, slots=True)
class LayerFacts:
    """What the phases need to know of a layer."""

    predicted: bool
    updated: bool
    has_weights: bool
    needs_dgrad: bool
    has_vectors: bool = False


def layer_facts(trace: Trace, costed: Sequence[VectorKind] = ()) -> list[LayerFacts]:
    """Return the facts of each layer with multiply-accumulates; `costed` kinds of others run behind them.

    Layers that share weights leave the update, and the prediction, to the layer that owns them.
    """
    needed = needs_input_gradient(trace.layers)
    return [
        replace(_facts(layer, needed[layer.id]), has_vectors=any(
            one.kind in costed for one in (vectors_behind(trace.layers, layer.id) if costed else ())
        ))
        for layer in trace.mac_layers
    ]  # fmt: skip


def _facts(layer: MacLayer, needs_dgrad: bool) -> LayerFacts:
    if isinstance(layer, Matmul):
        return LayerFacts(predicted=False, updated=False, has_weights=False, needs_dgrad=needs_dgrad)
    owns = layer.shares_weights_with is None
    return LayerFacts(predicted=layer.predicted and owns, updated=owns, has_weights=True, needs_dgrad=needs_dgrad)


def _forward(fact: LayerFacts) -> tuple[Pass, ...]:
    return ("forward", "vector_forward") if fact.has_vectors else ("forward",)


def backpropagation(facts: list[LayerFacts]) -> list[Stage]:
    """Return the stages of Warm Up and BP: predict after each forward, train the predictor after each true gradient."""
    forward = [
        Stage(index, _forward(fact), ("predictor_forward",) if fact.predicted else ())
        for index, fact in enumerate(facts)
    ]
    return forward + _backward(facts, with_update=True)


def gradient_prediction(facts: list[LayerFacts]) -> list[Stage]:
    """Return the stages of GP: a layer's weights are updated by the prediction; nothing goes backward."""
    return [
        Stage(index, _forward(fact), ("predictor_forward", "update") if fact.predicted else ())
        for index, fact in enumerate(facts)
    ]


def decoupled(facts: list[LayerFacts]) -> list[Stage]:
    """Return the stages of DNI: update by the prediction, then go backward all the same to train the predictor."""
    return gradient_prediction(facts) + _backward(facts, with_update=False)


def _backward(facts: list[LayerFacts], with_update: bool) -> list[Stage]:
    stages = []
    for index, fact in reversed(list(enumerate(facts))):
        updates = fact.updated and (with_update or not fact.predicted)
        wanted: list[tuple[Pass, bool]] = [
            ("vector_backward", fact.has_vectors), ("dgrad", fact.needs_dgrad), ("wgrad", fact.has_weights),
            ("update", updates),
        ]  # fmt: skip
        main = tuple(name for name, needed in wanted if needed)
        trained: tuple[Pass, ...] = ("predictor_backward", "predictor_update") if fact.predicted else ()
        if main:
            stages.append(Stage(index, main, trained))
    return stages
