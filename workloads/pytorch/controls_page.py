"""A training run beside its controls, as tables and what they say: docs/training.md and its like."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import groupby
from statistics import fmean, stdev

from workloads.control_runs import shown_epochs
from workloads.foundation.markdown import table_head, table_row, wrapped
from workloads.pytorch.gradient_prediction import PredictionError
from workloads.pytorch.similarity import Similarity
from workloads.pytorch.training import Run


@dataclass(frozen=True, slots=True)
class Row:
    """A run of a control.

    Attributes
    ----------
    key, title, does : str
        The control's.
    seed : int
        Of its weights and samples.
    run : Run
        What it did.
    """

    key: str
    title: str
    does: str
    seed: int
    run: Run


@dataclass(frozen=True, slots=True)
class Setting:
    """What was trained.

    Attributes
    ----------
    network, dataset : str
        Their names.
    notes : tuple of str
        Those of the network's recipe.
    train_samples, test_samples, batch_size : int
        Sizes of the data and of a batch.
    weights : dict
        Number of weights of each predicted layer, first to last.
    schedule, command : str
        The schedule's name, and the command line that makes the page.
    """

    network: str
    dataset: str
    notes: tuple[str, ...]
    train_samples: int
    test_samples: int
    batch_size: int
    weights: Mapping[str, int]
    schedule: str
    command: str


_HEAD = """# {network} and its controls

Written by `{command}`; do not edit.

The network is `{network}`, {layers} layers with predicted gradients, on {dataset}: {train} samples to train and {test}
to test, {epochs} epochs of {batches} batches of {size}, schedule `{schedule}`. All runs of a seed start from the same
weights and see the same samples in the same order. Their networks are equal up to the first Phase GP batch.
[reference-run.md](reference-run.md) describes the training itself.

{notes}
What a run does in a Phase GP batch:

{does}"""

_VERDICT = """
- Only where ADA-GP is better than the runs without its predictions can this come from its predictions. A gap that not
  every seed shows does not count.
- Where random gradients reach the same accuracy, too, the gradients of Phase GP hardly matter to the task.
- The epochs on the way say more than the last one, when every run has learnt the task.
- Cycles and energy in the simulator depend only on the sequence of batches. `adagp-sim compare {network}` prints what
  each run costs until it reaches an accuracy ([results.md](results.md)).
"""

_ERRORS = """
## The predictor's errors by layer

These are errors of the predictions made in the forward pass of Warm Up and Phase BP batches of the ADA-GP runs, before
the predictor is trained on the batch. They are means over the batches of an epoch and over seeds. A prediction of zero
has relative L2 and MAPE 1. The cosine of a random vector and the true gradient is 0 in the mean; its deviation is one
over the root of the number of weights.

"""

_SOURCES = (
    ("what", "from", "here"),
    ("10 epochs Warm Up, then 4:1, 3:1, 2:1 for 4 epochs each, then 1:1", "paper, 3.2 and 3.5", "schedule `paper`"),
    ("90 epochs", "paper, figure 15", "the default"),
    ("SGD with momentum, rate 0.001", "paper, 5.2", "as it is"),
    ("the predictor's Adam", "paper, 5.2", "as it is"),
    ("its rate, 0.0001", "paper, 5.2", "0.01 (ours) in runs of few batches; `--predictor-rate 0.0001` is the paper's"),
    ("one step of it on each layer's true gradient", "paper, 3.3", "as it is; `--predictor-steps`"),
    ("momentum 0.9", "ours, the paper names none", "fixed"),
    ("ReduceLROnPlateau, torch's defaults", "paper, 5.2", "`--plateau`, off here; watches the training loss (ours)"),
    ("MultiStepLR for the predictor", "paper, 5.2, no milestones", "`--milestone`, none here; each divides by 10"),
    ("predictor's form", "paper, 3.6, no sizes", "pooled to 4 x 4, Conv2d 1 -> 4 of 3 x 3, one linear layer"),
    ("its linear layer starts at zero", "ours", "`--predictor-start`: also `default`, which is torch's, and `small`"),
    ("its targets are over a running RMS of the layer", "ours", "`--predictor-targets`: also `plain` and `batch`"),
    ("it has no biases", "ours, the paper does not say", "`--predictor-biases`"),
    ("its inputs as they are", "ours, the paper does not say", "`--predictor-inputs`: also `standardised`"),
    ("biases and batch norm's affine part do not change in Phase GP", "ours, the paper does not say", "always"),
    ("MAPE", "paper, equation 1", "as a factor; a true gradient counts as at least 0.001 of their RMS"),
)

_END = """
The options are those of `adagp-sim train reference`. [predictor.md](predictor.md) and
[predictor-study.md](predictor-study.md) say what each of the predictor's gains, and how well gradients of this task can
be predicted.

The paper's figure 15 has a MAPE below 0.16 % for layers 2 to 10 of VGG13. Nothing here comes near it, and the paper
does not say how it was measured. A prediction of zero has a MAPE of 100 %; a prediction with 0.16 % has a cosine of
nearly 1.
"""


_SIMILARITY = """
## How alike batches are

These are mean cosines over all pairs of two different Warm Up or Phase BP batches of an epoch of the ADA-GP runs, in
the mean of seeds. *Inputs* are what the predictor reads of a layer: the mean of its outputs over the batch, pooled.
*Expected* is the cosine between a batch's prediction and the mean gradient of the epoch's other batches. Where inputs
are alike for every batch, predictions are alike too, and the predictor knows no more than a constant would.

"""


def page(rows: Sequence[Row], setting: Setting) -> str:
    """Return the page.

    Parameters
    ----------
    rows : sequence
        The runs, those of a control next to each other, in the same order of seeds; the first control
        is the run that the others are compared with.
    setting : Setting
        What was trained.
    """
    groups = {key: list(group) for key, group in groupby(rows, key=lambda row: row.key)}
    reference = next(iter(groups.values()))
    epochs = len(rows[0].run.metrics)
    shown = shown_epochs(epochs)
    head = _HEAD.format(
        network=setting.network, command=setting.command, layers=len(setting.weights), dataset=setting.dataset,
        train=setting.train_samples, test=setting.test_samples, epochs=epochs, size=setting.batch_size,
        batches=setting.train_samples // setting.batch_size, schedule=setting.schedule,
        notes="".join(f"- {note}\n" for note in setting.notes),
        does="".join(f"- **{group[0].title}** {group[0].does}.\n" for group in groups.values()),
    )  # fmt: skip
    parts = [
        head,
        _accuracies(groups, shown, setting.test_samples),
        _verdict(groups),
        _VERDICT.format(network=setting.network),
        *_by_layer(_ERRORS, ERRORS, PredictionError, [row.run.layer_errors for row in reference], setting, shown),
        *_by_layer(_SIMILARITY, SIMILARITY, Similarity, [row.run.similarity for row in reference], setting, shown),
        "\n`--csv FILE` writes every epoch, layer, seed and control.\n",
        "\n## The paper's, and ours\n\n",
        table_head(_SOURCES[0]),
        *(table_row(row) for row in _SOURCES[1:]),
        _END,
    ]
    return wrapped("".join(parts))


# Heads of the columns, by the field, and how a number of the field is written.
ERRORS = {
    "cosine": ("cosine", ".3f"), "norm_ratio": ("length over true", ".3f"), "relative_l2": ("relative L2", ".4f"),
    "mape": ("MAPE", ".3f"), "mae": ("MAPE without its division", ".2e"), "mse": ("MSE", ".2e"),
}  # fmt: skip
SIMILARITY = {
    "inputs": ("inputs", ".3f"), "predictions": ("predictions", ".3f"), "gradients": ("true gradients", ".3f"),
    "expected": ("prediction and expected gradient", ".3f"),
}  # fmt: skip


def _accuracies(groups: Mapping[str, list[Row]], shown: Sequence[int], test_samples: int) -> str:
    seeds = [str(row.seed) for row in next(iter(groups.values()))]
    heads = ["run", "true batches", "GP batches", *(f"seed {seed}" for seed in seeds), "mean", "spread"]
    heads += [f"mean, epoch {epoch}" for epoch in shown[:-1] if epoch > 1] + ["training loss"]
    lines = ["\n## Test accuracy in per cent\n\n", table_head(heads)]
    for group in groups.values():
        runs = [row.run for row in group]
        phases = [phase for epoch in runs[0].phases for phase in epoch]
        final = _final(group)
        cells = [group[0].title, str(len(phases) - phases.count("gp")), str(phases.count("gp"))]
        cells += [f"{value:.2f}" for value in final]
        cells += [f"{fmean(final):.2f}", f"{stdev(final):.2f}" if len(final) > 1 else "-"]
        for epoch in shown[:-1]:
            if epoch > 1:
                cells.append(f"{fmean(100 * run.metrics[epoch - 1].test_accuracy for run in runs):.2f}")
        cells.append(f"{fmean(run.metrics[-1].train_loss for run in runs):.4f}")
        lines.append(table_row(cells))
    lines.append(
        "\nSpread is the sample standard deviation over seeds. One test sample is "
        f"{100 / test_samples:.2f} points. True batches are those of Warm Up and Phase BP. "
        "The training loss is the mean over the batches that ran in the last epoch.\n"
    )
    return "".join(lines)


def _final(group: Sequence[Row]) -> list[float]:
    """Return each seed's last accuracy in per cent."""
    return [100 * row.run.metrics[-1].test_accuracy for row in group]


def _verdict(groups: Mapping[str, list[Row]]) -> str:
    (_, reference), *others = groups.items()
    lines = [
        "\n## What it says\n\n**Equal accuracy is no evidence of prediction.** ADA-GP against each control. *p* is "
        "that of a paired t-test over seeds, two-sided. With several controls, one below 0.05 is no surprise.\n\n"
    ]
    for _, group in others:
        gaps = [mine - theirs for mine, theirs in zip(_final(reference), _final(group), strict=True)]
        points = f"{fmean(gaps):+.2f} points in the mean, {min(gaps):+.2f} to {max(gaps):+.2f} by seed{_tested(gaps)}"
        lines.append(f"- {group[0].title}: {points}; ADA-GP is {_sign(gaps)}.\n")
    return "".join(lines)


def _tested(gaps: Sequence[float]) -> str:
    """Return the p of a paired t-test, where there are seeds whose gaps differ."""
    if len(set(gaps)) < 2:
        return ""
    from scipy.stats import ttest_1samp

    return f", p = {float(ttest_1samp(gaps, 0.0).pvalue):.2f}"


def _sign(gaps: Sequence[float]) -> str:
    better, worse = sum(gap > 0 for gap in gaps), sum(gap < 0 for gap in gaps)
    return f"better with {better}, equal with {len(gaps) - better - worse}, worse with {worse} of {len(gaps)} seeds"


def _by_layer(
    words: str, columns: Mapping[str, tuple[str, str]], kind: type, of_seeds: Sequence[Sequence[Mapping[str, object]]],
    setting: Setting, shown: Sequence[int],
) -> Iterator[str]:  # fmt: skip
    """Give a section with a table of a kind of numbers by layer and epoch, in the mean of the seeds that have some."""
    assert set(columns) == {field.name for field in fields(kind)}
    yield words
    yield table_head(["layer", "weights", "epoch", *(head for head, _ in columns.values())])
    for layer, count in setting.weights.items():
        for epoch in shown:
            found = [epochs[epoch - 1][layer] for epochs in of_seeds if layer in epochs[epoch - 1]]
            if found:
                means = {name: fmean(getattr(one, name) for one in found) for name in columns}
                cells = [f"{means[name]:{form}}" for name, (_, form) in columns.items()]
                yield table_row([layer, str(count), str(epoch), *cells])
