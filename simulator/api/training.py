"""`adagp-sim train` from Python: ADA-GP in PyTorch, beside its controls, and its predictor."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulator.api.inputs import check_whole
from simulator.api.messages import pythonic
from workloads.foundation.errors import InputError
from workloads.networks import find_recipe
from workloads.pytorch.model_loading import torch_extra
from workloads.schedule import Policy
from workloads.trace import EpochMetrics, Trace, load_policy

if TYPE_CHECKING:
    from workloads.pytorch.controls import Result
    from workloads.pytorch.predictor_training import Inputs, Start, Targets


def _silent(_: str) -> None:
    return


@pythonic
def train_reference(
    network: str = "digits-cnn",
    *,
    schedule: str | Path = "paper",
    epochs: int | None = None,
    seed: int = 0,
    checkpoint: str | Path | None = None,
    plateau: bool = False,
    milestones: Sequence[int] = (),
    predictor_rate: float | None = None,
    predictor_inputs: "Inputs | None" = None,
    predictor_targets: "Targets | None" = None,
    predictor_start: "Start | None" = None,
    predictor_steps: int | None = None,
    predictor_biases: bool | None = None,
    sparsity: bool = True,
    data: str | Path | None = None,
    per_class: int | None = None,
    command: str = "adagp_sim.train_reference",
    progress: Callable[[str], Any] = _silent,
) -> Trace:
    """Train a network with ADA-GP, and return its trace (docs/reference-run.md).

    Parameters
    ----------
    network : str
        Its name; ``adagp_sim.describe("networks")`` says which there are.
    schedule : str or Path
        Which batches are Warm Up, Phase BP and Phase GP: a shipped name or a file.
    epochs : int, optional
        Number of epochs, if not the schedule's own.
    seed : int
        Of the initial weights and the order of the samples.
    checkpoint : str or Path, optional
        Saved after every epoch; the run resumes from it if it exists.
    plateau : bool
        Whether ReduceLROnPlateau lowers the network's learning rate.
    milestones : sequence of int
        Epochs after which the predictor's learning rate is divided by 10.
    predictor_rate : float, optional
        The predictor's learning rate, if not the network's own.
    predictor_inputs, predictor_targets, predictor_start, predictor_steps, predictor_biases
        How the predictor is trained (docs/predictor.md).
    sparsity : bool
        Whether shares of zeros are recorded.
    data : str or Path, optional
        Folder of the data set's images, if not the network's own data.
    per_class : int, optional
        Use the first images of each class of `data` only.
    command : str
        What the trace says made it.
    progress : callable, optional
        Called with a line for each epoch, such as ``print``.

    Raises
    ------
    InputError
        If something does not fit, or PyTorch is not installed.
    """
    check_whole("epochs", epochs)
    if per_class is not None and data is None:
        raise InputError("--per-class", "", "is given without --data", "add --data, or leave --per-class out")
    check_whole("per_class", per_class)
    recipe, policy = find_recipe(network), load_policy(schedule)
    with torch_extra(network):
        from workloads.pytorch.image_sets import load_images
        from workloads.pytorch.reference import reference_trace
        from workloads.pytorch.settings import settings_of, with_predictor
    split = None if data is None else load_images(recipe.dataset, Path(data), recipe.input_shapes[0][-1], per_class)
    settings = settings_of(recipe, seed, plateau=plateau, predictor_milestones=tuple(milestones), sparsity=sparsity)
    settings = with_predictor(
        settings, predictor_rate, inputs=predictor_inputs, targets=predictor_targets, start=predictor_start,
        steps=predictor_steps, biases=predictor_biases,
    )  # fmt: skip

    def on_epoch(row: EpochMetrics, total: int) -> None:
        progress(f"epoch {row.epoch} of {total}: loss {row.train_loss:.4f}, accuracy {row.test_accuracy:.2%}")

    place = None if checkpoint is None else Path(checkpoint)
    return reference_trace(recipe, policy, settings, command, split, epochs, on_epoch, place)


@pythonic
def train_controls(
    *,
    seeds: int = 3,
    epochs: int = 90,
    schedule: Policy | str | Path = "paper",
    jobs: int = 1,
    network: str = "digits-cnn",
    runs: str | Path | None = None,
    progress: Callable[[str], Any] = _silent,
) -> "list[Result]":
    """Train a network with ADA-GP and with its controls (docs/training.md): `control`, `seed` and `run` of each.

    Parameters
    ----------
    seeds, epochs : int
        Number of seeds, from 0, and of epochs of each run.
    schedule : Policy, str or Path
        Sequence of batches of all but plain backpropagation.
    jobs : int
        Processes at once.
    network : str
        Name of a network that is trained.
    runs : str or Path, optional
        Folder of the runs' checkpoints: a run that was stopped resumes, and one that ended is not made again.
    progress : callable, optional
        Called with a line for each run, such as ``print``.

    Raises
    ------
    InputError
        If something does not fit, or PyTorch is not installed.
    """
    policy = schedule if isinstance(schedule, Policy) else load_policy(schedule)
    with torch_extra("controls"):
        from workloads.pytorch.controls import run_controls

    def on_result(result: "Result") -> None:
        last = result.run.metrics[-1].test_accuracy
        progress(f"{result.control.title}, seed {result.seed}: accuracy {last:.2%}")

    place = None if runs is None else Path(runs)
    return run_controls(policy, range(seeds), epochs, jobs, on_result, network, place)


@pythonic
def train_predictors(
    *, seeds: int = 3, stream_epochs: int = 30, epochs: int = 90, progress: Callable[[str], Any] = _silent
) -> str:
    """Measure how far the predictor can be trained on digits, and return the page in Markdown (docs/predictor.md).

    Parameters
    ----------
    seeds : int
        Number of seeds, from 0.
    stream_epochs : int
        Epochs whose gradients the predictors are tried on.
    epochs : int
        Epochs of the ADA-GP runs.
    progress : callable, optional
        Called with a line for each step, such as ``print``.

    Raises
    ------
    InputError
        If PyTorch is not installed.
    """
    for name, value in (("seeds", seeds), ("stream_epochs", stream_epochs), ("epochs", epochs)):
        check_whole(name, value)
    with torch_extra("predictors"):
        from workloads.pytorch.predictor_study import study
    command = f"adagp-sim train predictors --seeds {seeds} --stream-epochs {stream_epochs} --epochs {epochs}"
    return study(range(seeds), stream_epochs, epochs, command, progress)[0]
