"""The steps of a design, checked: every task exactly once, and none before what it reads.

`WAITS` says what each pass reads (docs/machine.md, "Designs"). It is a rule about training, so it is the same for all
designs. What a stage does not have is not waited for.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from simulator.phases.design import TRANSFERS, Design, Step, Task, tasks
from simulator.phases.stages import Stage
from workloads.foundation.errors import InputError
from workloads.passes import Pass


@dataclass(frozen=True, slots=True)
class Waits:
    """What a pass waits for: passes of its own visit, of the layer's forward visit, and of earlier visits.

    `earlier` means visits to other layers in the same direction. The nearest one that has such passes is enough: its
    own passes wait for the visits before it.
    """

    own: tuple[Pass, ...] = ()
    forward_visit: tuple[Pass, ...] = ()
    earlier: tuple[Pass, ...] = ()


_ACTIVATIONS: tuple[Pass, ...] = ("forward", "vector_forward")
_GRADIENTS: tuple[Pass, ...] = ("vector_backward", "dgrad")
_TRAINED: tuple[Pass, ...] = ("predictor_forward", "predictor_backward", "predictor_update")
# By (pass, whether the visit is one of the backward pass).
WAITS: dict[tuple[Pass, bool], Waits] = {
    ("forward", False): Waits(earlier=_ACTIVATIONS),
    ("vector_forward", False): Waits(own=("forward",)),
    ("predictor_load", False): Waits(),
    ("predictor_forward", False): Waits(own=("forward", "predictor_load")),
    ("predictor_store", False): Waits(own=("predictor_forward",)),
    # the prediction is there, and in DRAM where the design stores it
    ("update", False): Waits(own=("forward", "predictor_forward", "predictor_store")),
    ("vector_backward", True): Waits(forward_visit=_ACTIVATIONS, earlier=_GRADIENTS),
    ("dgrad", True): Waits(own=("vector_backward",), forward_visit=_ACTIVATIONS, earlier=_GRADIENTS),
    ("wgrad", True): Waits(own=("vector_backward",), forward_visit=_ACTIVATIONS, earlier=_GRADIENTS),
    ("update", True): Waits(own=("dgrad", "wgrad")),  # dgrad reads the old weights
    # one predictor serves all layers: the next visit uses the weights that this one trains
    ("predictor_load", True): Waits(earlier=("predictor_update", "predictor_store")),
    ("predictor_backward", True): Waits(
        own=("wgrad", "predictor_load"),
        forward_visit=("predictor_forward", "predictor_store"),
        earlier=("predictor_update",),
    ),
    ("predictor_update", True): Waits(own=("predictor_backward",)),
    ("predictor_store", True): Waits(own=("predictor_backward", "predictor_update")),
}

_EARLIER = {waits.earlier for waits in WAITS.values()}


def checked_steps(design: Design, stages: Sequence[Stage], layers: Sequence[str]) -> list[Step]:
    """Return the steps in which a design carries out stages, without empty ones.

    They depend on nothing of the machine, so they are remembered.

    Parameters
    ----------
    design : Design
    stages : sequence of Stage
        Of a batch, or of a part of one.
    layers : sequence of str
        Ids of the layers with multiply-accumulates, for messages.

    Raises
    ------
    InputError
        If a task is left out or is there twice, if one is no task of these stages, if one runs before what it reads, or
        if a step uses a second array that the design does not have. It names design, layer and pass.
    """
    return list(_checked_steps(design, tuple(stages), tuple(layers)))


@lru_cache(maxsize=64)
def _checked_steps(design: Design, stages: tuple[Stage, ...], layers: tuple[str, ...]) -> tuple[Step, ...]:
    steps = [step for step in design.steps(stages) if step.first or step.second]
    _check_complete(design, stages, steps, layers)
    if "second_array" not in design.components:
        for task in (task for step in steps for task in step.second):
            raise _refused(design, task, layers, "runs on a second array, which the design does not have",
                           "lay it on the first, or add second_array to its components")  # fmt: skip
    _check_order(design, stages, steps, layers)
    return tuple(steps)


def expected_tasks(design: Design, stage: Stage) -> tuple[Task, ...]:
    """Return the tasks of one stage on a design, in no order: with the transfers of the predictor's home."""
    if design.predictor_home is None:
        return tasks(stage, stage.main)
    works = any(name in _TRAINED for name in stage.predictor)
    return tasks(stage, (*stage.main, *stage.predictor, *(TRANSFERS[design.predictor_home] if works else ())))


def _check_complete(design: Design, stages: Sequence[Stage], steps: Sequence[Step], layers: Sequence[str]) -> None:
    expected = Counter(task for stage in stages for task in expected_tasks(design, stage))
    found = Counter(task for step in steps for task in (*step.first, *step.second))
    for task in (*expected, *found):
        if found[task] > expected[task]:
            problem = f"runs {found[task]} times" if expected[task] else "is no task of this batch"
            raise _refused(design, task, layers, problem, "give each task of the stages exactly once")
        if found[task] < expected[task]:
            raise _refused(design, task, layers, "is left out", "give each task of the stages exactly once")


def _check_order(design: Design, stages: Sequence[Stage], steps: Sequence[Step], layers: Sequence[str]) -> None:
    needs = dict(_needs(design, stages))
    done: set[Task] = set()
    for step in steps:
        for queue in (step.first, step.second):  # the arrays of a step do not wait for each other
            own: set[Task] = set()
            for task in queue:
                for needed in needs[task]:
                    if needed not in done and needed not in own:
                        where = f"{needed.pass_} of layer {layers[needed.layer]}"
                        raise _refused(design, task, layers, f"runs before {where} is done", f"let {where} run first")
                own.add(task)
        done.update(step.first, step.second)


def _needs(design: Design, stages: Sequence[Stage]) -> Iterator[tuple[Task, list[Task]]]:
    """Yield each task with the tasks that it waits for."""
    there = [frozenset(expected_tasks(design, stage)) for stage in stages]
    everything = frozenset().union(*there)
    # Of the stages so far: by what may be waited for and by direction, the tasks of the nearest stage that has some.
    nearest: dict[tuple[tuple[Pass, ...], bool], list[Task]] = {}
    for stage, here in zip(stages, there, strict=True):
        for task in here:
            waits = WAITS[task.pass_, task.backward]
            needed = [Task(stage.layer, name, stage.backward) for name in waits.own]
            needed += [Task(stage.layer, name) for name in waits.forward_visit]
            earlier = nearest.get((waits.earlier, stage.backward), [])
            yield task, [one for one in needed if one in everything] + earlier
        for passes in _EARLIER:
            found = [one for one in tasks(stage, passes) if one in here]
            if found:
                nearest[passes, stage.backward] = found


def _refused(design: Design, task: Task, layers: Sequence[str], problem: str, remedy: str) -> InputError:
    key = f"{task.pass_} of layer {layers[task.layer]}"
    return InputError(f"design {design.name}", key, problem, remedy)
