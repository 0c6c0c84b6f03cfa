"""A training run beside its controls, which tell what its accuracy owes to prediction.

``adagp-sim train controls --seeds 3 --epochs 90 --out docs/training.md`` trains them all and writes the page; a run of
digits-cnn over 90 epochs takes half a minute on one core.
"""

import csv
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

from workloads.control_runs import GpBatches
from workloads.foundation.atomic import atomic_file
from workloads.foundation.errors import InputError
from workloads.networks import find_recipe
from workloads.networks.recipe import Recipe
from workloads.pytorch.controls_page import ERRORS, SIMILARITY, Row, Setting, page
from workloads.pytorch.gp_gradients import GpGradient
from workloads.pytorch.gradient_prediction import predicted_layers
from workloads.pytorch.model_loading import record_anywhere
from workloads.pytorch.settings import PAPER_PREDICTOR_RATE, Settings, settings_of, with_predictor
from workloads.pytorch.training import Run, train
from workloads.recording.assembly import predictor_of
from workloads.schedule import Policy
from workloads.trace import load_policy

NETWORK = "digits-cnn"
_GP_BATCHES: dict[GpGradient, GpBatches] = {
    "predicted": "predicted", "skip": "left_out", "zero": "updated_only", "random": "updated_only",
    "running-mean": "updated_only", "true-norm": "backpropagated",
}  # fmt: skip


def _as_they_are(settings: Settings) -> Settings:
    return settings


def _to_the_letter(settings: Settings) -> Settings:
    """Train the predictor as the paper says, and where it says nothing as torch does."""
    return with_predictor(settings, PAPER_PREDICTOR_RATE, targets="plain", start="default", biases=True)


def _faster(settings: Settings) -> Settings:
    return replace(settings, late_rate=2.0)


@dataclass(frozen=True, slots=True)
class Control:
    """One way to train: what its Phase GP batches do, or that there are none.

    Attributes
    ----------
    key, title : str
        What files and the page call it.
    does : str
        What it does in a Phase GP batch, as a sentence without its subject.
    gp_gradient : str
        What a Phase GP batch steps with.
    backpropagation : bool
        True where every batch is one of Phase BP, whatever the schedule.
    changed : callable
        Gives its settings from those of the ADA-GP run.
    """

    key: str
    title: str
    does: str
    gp_gradient: GpGradient = "predicted"
    backpropagation: bool = False
    changed: Callable[[Settings], Settings] = _as_they_are

    @property
    def gp_batches(self) -> GpBatches:
        """What a trace says that a scheduled GP batch came to."""
        return "backpropagated" if self.backpropagation else _GP_BATCHES[self.gp_gradient]

    def settings(self, recipe: Recipe, seed: int) -> Settings:
        """Return the settings of its run."""
        return self.changed(settings_of(recipe, seed, gp_gradient=self.gp_gradient))


CONTROLS = (
    Control("ada-gp", "ADA-GP", "steps with the predicted gradients"),
    Control("bp", "backpropagation on every batch", "trains by backpropagation; the predictor only watches",
            backpropagation=True),
    Control("letter", "ADA-GP to the letter",
            "steps with predicted gradients. Its predictor has plain targets, torch's first weights and biases, and "
            "Adam's rate 0.0001", changed=_to_the_letter),
    Control("true-norm", "predictions as long as the true gradients",
            "steps with predicted gradients that are as long as the batch's true ones. Only a backward pass can tell "
            "their length", "true-norm"),
    Control("skip", "GP batches left out", "does nothing; Warm Up and Phase BP run as scheduled", "skip"),
    Control("skip-faster", "GP batches left out, twice the learning rate",
            "does nothing. From the first epoch with Phase GP batches on, the network's rate is doubled", "skip",
            changed=_faster),
    Control("zero", "zero gradients in GP (momentum only)",
            "lets the optimizer step, so momentum carries on; nothing is predicted", "zero"),
    Control("random", "random gradients in GP", "steps with normal noise of the running RMS of the layer's true "
            "gradients", "random"),
    Control("running-mean", "running mean of past gradients in GP",
            "steps with the running mean of the layer's true gradients; nothing is predicted", "running-mean"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Task:
    """One run to make: a control with a seed.

    Attributes
    ----------
    control : Control
        The way to train.
    seed : int
        Of the weights and of the order of the samples.
    policy : Policy
        The schedule of all but plain backpropagation.
    epochs : int, optional
        Number of epochs, if not the policy's own.
    network : str
        Name of the recipe.
    runs : Path, optional
        Folder of the runs' checkpoints: a run that was stopped resumes, and one that ended is not made again.
    """

    control: Control
    seed: int
    policy: Policy
    epochs: int | None = None
    network: str = NETWORK
    runs: Path | None = None

    @property
    def checkpoint(self) -> Path | None:
        """The file of its checkpoint in the folder of the runs."""
        return None if self.runs is None else self.runs / f"{self.network}-{self.control.key}-{self.seed}.pt"


@dataclass(frozen=True, slots=True)
class Result:
    """A run of a control."""

    control: Control
    seed: int
    run: Run


def run_control(task: Task) -> Result:
    """Train a network once.

    Raises
    ------
    InputError
        If the network is none that is trained, its data are not there, or the checkpoint is of another run.
    """
    recipe, control, policy = find_recipe(task.network), task.control, task.policy
    if recipe.training is None:
        raise InputError(recipe.name, "", "has no training settings", "name a network that is trained, digits-cnn")
    shapes = [(recipe.batch_size, *shape) for shape in recipe.input_shapes]
    sizes = predictor_of(record_anywhere(recipe.build, shapes, recipe.input_dtypes, recipe.name))
    chosen = load_policy("bp") if control.backpropagation else policy
    epochs = policy.epochs if task.epochs is None else task.epochs
    data, settings = recipe.training.load_data(), control.settings(recipe, task.seed)
    run = train(recipe.build, data, sizes, chosen, settings, epochs, checkpoint=task.checkpoint)
    return Result(control, task.seed, run)


def run_controls(
    policy: Policy,
    seeds: Sequence[int],
    epochs: int | None = None,
    jobs: int = 1,
    on_result: Callable[[Result], None] = lambda result: None,
    network: str = NETWORK,
    runs: Path | None = None,
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
    network : str
        Name of the network's recipe.
    runs : Path, optional
        Folder of the runs' checkpoints; it is made.

    Raises
    ------
    InputError
        If there is no seed, no epoch or no job, or a run cannot be made.
    """
    for option, value in (("--seeds", len(seeds)), ("--epochs", policy.epochs if epochs is None else epochs),
                          ("--jobs", jobs)):  # fmt: skip
        if value < 1:
            raise InputError(option, "", f"is {value}", "give at least 1")
    # Seed by seed: a study that is stopped has whole seeds, each with all its controls.
    tasks = [Task(control, seed, policy, epochs, network, runs) for seed in seeds for control in CONTROLS]
    found: dict[tuple[str, int], Result] = {}
    for result in run_tasks(tasks, jobs):
        found[result.control.key, result.seed] = result
        on_result(result)
    return [found[control.key, seed] for control in CONTROLS for seed in seeds]


def run_tasks(tasks: Sequence[Task], jobs: int) -> Iterator[Result]:
    """Train once for each task, so many at once, and give the results in the order of the tasks as they are there."""
    if jobs == 1:
        yield from map(run_control, tasks)
        return
    # New processes, not forked ones: torch's threads do not survive a fork.
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        yield from pool.map(run_control, tasks)


def compared(results: Sequence[Result], policy: Policy, command: str, network: str = NETWORK) -> str:
    """Return the page that compares the runs; `command` made it."""
    recipe = find_recipe(network)
    assert recipe.training is not None
    data, model = recipe.training.load_data(), recipe.build()
    setting = Setting(
        recipe.name, recipe.dataset, recipe.notes, len(data.train_labels), len(data.test_labels), recipe.batch_size,
        {name: model.get_parameter(f"{name}.weight").numel() for name in predicted_layers(model)}, policy.name, command,
    )  # fmt: skip
    rows = [Row(one.control.key, one.control.title, one.control.does, one.seed, one.run) for one in results]
    return page(rows, setting)


def write_csv(results: Sequence[Result], path: Path) -> None:
    """Write the predictor's errors of every run by epoch and layer, and how alike the batches are."""
    with atomic_file(path) as file:
        rows = csv.writer(file, lineterminator="\n")
        alike = {name: f"{name}_cosine" if name == "expected" else f"{name}_similarity" for name in SIMILARITY}
        rows.writerow(["run", "seed", "epoch", "layer", *ERRORS, *alike.values()])
        for result in results:
            run = result.run
            for epoch, (errors, similarity) in enumerate(zip(run.layer_errors, run.similarity, strict=True), start=1):
                for layer, error in sorted(errors.items()):
                    numbers = [f"{getattr(error, name):.6g}" for name in ERRORS]
                    one = similarity.get(layer)
                    numbers += ["" if one is None else f"{getattr(one, name):.6g}" for name in SIMILARITY]
                    rows.writerow([result.control.key, result.seed, epoch, layer, *numbers])
