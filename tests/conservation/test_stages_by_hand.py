"""The stages of each phase, written out: a layer of each kind, and what its two visits hold."""

import pytest

from simulator.phases.stages import PHASE_RULES, LayerFacts, Stage, stages_of
from workloads.passes import Pass
from workloads.schedule import Phase

# Six layers in the order of the forward pass.
FACTS = [
    LayerFacts(predicted=True, updated=True, has_weights=True, needs_dgrad=False),  # the first one
    LayerFacts(predicted=True, updated=True, has_weights=True, needs_dgrad=True, has_vectors=True),
    LayerFacts(predicted=False, updated=True, has_weights=True, needs_dgrad=True),  # trained by its gradient alone
    LayerFacts(predicted=False, updated=False, has_weights=True, needs_dgrad=True),  # of shared weights
    LayerFacts(predicted=False, updated=False, has_weights=False, needs_dgrad=True),  # a product of activations
    LayerFacts(predicted=False, updated=False, has_weights=False, needs_dgrad=False),  # one of data, or a frozen one
]
PREDICT: tuple[Pass, ...] = ("predictor_forward",)
TRAIN: tuple[Pass, ...] = ("predictor_backward", "predictor_update")


def forward(*predictor: Pass) -> list[Stage]:
    """Return the forward visits; those to the two layers that are predicted have these passes of the predictor."""
    second = Stage(1, ("forward", "vector_forward"), predictor)
    return [Stage(0, ("forward",), predictor), second, *(Stage(layer, ("forward",)) for layer in (2, 3, 4, 5))]


def backward(*update: Pass) -> list[Stage]:
    """Return the backward visits, where those to the two layers that are predicted end with `update` or without it.

    The last layer has nothing to do backward.
    """
    return [
        Stage(4, ("dgrad",)),
        Stage(3, ("dgrad", "wgrad")),
        Stage(2, ("dgrad", "wgrad", "update")),
        Stage(1, ("vector_backward", "dgrad", "wgrad", *update), TRAIN),
        Stage(0, ("wgrad", *update), TRAIN),
    ]


@pytest.mark.parametrize(
    ("phase", "expected"),
    [
        ("warm_up", forward(*PREDICT) + backward("update")),
        ("bp", forward(*PREDICT) + backward("update")),
        ("gp", forward(*PREDICT, "update")),
        # updated by the prediction, so not once more by the gradient; a layer without one has its gradient's update
        ("dni", forward(*PREDICT, "update") + backward()),
        ("inference", forward()),
    ],
)
def test_stages(phase: Phase, expected: list[Stage]) -> None:
    assert stages_of(FACTS, phase) == expected
    assert [stage.backward for stage in expected] == [False] * 6 + [True] * (len(expected) - 6)


def test_what_a_batch_of_a_phase_keeps_and_trains() -> None:
    """Outputs stay for a backward pass, predictions until the true gradients are there, which GP never has."""
    found = {
        phase: (rules.batch, rules.goes_backward, rules.trains_predictor, rules.trains)
        for phase, rules in PHASE_RULES.items()
    }
    assert found == {
        "warm_up": ("bp", True, True, True),
        "bp": ("bp", True, True, True),
        "gp": ("gp", False, False, True),
        "dni": ("dni", True, True, True),
        "inference": ("inference", False, False, False),
    }
