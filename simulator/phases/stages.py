"""What a batch does in each phase (paper, sections 3.2 to 3.4), layer by layer, on any design.

A stage is one visit to one layer: the passes of the layer itself, then the predictor's passes that
wait for them. Designs decide on which array and in which order these run.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from workloads.graph import needs_input_gradient
from workloads.layers import MacLayer, Matmul, VectorKind
from workloads.passes import Pass
from workloads.schedule import Phase
from workloads.trace import Trace
from workloads.vectors import vectors_behind


@dataclass(frozen=True, slots=True)
class Stage:
    """One visit to the layer `layer` (an index into `Trace.mac_layers`)."""

    layer: int
    main: tuple[Pass, ...]
    predictor: tuple[Pass, ...] = ()

    @property
    def backward(self) -> bool:
        """Whether this is a visit of the backward pass."""
        return "forward" not in self.main


@dataclass(frozen=True, slots=True)
class LayerFacts:
    """What the phases need to know of a layer; `has_weights` means those that train."""

    predicted: bool
    updated: bool
    has_weights: bool
    needs_dgrad: bool
    has_vectors: bool = False


def layer_facts(trace: Trace, costed: Sequence[VectorKind] = ()) -> list[LayerFacts]:
    """Return the facts of each layer with multiply-accumulates; `costed` kinds of others run behind them.

    Layers that share weights leave the update, and the prediction, to the layer that owns them. Frozen weights have
    no wgrad and no update.
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
    updated = layer.shares_weights_with is None and layer.trainable
    return LayerFacts(
        predicted=layer.predicted and updated, updated=updated, has_weights=layer.trainable, needs_dgrad=needs_dgrad
    )


def _forward(fact: LayerFacts) -> tuple[Pass, ...]:
    return ("forward", "vector_forward") if fact.has_vectors else ("forward",)


def _backpropagation(facts: list[LayerFacts]) -> list[Stage]:
    """Warm Up and Phase BP: predict after each forward, train the predictor after each true gradient."""
    forward = [
        Stage(index, _forward(fact), ("predictor_forward",) if fact.predicted else ())
        for index, fact in enumerate(facts)
    ]
    return forward + _backward(facts, with_update=True)


def _gradient_prediction(facts: list[LayerFacts]) -> list[Stage]:
    """Phase GP: a layer's weights are updated by the prediction; nothing goes backward."""
    return [
        Stage(index, _forward(fact), ("predictor_forward", "update") if fact.predicted else ())
        for index, fact in enumerate(facts)
    ]


def _forward_alone(facts: list[LayerFacts]) -> list[Stage]:
    """Inference: the forward pass, and nothing else."""
    return [Stage(index, _forward(fact)) for index, fact in enumerate(facts)]


def _decoupled(facts: list[LayerFacts]) -> list[Stage]:
    """DNI: update by the prediction, then backpropagate all the same to train the predictor."""
    return _gradient_prediction(facts) + _backward(facts, with_update=False)


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


@dataclass(frozen=True, slots=True)
class PhaseRules:
    """What a batch of a phase is.

    Attributes
    ----------
    title : str
        Name in tables and pictures.
    batch : Phase
        The phase whose batch is the same: Warm Up runs the batch of Phase BP.
    stages : callable
        Makes the stages of a batch from the facts of the layers.
    goes_backward : bool
        Whether outputs are kept for a backward pass.
    trains_predictor : bool
        Whether predictions are kept until the true gradients are there.
    trains : bool
        Whether weights change, so that there is something to train them with.
    """

    title: str
    batch: Phase
    stages: Callable[[list[LayerFacts]], list[Stage]]
    goes_backward: bool
    trains_predictor: bool
    trains: bool = True


_BP = PhaseRules("Phase BP", "bp", _backpropagation, goes_backward=True, trains_predictor=True)
PHASE_RULES: dict[Phase, PhaseRules] = {
    "warm_up": replace(_BP, title="Warm Up"),
    "bp": _BP,
    "gp": PhaseRules("Phase GP", "gp", _gradient_prediction, goes_backward=False, trains_predictor=False),
    "dni": PhaseRules("DNI", "dni", _decoupled, goes_backward=True, trains_predictor=True),
    "inference": PhaseRules(
        "Inference", "inference", _forward_alone, goes_backward=False, trains_predictor=False, trains=False
    ),
}
BACKPROPAGATION: Phase = "bp"  # the batch of a training run without ADA-GP


def stages_of(facts: list[LayerFacts], phase: Phase) -> list[Stage]:
    """Return the stages of one batch in a phase."""
    return PHASE_RULES[phase].stages(facts)
