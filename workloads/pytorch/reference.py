"""The reference training with all its options: checkpoints, learning-rate schedules, sparsity, data from disk.

``adagp-sim train reference digits-cnn --checkpoint run.pt --plateau --out mine.yaml`` trains a network and writes its
trace. Without options it is `adagp-sim trace export`, to the letter.
"""

from pathlib import Path

from workloads.foundation.errors import InputError
from workloads.layers import Conv2d, Linear
from workloads.networks.digits_cnn import CONSTANT_RATES
from workloads.networks.recipe import Recipe
from workloads.pytorch.layer_errors import layer_errors
from workloads.pytorch.model_loading import record_anywhere, torch_extra
from workloads.pytorch.settings import Settings
from workloads.pytorch.sparsity import SPARSITY_NOTE, with_sparsity
from workloads.pytorch.split import Split
from workloads.pytorch.training import OnEpoch, Run, train
from workloads.recording.assembly import assemble, notes_of, predictor_of
from workloads.recording.recording import Recording
from workloads.schedule import Policy, compress
from workloads.trace import Dataset, Provenance, Trace


def reference_trace(
    recipe: Recipe,
    policy: Policy,
    settings: Settings,
    command: str,
    data: Split | None = None,
    epochs: int | None = None,
    on_epoch: OnEpoch | None = None,
    checkpoint: Path | None = None,
) -> Trace:
    """Train a recipe's network, and write down what ran.

    Parameters
    ----------
    recipe : Recipe
        The network on its data set.
    policy : Policy
        The schedule.
    settings : Settings
        Of the training; `settings_of` gives the recipe's.
    command : str
        The command line that makes this trace again.
    data : Split, optional
        What it is trained on, if not the recipe's own data.
    epochs : int, optional
        Number of epochs, if not the policy's own.
    on_epoch : callable, optional
        Called with the metrics of each epoch and the number of epochs.
    checkpoint : Path, optional
        Saved after every epoch; the run resumes from it if it exists.

    Raises
    ------
    InputError
        If there are no data, or they or the checkpoint do not fit.
    """
    with torch_extra(recipe.name):
        shapes = [(recipe.batch_size, *shape) for shape in recipe.input_shapes]
        recording = record_anywhere(recipe.build, shapes, recipe.input_dtypes, recipe.name)
        if data is None:
            if recipe.training is None:
                raise InputError(recipe.name, "", "has no data of its own", "give the folder of its data set (--data)")
            data = recipe.training.load_data()
        _check_data(recipe, recording, data)
        run = train(
            recipe.build, data, predictor_of(recording), policy, settings, epochs, on_epoch, checkpoint
        )  # fmt: skip
    return assemble(
        with_sparsity(recording, run.sparsity), recipe.network,
        Dataset(name=recipe.dataset, training_samples=len(data.train_labels), drop_last=True), recipe.batch_size,
        compress(policy.name, run.phases), _provenance(recipe, recording, settings, run, command), run.metrics,
        predictor_errors=layer_errors(run, recording.layers),
    )  # fmt: skip


def _check_data(recipe: Recipe, recording: Recording, data: Split) -> None:
    shape = tuple(data.train_images.shape[1:])
    if (shape,) != recipe.input_shapes:
        raise InputError(recipe.name, "", f"its images are {shape}", f"give {recipe.input_shapes[0]}, which it takes")
    classes = [layer.K for layer in recording.layers if isinstance(layer, Conv2d | Linear)][-1]
    most = int(max(data.train_labels.max(), data.test_labels.max()))
    if most >= classes:
        raise InputError(recipe.name, "", f"the data have {most + 1} classes", f"give {classes} at most")
    if len(data.train_labels) < recipe.batch_size:
        problem = f"{len(data.train_labels)} training samples do not fill a batch of {recipe.batch_size}"
        raise InputError(recipe.name, "", problem, "give more samples")


def _provenance(recipe: Recipe, recording: Recording, settings: Settings, run: Run, command: str) -> Provenance:
    notes = list(recipe.notes)
    if settings.plateau or settings.predictor_milestones:
        notes = [note for note in notes if note != CONSTANT_RATES]
    if settings.plateau:
        notes.append(
            "ReduceLROnPlateau with torch's defaults lowers the network's learning rate, on the training loss."
        )
    if settings.predictor_milestones:
        notes.append("MultiStepLR divides the predictor's learning rate by 10 after each of its milestones.")
    if run.sparsity:
        notes.append(SPARSITY_NOTE)
    notes.append(
        "Biases and batch norm's scales and shifts change in Warm Up and Phase BP only: they get no prediction."
    )
    described = {"epochs": len(run.phases)} | settings.described()
    return Provenance(origin="trained", command=command, settings=described, notes=(*notes, *notes_of(recording)))
