"""Numbers and choices of a training run."""

import math
from dataclasses import dataclass, field, replace
from typing import Any

from workloads.foundation.errors import InputError
from workloads.networks.recipe import Recipe
from workloads.pytorch.gp_gradients import GpGradient
from workloads.pytorch.predictor_training import PredictorTraining

SEEDS = 1 << 32  # of the generators of NumPy, PyTorch and Python, the fewest
# The paper's (section 5.2), for networks whose recipe has no training of its own; the momentum is the customary one.
PAPER_PREDICTOR_RATE = 0.0001
_PAPER_RATES = {"learning_rate": 0.001, "momentum": 0.9, "predictor_learning_rate": PAPER_PREDICTOR_RATE}


@dataclass(frozen=True, slots=True)
class Settings:
    """Numbers of a training run.

    Attributes
    ----------
    batch_size : int
        Samples of a batch; the rest of an epoch that does not fill one is left out.
    learning_rate, momentum : float
        Of the network's SGD, the same in all phases; the rate is the initial one where a schedule lowers it.
    predictor_learning_rate : float
        Of the predictor's Adam, in the same way.
    seed : int
        Of the initial weights, dropout and the order of the samples.
    gp_gradient : str
        What a Phase GP batch steps with: ``predicted``, or for a control another of `GpGradient`. A run says something
        about prediction only beside its controls.
    late_rate : float
        Factor on the network's rate from the first epoch with Phase GP batches on.
    plateau : bool
        Lower the network's rate with torch's ReduceLROnPlateau and its defaults, as the paper does.
        It watches the mean training loss of an epoch: the paper does not say what its own watches.
    predictor_milestones : tuple of int
        Epochs after which the predictor's rate falls to a tenth (MultiStepLR). The paper names none.
    sparsity : bool
        Count the zeros of what each layer reads, holds and gets back.
    predictor_training : PredictorTraining
        How the predictor is trained besides its rate.
    """

    batch_size: int
    learning_rate: float
    momentum: float
    predictor_learning_rate: float
    seed: int = 0
    gp_gradient: GpGradient = "predicted"
    late_rate: float = 1.0
    plateau: bool = False
    predictor_milestones: tuple[int, ...] = ()
    sparsity: bool = False
    predictor_training: PredictorTraining = field(default_factory=PredictorTraining)

    def __post_init__(self) -> None:
        if not 0 <= self.seed < SEEDS:
            raise InputError("--seed", "", f"is {self.seed}", f"give a whole number from 0 to {SEEDS - 1}")
        if not 0 <= self.predictor_learning_rate < math.inf:
            raise InputError("--predictor-rate", "", f"is {self.predictor_learning_rate}", "give zero or more")
        if any(epoch < 1 for epoch in self.predictor_milestones):
            raise InputError("--milestone", "", f"is {min(self.predictor_milestones)}", "give an epoch, counted from 1")

    def described(self) -> dict[str, str | int | float | bool]:
        """Return what a trace's provenance says of them all; of options, those in use."""
        found: dict[str, str | int | float | bool] = {
            "seed": self.seed, "learning_rate": self.learning_rate, "momentum": self.momentum,
            "predictor_learning_rate": self.predictor_learning_rate,
        }  # fmt: skip
        found |= self.predictor_training.described()
        if self.plateau:
            found["plateau"] = True
        if self.predictor_milestones:
            found["predictor_milestones"] = " ".join(map(str, self.predictor_milestones))
        return found


def settings_of(recipe: Recipe, seed: int = 0, **options: Any) -> Settings:
    """Return the settings of a recipe, or the paper's where it has none, with some options."""
    training = recipe.training
    chosen: dict[str, Any] = dict(_PAPER_RATES)
    if training is not None:
        chosen = {name: getattr(training, name) for name in (*_PAPER_RATES, "predictor_training")}
    return Settings(**{"batch_size": recipe.batch_size, "seed": seed} | chosen | options)


def with_predictor(settings: Settings, learning_rate: float | None = None, **choices: Any) -> Settings:
    """Return settings with another rate of the predictor and other choices of its training, where they are given."""
    given = {name: value for name, value in choices.items() if value is not None}
    return replace(
        settings,
        predictor_learning_rate=settings.predictor_learning_rate if learning_rate is None else learning_rate,
        predictor_training=replace(settings.predictor_training, **given),
    )
