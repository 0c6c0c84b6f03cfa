"""A design whose steps are no batch is refused: what is left out, doubled, too early, or on an array that is not there.

Each bad design is one of the shipped ones with one thing wrong. Without the check most of them run, and gain by it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import pytest
from registries import DESIGNS

from simulator.phases.checked_steps import checked_steps
from simulator.phases.design import Design, Step, Task, find_design
from simulator.phases.phase import PHASE_RULES, stages_of
from simulator.phases.stages import LayerFacts, Stage
from workloads.foundation.errors import InputError
from workloads.schedule import PHASES

FACTS = [
    LayerFacts(predicted=True, updated=True, has_weights=True, needs_dgrad=False),
    LayerFacts(predicted=False, updated=True, has_weights=True, needs_dgrad=True, has_vectors=True),
    LayerFacts(predicted=False, updated=False, has_weights=False, needs_dgrad=True),
    LayerFacts(predicted=True, updated=True, has_weights=True, needs_dgrad=True),
]
LAYERS = ["a", "b", "c", "d"]


@dataclass
class Bad:
    """A shipped design with its steps changed."""

    of: Design
    change: Callable[[list[Step]], list[Step]]
    components: frozenset = field(default_factory=frozenset)
    predictor_home: str | None = None

    def __post_init__(self) -> None:
        self.name, self.components, self.predictor_home = self.of.name, self.of.components, self.of.predictor_home

    def steps(self, stages: Sequence[Stage]) -> list[Step]:
        return self.change(self.of.steps(stages))


def without(*passes: str) -> Callable[[list[Step]], list[Step]]:
    def change(steps: list[Step]) -> list[Step]:
        keep = [tuple(task for task in row if task.pass_ not in passes) for step in steps for row in (step.first,)]
        return [replace(step, first=first) for step, first in zip(steps, keep, strict=True)]

    return change


def swapped(one: str, other: str) -> Callable[[list[Step]], list[Step]]:
    def change(steps: list[Step]) -> list[Step]:
        found = []
        for step in steps:
            row = list(step.first)
            names = [task.pass_ for task in row]
            if one in names and other in names:
                i, j = names.index(one), names.index(other)
                row[i], row[j] = row[j], row[i]
            found.append(replace(step, first=tuple(row)))
        return found

    return change


def to_the_front(name: str) -> Callable[[list[Step]], list[Step]]:
    """Run a pass before the others of its step."""
    return lambda steps: [replace(s, first=tuple(sorted(s.first, key=lambda t: t.pass_ != name))) for s in steps]


def beside(*passes: str) -> Callable[[list[Step]], list[Step]]:
    """Run passes on the second array, beside what they read."""

    def change(steps: list[Step]) -> list[Step]:
        return [
            Step(tuple(t for t in s.first if t.pass_ not in passes), tuple(t for t in s.first if t.pass_ in passes))
            for s in steps
        ]

    return change


def with_task(task: Task) -> Callable[[list[Step]], list[Step]]:
    return lambda steps: [*steps, Step((task,))]


@pytest.mark.parametrize("name", DESIGNS)
@pytest.mark.parametrize("phase", PHASES)
def test_shipped_designs_pass_in_every_phase_whole_and_in_part(name: str, phase: str) -> None:
    design = find_design(name)
    kind = PHASE_RULES[design.runs_as(phase)].same_as
    stages = stages_of(FACTS, kind)
    whole = checked_steps(design, stages, LAYERS)
    assert sum(len(step.first) + len(step.second) for step in whole) == sum(
        len(step.first) + len(step.second) for step in design.steps(stages)
    )
    for cut in range(len(stages) + 1):
        checked_steps(design, stages[:cut], LAYERS)
        checked_steps(design, stages[cut:], LAYERS)


@pytest.mark.parametrize(
    ("of", "phase", "change", "layer", "words"),
    [
        ("efficient", "bp", without("wgrad"), "d", "wgrad is left out"),
        ("efficient", "gp", without("update"), "a", "update is left out"),
        ("baseline", "bp", without("vector_backward"), "b", "vector_backward is left out"),
        ("low", "gp", without("predictor_store"), "a", "predictor_store is left out"),
        ("low", "bp", without("predictor_load"), "a", "predictor_load is left out"),
        ("efficient", "bp", with_task(Task(1, "forward")), "b", "forward runs twice"),
        ("efficient", "gp", with_task(Task(1, "wgrad", True)), "b", "wgrad is not a part of this batch"),
        ("baseline", "bp", with_task(Task(0, "predictor_forward")), "a", "predictor_forward is not a part"),
        ("efficient", "bp", lambda steps: steps[::-1], "b", "forward does not wait for forward of layer a"),
        ("efficient", "gp", swapped("forward", "predictor_forward"), "a", "predictor_forward does not wait for"),
        ("efficient", "gp", swapped("predictor_forward", "update"), "a", "update does not wait for predictor_forward"),
        ("efficient", "bp", to_the_front("predictor_backward"), "d", "predictor_backward does not wait for wgrad"),
        ("efficient", "bp", swapped("predictor_backward", "predictor_update"), "d", "predictor_update does not wait"),
        ("efficient", "bp", swapped("update", "wgrad"), "d", "update after the true gradient does not wait for wgrad"),
        ("baseline", "bp", swapped("update", "dgrad"), "d", "update after the true gradient does not wait for dgrad"),
        ("baseline", "bp", swapped("vector_backward", "dgrad"), "b", "dgrad does not wait for vector_backward"),
        ("low", "gp", swapped("predictor_store", "update"), "a", "update does not wait for predictor_store"),
        ("low", "gp", swapped("predictor_load", "predictor_forward"), "a", "predictor_forward does not wait for"),
        ("efficient", "gp", beside("predictor_forward"), "a", "predictor_forward runs on a second array"),
    ],
)  # fmt: skip
def test_a_bad_design_is_refused(of: str, phase: str, change: Callable, layer: str, words: str) -> None:
    bad = Bad(find_design(of), change)
    with pytest.raises(InputError) as error:
        checked_steps(bad, stages_of(FACTS, phase), LAYERS)
    assert str(error.value).startswith(f"design {of}: {layer}: {words}")


def test_arrays_of_one_step_do_not_wait_for_each_other() -> None:
    """MAX with the predictor beside its own layer, as if its outputs were there: refused."""
    bad = Bad(find_design("max"), lambda steps: steps)
    bad.steps = lambda stages: [  # type: ignore[method-assign]
        Step(tuple(Task(s.layer, p) for p in s.main), tuple(Task(s.layer, p) for p in s.predictor)) for s in stages
    ]
    with pytest.raises(InputError, match="design max: a: predictor_forward does not wait for forward"):
        checked_steps(bad, stages_of(FACTS, "gp"), LAYERS)


def test_predictions_and_true_gradients_are_updates_of_different_layers_in_dni() -> None:
    """DNI updates predicted layers (a, d) by their predictions, and the others (b) after the true gradient."""
    stages = stages_of(FACTS, "dni")
    updates = [(s.layer, "forward" in s.main) for s in stages if "update" in (*s.main, *s.predictor)]
    assert updates == [(0, True), (3, True), (1, False)]


def test_low_stores_a_prediction_before_the_update_that_reads_it() -> None:
    rows = [[t.pass_ for t in step.first] for step in find_design("low").steps(stages_of(FACTS, "gp"))]
    assert rows[0] == ["forward", "predictor_load", "predictor_forward", "predictor_store", "update"]
