"""The section of a trained trace with the runs of its controls."""

from collections.abc import Callable
from pathlib import Path

from workloads.control_runs import ControlRuns
from workloads.pytorch.controls import CONTROLS, Control, Result, Task, run_tasks
from workloads.schedule import Policy
from workloads.trace import Trace

OnResult = Callable[[Result], None]


def with_controls(
    trace: Trace,
    network: str,
    policy: Policy,
    epochs: int | None,
    seed: int,
    seeds: int,
    jobs: int = 1,
    on_result: OnResult = lambda result: None,
    runs: Path | None = None,
) -> Trace:
    """Train ADA-GP and every control, and return the trace with what they reached.

    Parameters
    ----------
    trace : Trace
        The network as ADA-GP trained it; that run is not made again.
    network : str
        Name of its recipe.
    policy : Policy
        The schedule of all but plain backpropagation.
    epochs : int, optional
        Number of epochs, if not the policy's own.
    seed, seeds : int
        The trace's own seed, and how many from there on.
    jobs : int
        Processes at once, one thread each; the numbers do not depend on it.
    on_result : callable, optional
        Called with every run that ended, in the order of `CONTROLS`.
    runs : Path, optional
        Folder of the runs' checkpoints (`Task`).
    """
    own = tuple(row.test_accuracy for row in trace.metrics)
    found: dict[str, list[tuple[float, ...]]] = {control.key: [] for control in CONTROLS}
    found[CONTROLS[0].key].append(own)
    tasks = [
        Task(control, one, policy, epochs, network, runs)
        for control in CONTROLS for one in range(seed, seed + seeds) if not _is_own(control, one, seed)
    ]  # fmt: skip
    for result in run_tasks(tasks, jobs):
        found[result.control.key].append(tuple(row.test_accuracy for row in result.run.metrics))
        on_result(result)
    controls = tuple(
        ControlRuns(
            name=control.key, title=control.title, gp_batches=control.gp_batches,
            test_accuracy=tuple(found[control.key]),
        )
        for control in CONTROLS
    )  # fmt: skip
    return trace.model_copy(update={"controls": controls})


def runs_beside(seeds: int) -> int:
    """Return how many runs there are for so many seeds, without the trace's own."""
    return len(CONTROLS) * seeds - 1


def _is_own(control: Control, seed: int, own_seed: int) -> bool:
    return control is CONTROLS[0] and seed == own_seed
