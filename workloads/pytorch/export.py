"""Export traces: of a recipe, recorded or trained, and of any user's model.

torch is imported when something is exported, so that its absence is a one-line error.
"""

from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workloads.foundation.errors import InputError
from workloads.networks.recipe import Recipe
from workloads.optimizers import OptimizerName
from workloads.pytorch.model_loading import check_inputs, find_callable, record_anywhere, torch_extra
from workloads.recording.assembly import assemble, notes_of
from workloads.schedule import Policy
from workloads.trace import Dataset, EpochMetrics, Provenance, Trace

if TYPE_CHECKING:
    from workloads.recording.recording import Recording

OnEpoch = Callable[[EpochMetrics, int], None]


def export_recorded(recipe: Recipe, policy: Policy, command: str, epochs: int | None = None) -> Trace:
    """Record the shapes of a recipe's network; nothing is trained.

    Parameters
    ----------
    recipe : Recipe
        The network on its data set.
    policy : Policy
        The schedule that a training would follow.
    command : str
        The command line that makes this trace again.
    epochs : int, optional
        Number of epochs, if not the policy's own.

    Raises
    ------
    InputError
        If a package of the torch extra is missing.
    """
    with torch_extra(recipe.name):
        recording = _record(recipe)
    batches = -(-recipe.training_samples // recipe.batch_size)
    provenance = Provenance(origin="recorded", command=command, notes=recipe.notes + notes_of(recording))
    return assemble(
        recording,
        recipe.network,
        Dataset(name=recipe.dataset, training_samples=recipe.training_samples),
        recipe.batch_size,
        policy.expand(batches, epochs),
        provenance,
    )


def export_trained(
    recipe: Recipe,
    policy: Policy,
    command: str,
    epochs: int | None = None,
    seed: int = 0,
    on_epoch: OnEpoch | None = None,
    checkpoint: Path | None = None,
) -> Trace:
    """Train a recipe's network with ADA-GP, and write down what ran.

    Parameters
    ----------
    recipe : Recipe
        The network on its data set, with its training settings.
    policy : Policy
        The schedule.
    command : str
        The command line that makes this trace again.
    epochs : int, optional
        Number of epochs, if not the policy's own.
    seed : int
        Of the initial weights and the order of the samples.
    on_epoch : callable, optional
        Called with the metrics of each epoch and the number of epochs.
    checkpoint : Path, optional
        Saved after every epoch; the run resumes from it if it exists.

    Raises
    ------
    InputError
        If the recipe has no training, the checkpoint is of another run, or a package of the torch extra is missing.
    """
    if recipe.training is None:
        raise InputError(recipe.name, "", "has no training settings", "record its shapes instead")
    with torch_extra(recipe.name):
        from workloads.pytorch.reference import reference_trace
        from workloads.pytorch.settings import settings_of
    settings = settings_of(recipe, seed, sparsity=True)
    return reference_trace(recipe, policy, settings, command, None, epochs, on_epoch, checkpoint)


def export_model(
    target: str | Callable[[], Any],
    input_shapes: Sequence[Sequence[int]],
    policy: Policy,
    training_samples: int,
    command: str,
    dataset: str = "unnamed",
    input_dtypes: Sequence[str] = (),
    epochs: int | None = None,
    network: str | None = None,
    optimizer: OptimizerName = "sgd_momentum",
) -> Trace:
    """Record the shapes of any model.

    Parameters
    ----------
    target : str or callable
        Returns the model when called without arguments; as a text ``module:callable``, where modules of the current
        folder are found.
    input_shapes : sequence of shapes
        Shapes of the arguments of its `forward`, the batch first in the first of them.
    policy : Policy
        The schedule that a training would follow.
    training_samples : int
        Size of the data set's training part.
    command : str
        The command line that makes this trace again.
    dataset : str
        What the trace calls the data set.
    input_dtypes : sequence of str
        Types of the inputs as torch calls them, such as ``int64`` for indices; float32 where none is given.
    epochs : int, optional
        Number of epochs, if not the policy's own.
    network : str, optional
        What the trace calls the network; its class's name if nothing is given.
    optimizer : str
        What updates the network.

    Raises
    ------
    InputError
        If the target, a shape or a type does not fit.
    """
    batch_size = check_inputs(input_shapes, input_dtypes)
    if training_samples < 1:
        raise InputError("training samples", "", f"is {training_samples}", "give at least 1")
    where = target if isinstance(target, str) else getattr(target, "__qualname__", type(target).__name__)
    with torch_extra(where):
        import_module("torch")
    build = find_callable(target) if isinstance(target, str) else target
    recording = record_anywhere(build, input_shapes, input_dtypes, where)
    provenance = Provenance(origin="recorded", command=command, notes=notes_of(recording))
    return assemble(
        recording,
        network or recording.network,
        Dataset(name=dataset, training_samples=training_samples),
        batch_size,
        policy.expand(-(-training_samples // batch_size), epochs),
        provenance,
        optimizer=optimizer,
    )


def _record(recipe: Recipe) -> "Recording":
    shapes = [(recipe.batch_size, *shape) for shape in recipe.input_shapes]
    return record_anywhere(recipe.build, shapes, recipe.input_dtypes, recipe.name)
