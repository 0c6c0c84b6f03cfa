"""How far the predictor can be trained on digits, and what limits it.

``adagp-sim train predictors --out docs/predictor-study.md`` measures it and writes the page; it takes some twenty
minutes on one core of a busy machine. docs/predictor.md says what follows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from workloads.networks import find_recipe
from workloads.networks.recipe import Recipe
from workloads.predictor import Predictor
from workloads.pytorch.ceilings import Track, fit_to_batch, least_squares, replay, running_mean
from workloads.pytorch.gradient_stream import Stream, record_stream
from workloads.pytorch.model_loading import record_anywhere
from workloads.pytorch.predictor_study_page import Accuracy, Score, page, score
from workloads.pytorch.predictor_training import Inputs, PredictorTraining
from workloads.pytorch.settings import Settings, settings_of
from workloads.pytorch.split import Split
from workloads.pytorch.training import train
from workloads.recording.assembly import predictor_of
from workloads.schedule import Policy
from workloads.trace import load_policy

NETWORK = "digits-cnn"
PAPER_RATE = 0.0001
RATES = (PAPER_RATE, 0.0003, 0.001, 0.003, 0.01, 0.03)
_DECAYS = (0.5, 0.8, 0.9, 0.95, 0.98, 0.99)
_FIT_DECAYS = (0.95, 0.98)
_MILESTONE = 22
_OWNERS = {False: "a linear layer for each layer", True: "the shared linear layer"}


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to train the predictor."""

    rate: float
    training: PredictorTraining = field(default_factory=PredictorTraining)
    milestones: tuple[int, ...] = ()

    @property
    def title(self) -> str:
        """What the page calls it: its rate, and what is not as by default."""
        plain, mine = PredictorTraining(), self.training
        words = [f"rate {self.rate:g}"]
        words += [f"{mine.inputs} inputs"] if mine.inputs != plain.inputs else []
        words += [f"{mine.targets} targets"] if mine.targets != plain.targets else []
        words += [f"{mine.start} start"] if mine.start != plain.start else []
        words += [f"{mine.steps} steps a batch (not the paper's)"] if mine.steps != plain.steps else []
        words += [f"a tenth after epoch {epoch}" for epoch in self.milestones]
        return ", ".join(words)


def variants(chosen: Variant) -> list[Variant]:
    """Return what is tried: all rates with both inputs, and each other choice beside the chosen variant."""
    read: tuple[Inputs, Inputs] = ("raw", "standardised")
    mine = chosen.training
    found = [Variant(rate, PredictorTraining(inputs=inputs)) for inputs in read for rate in RATES]
    others = (
        replace(mine, targets="plain"), replace(mine, targets="batch"), replace(mine, start="small"),
        replace(mine, start="default"), replace(mine, steps=3),
    )  # fmt: skip
    found += [replace(chosen, training=other) for other in others]
    found += [Variant(chosen.rate, PredictorTraining(inputs=inputs), (_MILESTONE,)) for inputs in read]
    found.append(Variant(PAPER_RATE, PredictorTraining(targets="plain")))
    found.append(Variant(PAPER_RATE, PredictorTraining(targets="plain", start="default")))
    return list(dict.fromkeys([chosen, *found]))


def chosen_variant(settings: Settings) -> Variant:
    """Return how a run with these settings trains its predictor."""
    return Variant(settings.predictor_learning_rate, settings.predictor_training, settings.predictor_milestones)


def measure(
    recipe: Recipe, data: Split, sizes: Predictor, policy: Policy, seeds: Sequence[int], epochs: int,
    tell: Callable[[str], None],
) -> tuple[list[Score], list[Score]]:  # fmt: skip
    """Return the bounds and the variants, each over all seeds, on the gradients of runs that leave GP batches out."""
    streams: list[Stream] = []
    for seed in seeds:
        streams.append(record_stream(recipe, data, sizes, policy, seed, epochs))
        tell(f"gradients of seed {seed}")

    def over_seeds(title: str, make: Callable[[Stream, int], Track]) -> Score:
        found = score(title, streams, [make(stream, seed) for stream, seed in zip(streams, seeds, strict=True)])
        tell(title)
        return found

    def mean(decay: float) -> Score:
        return over_seeds(
            f"running mean of past gradients, decay {decay:g}", lambda stream, _: running_mean(stream, decay)
        )

    def fit(shared: bool, decay: float) -> Score:
        return over_seeds(
            f"{_OWNERS[shared]}, least squares, decay {decay:g}",
            lambda stream, seed: least_squares(stream, sizes, decay, shared, seed),
        )

    def fitted(shared: bool) -> Score:
        return over_seeds(
            f"{_OWNERS[shared]}, fitted to the batch itself",
            lambda stream, seed: fit_to_batch(stream, sizes, shared, seed),
        )

    def trained(variant: Variant) -> Score:
        return over_seeds(
            variant.title,
            lambda stream, seed: replay(stream, sizes, variant.rate, variant.training, seed, variant.milestones),
        )

    bounds = [
        score("knowable without the batch's samples", streams, None),
        max((mean(decay) for decay in _DECAYS), key=Score.key),
        over_seeds("the last gradient", lambda stream, _: running_mean(stream, 0.0)),
        *(max((fit(shared, decay) for decay in _FIT_DECAYS), key=Score.key) for shared in (False, True)),
        *(fitted(shared) for shared in (False, True)),
    ]
    return bounds, [trained(variant) for variant in variants(chosen_variant(settings_of(recipe)))]


def accuracies(
    recipe: Recipe, data: Split, sizes: Predictor, policy: Policy, seeds: Sequence[int], epochs: int,
    tell: Callable[[str], None],
) -> list[Accuracy]:  # fmt: skip
    """Train with the chosen predictor, with the paper's rate, and with the two controls that predict nothing."""
    chosen = settings_of(recipe)
    plain: dict[str, Any] = {"predictor_milestones": (), "predictor_training": PredictorTraining()}
    read = PredictorTraining(inputs="standardised")
    other = Variant(chosen.predictor_learning_rate, read)
    ways: list[tuple[str, dict[str, Any]]] = [
        (f"ADA-GP, {chosen_variant(chosen).title} (default)", {}),
        (f"ADA-GP, {Variant(PAPER_RATE).title} (the paper's)", plain | {"predictor_learning_rate": PAPER_RATE}),
        (f"ADA-GP, {other.title}", plain | {"predictor_training": read}),
        ("zero gradients in GP (momentum only)", {"gp_gradient": "zero"}),
        ("GP batches left out", {"gp_gradient": "skip"}),
    ]
    found = []
    for title, options in ways:
        runs = []
        for seed in seeds:
            settings = settings_of(recipe, seed, **options)
            runs.append(train(recipe.build, data, sizes, policy, settings, epochs))
            tell(f"{title}, seed {seed}")
        found.append(Accuracy(title, tuple(runs), predicts="gp_gradient" not in options))
    return found


def study(
    seeds: Sequence[int], stream_epochs: int, epochs: int, command: str, tell: Callable[[str], None]
) -> tuple[str, int]:
    """Measure all, and return the page and how many ways to train the predictor are on it; `command` made it."""
    recipe, policy = find_recipe(NETWORK), load_policy("paper")
    training = recipe.training
    assert training is not None
    shapes = [(recipe.batch_size, *shape) for shape in recipe.input_shapes]
    sizes = predictor_of(record_anywhere(recipe.build, shapes, recipe.input_dtypes, recipe.name))
    data = training.load_data()
    bounds, scores = measure(recipe, data, sizes, policy, seeds, stream_epochs, tell)
    trained = accuracies(recipe, data, sizes, policy, seeds, epochs, tell)
    return page(bounds, scores, trained, Variant(PAPER_RATE).title, command), len(scores)
