"""Designs that leave a pass out, run it twice, too early, or on an array that is not there are refused."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from networks import make_trace

from simulator.batch.batches import Batches
from simulator.machine.spec import Accelerator
from simulator.machine.spec_loading import load_accelerator, load_designs
from simulator.phases.design import Design, Step, Task, designs
from simulator.phases.stages import PHASE_RULES, Stage
from workloads.foundation.errors import InputError
from workloads.schedule import Phase
from workloads.trace import Trace

CONV = {"kind": "conv2d", "C": 4, "H": 6, "W": 6, "K": 4, "R": 3, "S": 3, "P": 6, "Q": 6, "padding": (1, 1)}
RELU = {"kind": "activation", "op": "relu", "shape": (4, 6, 6)}
TRACE = make_trace([
    {"id": "a", "inputs": ("input",), **CONV}, {"id": "relu", "inputs": ("a",), **RELU},
    {"id": "b", "inputs": ("relu",), **CONV}, {"id": "c", "inputs": ("b",), **CONV, "predicted": False},
])  # fmt: skip
Change = Callable[[list[Step]], list[Step]]


class Changed:
    """A shipped design whose steps are changed."""

    def __init__(self, design: Design, change: Change) -> None:
        self.design, self.change = design, change
        self.name, self.description, self.rank = design.name, design.description, design.rank
        self.components, self.predictor_home = design.components, design.predictor_home

    def runs_as(self, phase: Phase) -> Phase:
        return self.design.runs_as(phase)

    def steps(self, stages: Sequence[Stage]) -> list[Step]:
        return self.change(self.design.steps(stages))


def spec_of(name: str) -> Accelerator:
    return load_accelerator(design=name, overrides=["vector_unit.costed=[activation]"])


def refused(monkeypatch: pytest.MonkeyPatch, name: str, phase: Phase, change: Change, trace: Trace = TRACE) -> str:
    """Return the error of a shipped design with changed steps."""
    monkeypatch.setitem(designs(), name, Changed(designs()[name], change))
    batches = Batches(trace, spec_of(name))
    with pytest.raises(InputError) as error:
        batches.run(batches.kind(phase))
    return str(error.value)


def without(task: Task) -> Change:
    def change(steps: list[Step]) -> list[Step]:
        return [Step(*(tuple(one for one in queue if one != task) for queue in (step.first, step.second)))
                for step in steps]  # fmt: skip

    return change


def first_of_all(task: Task) -> Change:
    return lambda steps: [Step((task,)), *without(task)(steps)]


def last_of_all(task: Task) -> Change:
    return lambda steps: [*without(task)(steps), Step((task,))]


def every_task() -> list[tuple[str, Phase, Task]]:
    return [
        (name, phase, task)
        for name, design in designs().items()
        for phase, rules in PHASE_RULES.items()
        if design.runs_as(phase) == phase and rules.batch == phase
        for step in Batches(TRACE, spec_of(name)).steps(phase)
        for task in (*step.first, *step.second)
    ]


def test_shipped_designs_pass() -> None:
    assert {name for name, _, _ in every_task()} == set(designs())


def test_a_task_that_is_left_out_or_runs_twice_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every task of every design and phase."""
    for name, phase, task in every_task():
        with monkeypatch.context() as place:
            named = f"design {name}: {task.pass_} of layer {'abc'[task.layer]}: "
            assert refused(place, name, phase, without(task)).startswith(named + "is left out")
        with monkeypatch.context() as place:
            assert refused(place, name, phase, lambda steps, t=task: [*steps, Step((t,))]).startswith(
                named + "runs 2 times"
            )


# What each pass reads, from the equations of training and not from the code: (pass that is moved, in the backward part,
# layer) to the front of the batch. The forward pass of the first layer and loads read nothing.
FREE = {("forward", 0), ("predictor_load", 0), ("predictor_load", 1)}


def test_a_task_before_what_it_reads_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, phase, task in every_task():
        if (task.pass_, task.layer) in FREE:
            continue
        with monkeypatch.context() as place:
            found = refused(place, name, phase, first_of_all(task))
            assert f"design {name}: {task.pass_} of layer {'abc'[task.layer]}: runs before" in found


@pytest.mark.parametrize(
    ("name", "phase", "task", "reader"),
    [
        # what is moved to the end of the batch, and the first task that reads it
        ("baseline", "bp", Task(0, "forward"), "vector_forward of layer a"),
        ("baseline", "bp", Task(0, "vector_forward"), "forward of layer b"),
        ("baseline", "bp", Task(2, "dgrad", True), "update of layer c"),  # dgrad reads the weights
        ("baseline", "bp", Task(1, "wgrad", True), "update of layer b"),
        ("baseline", "bp", Task(1, "dgrad", True), "update of layer b"),
        ("baseline", "bp", Task(0, "vector_backward", True), "wgrad of layer a"),
        ("low", "bp", Task(0, "predictor_load"), "predictor_forward of layer a"),
        ("low", "bp", Task(1, "predictor_load", True), "predictor_backward of layer b"),
        ("low", "gp", Task(1, "predictor_store"), "update of layer b"),  # a prediction goes to DRAM first
        ("low", "bp", Task(1, "predictor_store", True), "predictor_load of layer a"),
        ("low", "bp", Task(1, "predictor_store"), "predictor_backward of layer b"),
        ("efficient", "bp", Task(1, "predictor_forward"), "predictor_backward of layer b"),
        ("efficient", "bp", Task(1, "wgrad", True), "update of layer b"),
        ("efficient", "bp", Task(1, "predictor_backward", True), "predictor_update of layer b"),
        ("efficient", "bp", Task(1, "predictor_update", True), "predictor_backward of layer a"),
        ("efficient", "gp", Task(0, "predictor_forward"), "update of layer a"),
        ("efficient", "dni", Task(0, "predictor_forward"), "update of layer a"),
    ],
)
def test_what_a_task_reads_must_be_there(
    monkeypatch: pytest.MonkeyPatch, name: str, phase: Phase, task: Task, reader: str
) -> None:
    found = refused(monkeypatch, name, phase, last_of_all(task))
    assert found.startswith(f"design {name}: {reader}: runs before {task.pass_} of layer {'abc'[task.layer]} is done")


def test_a_visit_that_has_no_such_pass_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """The predictor of a waits for that of c: b between them is not predicted."""
    plain = {"b": {"predicted": False}}
    trace = make_trace([
        {"id": name, "inputs": (before,), **CONV, **plain.get(name, {})}
        for name, before in (("a", "input"), ("b", "a"), ("c", "b"))
    ])  # fmt: skip
    found = refused(monkeypatch, "efficient", "bp", last_of_all(Task(2, "predictor_update", True)), trace)
    assert found.startswith("design efficient: predictor_backward of layer a: runs before predictor_update of layer c")


def test_no_second_array_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    beside = lambda steps: [replace(steps[0], second=steps[1].first), *steps[2:]]  # noqa: E731
    assert refused(monkeypatch, "efficient", "bp", beside).startswith(
        "design efficient: forward of layer b: runs on a second array, which the design does not have"
    )


def test_arrays_of_a_step_do_not_wait_for_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """MAX with the predictor beside its own layer, not one stage behind."""

    def beside(steps: list[Step]) -> list[Step]:
        return [Step(steps[0].first, steps[1].second), Step(steps[1].first), *steps[2:]]

    found = refused(monkeypatch, "max", "gp", beside)
    assert found.startswith("design max: predictor_forward of layer a: runs before forward of layer a is done")


def test_only_one_array_uses_the_predictor_sram_in_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """In Phase GP the predictor's forward passes of two layers may run in any order, but not at once."""

    def at_once(steps: list[Step]) -> list[Step]:
        tasks = [task for step in steps for task in (*step.first, *step.second)]
        predictor = [Step((task,)) for task in tasks if task.pass_ == "predictor_forward"]
        ahead = [Step((task,)) for task in tasks if task.pass_ in ("forward", "vector_forward")]
        updates = [Step((), (task,)) for task in tasks if task.pass_ == "update"]
        return [*ahead, Step(predictor[0].first, predictor[1].first), *updates]

    assert refused(monkeypatch, "max", "gp", at_once).startswith(
        "design max: predictor_forward of layer a: uses the predictor SRAM in a step in which the other array uses it"
    )


@pytest.mark.parametrize("name", designs())
def test_steps_of_parts_of_a_batch_pass(name: str) -> None:
    """A pipeline gives a design the backward part alone, or some layers: what is elsewhere is not waited for."""
    (spec,) = (spec for spec in load_designs() if spec.design == name)
    batches = Batches(TRACE, spec)
    for kind in batches.kinds:
        stages = batches.stages(kind)
        for part in (stages[1:], [stage for stage in stages if stage.backward], stages[:1]):
            assert batches.part_cycles(kind, part) > 0 or not part
