"""The digits run beside its controls, which tell what its accuracy owes to prediction.

``adagp-sim train controls --seeds 3 --epochs 90 --out docs/training.md`` trains them all and writes the page; a run of
90 epochs takes half a minute on one core.
"""

import csv
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path

from workloads.control_runs import GpBatches
from workloads.foundation.atomic import atomic_file
from workloads.foundation.errors import InputError
from workloads.networks import find_recipe
from workloads.pytorch.controls_page import page
from workloads.pytorch.gradient_prediction import GpGradient, predicted_layers
from workloads.pytorch.model_loading import record_anywhere
from workloads.pytorch.settings import settings_of
from workloads.pytorch.training import Run, train
from workloads.recording.assembly import predictor_of
from workloads.schedule import Policy
from workloads.trace import load_policy

NETWORK = "digits-cnn"
_GP_BATCHES: dict[GpGradient, GpBatches] = {
    "predicted": "predicted", "skip": "left_out", "zero": "updated_only", "random": "updated_only",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Control:
    """One way to train: what its Phase GP batches do, or that there are none.

    Attributes
    ----------
    key, title : str
        What files and the page call it.
    gp_gradient : str
        What a Phase GP batch steps with.
    backpropagation : bool
        True where every batch is one of Phase BP, whatever the schedule.
    """

    key: str
    title: str
    gp_gradient: GpGradient = "predicted"
    backpropagation: bool = False

    @property
    def gp_batches(self) -> GpBatches:
        """What a trace says that a scheduled GP batch came to."""
        return "backpropagated" if self.backpropagation else _GP_BATCHES[self.gp_gradient]


CONTROLS = (
    Control("ada-gp", "ADA-GP"),
    Control("bp", "backpropagation on every batch", backpropagation=True),
    Control("skip", "GP batches left out", "skip"),
    Control("zero", "zero gradients in GP (momentum only)", "zero"),
    Control("random", "random gradients in GP", "random"),
)


# Control, seed, schedule, epochs, network.
Task = tuple[Control, int, Policy, int | None, str]


@dataclass(frozen=True, slots=True)
class Result:
    """A run of a control."""

    control: Control
    seed: int
    run: Run


def run_control(
    control: Control, seed: int, policy: Policy, epochs: int | None = None, network: str = NETWORK
) -> Result:
    """Train a network once."""
    recipe = find_recipe(network)
    training = recipe.training
    assert training is not None
    shapes = [(recipe.batch_size, *shape) for shape in recipe.input_shapes]
    sizes = predictor_of(record_anywhere(recipe.build, shapes, recipe.input_dtypes, recipe.name))
    settings = settings_of(recipe, seed, gp_gradient=control.gp_gradient)
    chosen = load_policy("bp") if control.backpropagation else policy
    length = policy.epochs if epochs is None else epochs
    return Result(control, seed, train(recipe.build, training.load_data(), sizes, chosen, settings, length))


def run_controls(
    policy: Policy,
    seeds: Sequence[int],
    epochs: int | None = None,
    jobs: int = 1,
    on_result: Callable[[Result], None] = lambda result: None,
) -> list[Result]:
    """Train every control with every seed, in the order of `CONTROLS`.

    Parameters
    ----------
    policy : Policy
        The schedule of all but plain backpropagation.
    seeds : sequence of int
        One run each.
    epochs : int, optional
        Number of epochs, if not the policy's own.
    jobs : int
        Processes at once, one thread each; the numbers do not depend on it.
    on_result : callable, optional
        Called with every run that ended.

    Raises
    ------
    InputError
        If there is no seed, no epoch or no job.
    """
    for option, value in (("--seeds", len(seeds)), ("--epochs", policy.epochs if epochs is None else epochs),
                          ("--jobs", jobs)):  # fmt: skip
        if value < 1:
            raise InputError(option, "", f"is {value}", "give at least 1")
    found = []
    for result in run_tasks([(control, seed, policy, epochs, NETWORK) for control in CONTROLS for seed in seeds], jobs):
        found.append(result)
        on_result(result)
    return found


def run_tasks(tasks: Sequence[Task], jobs: int) -> Iterator[Result]:
    """Train once for each task, so many at once, and give the results in the order of the tasks as they are there."""
    if jobs == 1:
        yield from (run_control(*task) for task in tasks)
        return
    # New processes, not forked ones: torch's threads do not survive a fork.
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        yield from pool.map(run_control, *zip(*tasks, strict=True))


def weights_by_layer() -> dict[str, int]:
    """Return the number of weights of each predicted layer, first to last."""
    model = find_recipe(NETWORK).build()
    return {name: model.get_parameter(f"{name}.weight").numel() for name in predicted_layers(model)}


def compared(results: Sequence[Result], policy: Policy, command: str) -> str:
    """Return the page that compares the runs; `command` made it."""
    rows = [(result.control.key, result.control.title, result.seed, result.run) for result in results]
    return page(rows, weights_by_layer(), policy.name, command)


def write_csv(results: Sequence[Result], path: Path) -> None:
    """Write the predictor's errors of every run by epoch and layer."""
    with atomic_file(path) as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["run", "seed", "epoch", "layer", "cosine", "relative_l2", "mape", "mse"])
        for result in results:
            for epoch, errors in enumerate(result.run.layer_errors, start=1):
                for layer, error in sorted(errors.items()):
                    numbers = [f"{value:.6g}" for value in asdict(error).values()]
                    rows.writerow([result.control.key, result.seed, epoch, layer, *numbers])
