"""Runs of one training beside its controls, as a trained trace holds them: what they did, how accurate they were."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from workloads.foundation.errors import InputError
from workloads.foundation.validation import StrictModel

# What a scheduled GP batch came to; what a run costs follows from it alone (simulator/studies/cost_to_target.py).
GpBatches = Literal["predicted", "backpropagated", "left_out", "updated_only"]
Accuracy = Annotated[float, Field(ge=0.0, le=1.0)]


# Where the paper's schedule changes: Warm Up ends, 1:1 begins; and half of its 90 epochs.
_TURNS = (1, 10, 22, 45)


def shown_epochs(count: int) -> list[int]:
    """Return the epochs that tables show of a run of `count` epochs; the last one is among them."""
    return [*(epoch for epoch in _TURNS if epoch < count), count]


class ControlRuns(StrictModel):
    """The runs of one way to train the network, one a seed; ADA-GP's own are among them.

    Attributes
    ----------
    name, title : str
        What files and tables call it.
    gp_batches : str
        What the run does in a scheduled GP batch: ``predicted`` (as in ADA-GP), ``backpropagated`` (a batch as in
        Phase BP), ``left_out``, or ``updated_only`` (a forward pass, and an update with no gradient or noise).
    test_accuracy : tuple of tuples
        One row a seed, with one number (0 to 1) an epoch.
    """

    name: Annotated[str, Field(min_length=1)]
    title: Annotated[str, Field(min_length=1)]
    gp_batches: GpBatches
    test_accuracy: Annotated[tuple[tuple[Accuracy, ...], ...], Field(min_length=1)]


def check_controls(controls: Sequence[ControlRuns], origin: str, epochs: int) -> None:
    """Hold the controls of a trace against each other and against its schedule.

    Raises
    ------
    InputError
        If nothing was trained, a name is given twice, seeds or epochs do not match, or ADA-GP itself is not there.
    """
    if not controls:
        return
    if origin != "trained":
        raise InputError("", "controls", f"in a trace that was {origin}, not trained", "leave them out")
    names: set[str] = set()
    for index, runs in enumerate(controls):
        if runs.name in names:
            raise InputError("", f"controls[{index}].name", f"is {runs.name}, which is there already", "give another")
        names.add(runs.name)
        first = controls[0]
        if len(runs.test_accuracy) != len(first.test_accuracy):
            problem = f"{len(runs.test_accuracy)} seeds, and {first.name} has {len(first.test_accuracy)}"
            raise InputError("", f"controls[{index}].test_accuracy", problem, "give each run the same seeds")
        for seed, row in enumerate(runs.test_accuracy):
            if len(row) != epochs:
                problem = f"{len(row)} numbers for {epochs} epochs"
                raise InputError("", f"controls[{index}].test_accuracy[{seed}]", problem, "give one an epoch")
    if all(runs.gp_batches != "predicted" for runs in controls):
        remedy = "give ADA-GP's own runs too (gp_batches: predicted)"
        raise InputError("", "controls", "none is of ADA-GP itself", remedy)
