"""A design's steps, checked: each task of the stages once, none before what it reads, each on an array that exists.

The order is that of data. Within a visit to a layer a pass waits for the passes in `_READS`. From visit to visit
activations and their gradients flow: a layer's passes wait for those passes of the visit before that make them. Steps
run one after the other, and so do the tasks of one array in a step. The two arrays of a step run side by side, so
neither may wait for the other.
"""

from collections.abc import Iterator, Sequence

from simulator.phases.design import Design, Step, Task, tasks
from simulator.phases.stages import Stage
from workloads.foundation.errors import InputError
from workloads.passes import Pass

# Passes of the same visit that come first: they make what a pass reads, or read what it writes over.
_READS: dict[Pass, tuple[Pass, ...]] = {
    "vector_forward": ("forward",),
    "dgrad": ("vector_backward",),
    "wgrad": ("vector_backward",),
    "update": ("dgrad", "wgrad"),
    "predictor_forward": ("forward", "predictor_load"),
    "predictor_backward": ("wgrad", "predictor_load"),
    "predictor_update": ("predictor_backward",),
    "predictor_store": ("predictor_forward", "predictor_update"),
}
_READS_PREDICTION: tuple[Pass, ...] = ("predictor_forward", "predictor_store")  # of an update by the prediction
# Passes that make what the next visit reads: activations on the way forward, their gradients on the way back.
_FLOWS: tuple[Pass, ...] = ("forward", "vector_forward", "vector_backward", "dgrad")
# What a design adds around the predictor's passes of a visit, by where the predictor's weights live between uses.
_AROUND: dict[str | None, tuple[Pass, ...]] = {"dram": ("predictor_load", "predictor_store")}


def checked_steps(design: Design, stages: Sequence[Stage], layers: Sequence[str]) -> list[Step]:
    """Return the steps in which a design carries out some stages; steps without tasks are left out.

    Parameters
    ----------
    design : Design
        Lays out the stages.
    stages : sequence of Stage
        Those of a batch, or a part of them. What a task reads from a stage that is not among them is taken to be there.
    layers : sequence of str
        Name of each layer with multiply-accumulates, for errors.

    Raises
    ------
    InputError
        If the design leaves out a task, runs one twice or before what it reads, adds one, or uses an array that it does
        not have. The error names design, layer and pass.
    """
    steps = [step for step in design.steps(stages) if step.first or step.second]
    where = f"design {design.name}"
    places: dict[Task, tuple[int, int, int]] = {}  # step, array, position in the array's row of tasks
    for number, step in enumerate(steps):
        for array, row in enumerate((step.first, step.second)):
            for position, task in enumerate(row):
                if array and "second_array" not in design.components:
                    problem = f"{_name(task)} runs on a second array, and the design has none"
                    raise InputError(where, layers[task.layer], problem, "name second_array in its components")
                if task in places:
                    problem = f"{_name(task)} runs twice"
                    raise InputError(where, layers[task.layer], problem, "give each task to one step")
                places[task] = (number, array, position)
    wanted = {task: None for stage in stages for task in _tasks_of(design, stage)}
    for task in wanted:
        if task not in places:
            raise InputError(where, layers[task.layer], f"{_name(task)} is left out", "give it to a step")
    for task in places:
        if task not in wanted:
            problem = f"{_name(task)} is not a part of this batch"
            raise InputError(where, layers[task.layer], problem, "leave it out")
    for earlier, later in _orders(design, stages):
        if not _is_before(places[earlier], places[later]):
            of = "" if earlier.layer == later.layer else f" of layer {layers[earlier.layer]}"
            problem = f"{_name(later)} does not wait for {_name(earlier)}{of}"
            raise InputError(where, layers[later.layer], problem, "run it in a later step, or after it on one array")
    return steps


def _tasks_of(design: Design, stage: Stage) -> tuple[Task, ...]:
    """Return what a design must run for a stage."""
    if design.predictor_home is None or not stage.predictor:
        return tasks(stage, stage.main)
    return tasks(stage, (*stage.main, *stage.predictor, *_AROUND.get(design.predictor_home, ())))


def _orders(design: Design, stages: Sequence[Stage]) -> Iterator[tuple[Task, Task]]:
    """Give each pair (earlier, later) of tasks of which the later reads what the earlier makes."""
    flowing: tuple[Task, ...] = ()
    predicted: dict[int, Task] = {}
    for stage in stages:
        visit = {task.pass_: task for task in _tasks_of(design, stage)}
        for task in visit.values():
            if task.pass_ in stage.main and task.pass_ != "update":
                yield from ((earlier, task) for earlier in flowing)
            by_prediction = task.pass_ == "update" and not task.backward
            reads = _READS_PREDICTION if by_prediction else _READS.get(task.pass_, ())
            yield from ((visit[name], task) for name in reads if name in visit)
            if task.pass_ == "predictor_backward" and task.layer in predicted:
                yield predicted[task.layer], task
        if "predictor_forward" in visit:
            predicted[stage.layer] = visit["predictor_forward"]
        flowing = tuple(task for task in visit.values() if task.pass_ in _FLOWS) or flowing


def _is_before(earlier: tuple[int, int, int], later: tuple[int, int, int]) -> bool:
    """Whether a task is done when another begins."""
    return earlier[0] < later[0] or (earlier[:2] == later[:2] and earlier[2] < later[2])


def _name(task: Task) -> str:
    return f"{task.pass_} after the true gradient" if task.pass_ == "update" and task.backward else task.pass_
