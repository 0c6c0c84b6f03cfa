"""docs/training.md: the digits run beside its controls, as tables and what they say."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from statistics import fmean, stdev

from workloads.foundation.markdown import table_head, table_row, wrapped
from workloads.pytorch.training import Run

# Key and title of a control, seed, what it did.
Row = tuple[str, str, int, Run]
# Test samples: one of them is this share of the accuracy.
_TEST_SAMPLES = 360

_HEAD = """# The reference training and its controls

Written by `{command}`; do not edit.

The network is `digits-cnn`, three convolutions and a linear layer, on scikit-learn's 8 x 8 digits: 1437 samples to
train and {samples} to test, {epochs} epochs of 44 batches of 32, schedule `{schedule}`. All runs of a seed start from
the same weights and see the same samples in the same order. They are equal up to the first Phase GP batch.
[reference-run.md](reference-run.md) describes the training itself.

What a run does in a Phase GP batch:

- **ADA-GP** steps with the predicted gradients.
- **Backpropagation on every batch** trains by backpropagation; the predictor only watches.
- **GP batches left out** does nothing; Warm Up and Phase BP run as scheduled.
- **Zero gradients in GP** lets the optimizer step, so momentum carries on; nothing is predicted.
- **Random gradients in GP** steps with normal noise of the running RMS of the layer's true gradients.
"""

_VERDICT = """
- Only where ADA-GP is better than both the run with its GP batches left out and the run with zero gradients can this
  come from its predictions. A gap of a sample or two, or one that not every seed shows, does not count.
- Where random gradients reach the same accuracy, too, the gradients of Phase GP hardly matter to the task.
- The epochs on the way say more than the last one, when every run has learnt the task.
- Digits are easy. These runs show that the training does what it should. They say nothing about the paper's networks,
  where the controls would have to be run again.
- Cycles and energy in the simulator depend only on the sequence of batches. `adagp-sim compare digits-cnn` prints what
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
    ("its rate, 0.0001", "paper, 5.2", "0.01 (ours) on digits; `--predictor-rate 0.0001` is the paper's"),
    ("one step of it on each layer's true gradient", "paper, 3.3", "as it is; `--predictor-steps`"),
    ("momentum 0.9", "ours, the paper names none", "fixed"),
    ("ReduceLROnPlateau, torch's defaults", "paper, 5.2", "`--plateau`, off here; watches the training loss (ours)"),
    ("MultiStepLR for the predictor", "paper, 5.2, no milestones", "`--milestone`, none here; each divides by 10"),
    ("predictor's form", "paper, 3.6, no sizes", "pooled to 4 x 4, Conv2d 1 -> 4 of 3 x 3, one linear layer"),
    ("its linear layer starts at zero", "ours", "`--predictor-start`: also `default`, which is torch's, and `small`"),
    ("its targets are over a running RMS of the layer", "ours", "`--predictor-targets`: also `plain` and `batch`"),
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


def page(rows: Sequence[Row], weights: Mapping[str, int], schedule: str, command: str) -> str:
    """Return the page.

    Parameters
    ----------
    rows : sequence
        The runs, those of a control next to each other, in the same order of seeds; the first control
        is the run that the others are compared with.
    weights : dict
        Number of weights of each predicted layer.
    schedule, command : str
        The schedule's name, and the command line that makes the page.
    """
    groups = {key: list(group) for key, group in groupby(rows, key=lambda row: row[0])}
    epochs = len(rows[0][3].metrics)
    shown = sorted({epoch for epoch in (1, 10, 22, 45) if epoch < epochs} | {epochs})
    parts = [
        _HEAD.format(command=command, samples=_TEST_SAMPLES, epochs=epochs, schedule=schedule),
        _accuracies(groups, shown),
        _verdict(groups),
        _errors(next(iter(groups.values())), weights, shown),
        "\n## The paper's, and ours\n\n",
        table_head(_SOURCES[0]),
        *(table_row(row) for row in _SOURCES[1:]),
        _END,
    ]
    return wrapped("".join(parts))


def _accuracies(groups: Mapping[str, list[Row]], shown: Sequence[int]) -> str:
    seeds = [str(row[2]) for row in next(iter(groups.values()))]
    heads = ["run", "true batches", "GP batches", *(f"seed {seed}" for seed in seeds), "mean", "spread"]
    heads += [f"mean, epoch {epoch}" for epoch in shown[:-1] if epoch > 1] + ["training loss"]
    lines = ["\n## Test accuracy in per cent\n\n", table_head(heads)]
    for group in groups.values():
        runs = [row[3] for row in group]
        phases = [phase for epoch in runs[0].phases for phase in epoch]
        final = [100 * run.metrics[-1].test_accuracy for run in runs]
        cells = [group[0][1], str(len(phases) - phases.count("gp")), str(phases.count("gp"))]
        cells += [f"{value:.2f}" for value in final]
        cells += [f"{fmean(final):.2f}", f"{stdev(final):.2f}" if len(final) > 1 else "-"]
        for epoch in shown[:-1]:
            if epoch > 1:
                cells.append(f"{fmean(100 * run.metrics[epoch - 1].test_accuracy for run in runs):.2f}")
        cells.append(f"{fmean(run.metrics[-1].train_loss for run in runs):.4f}")
        lines.append(table_row(cells))
    lines.append(
        "\nSpread is the sample standard deviation over seeds. One test sample is "
        f"{100 / _TEST_SAMPLES:.2f} points. True batches are those of Warm Up and Phase BP. "
        "The training loss is the mean over the batches that ran in the last epoch.\n"
    )
    return "".join(lines)


def _verdict(groups: Mapping[str, list[Row]]) -> str:
    (_, reference), *others = groups.items()
    lines = ["\n## What it says\n\n**Equal accuracy is no evidence of prediction.** ADA-GP against each control:\n\n"]
    for _, group in others:
        gaps = [
            100 * (mine[3].metrics[-1].test_accuracy - theirs[3].metrics[-1].test_accuracy)
            for mine, theirs in zip(reference, group, strict=True)
        ]
        points = f"{fmean(gaps):+.2f} points in the mean, {min(gaps):+.2f} to {max(gaps):+.2f} by seed"
        lines.append(f"- {group[0][1]}: {points}; ADA-GP is {_sign(gaps)}.\n")
    return "".join([*lines, _VERDICT])


def _sign(gaps: Sequence[float]) -> str:
    better, worse = sum(gap > 0 for gap in gaps), sum(gap < 0 for gap in gaps)
    return f"better with {better}, equal with {len(gaps) - better - worse}, worse with {worse} of {len(gaps)} seeds"


def _errors(group: Sequence[Row], weights: Mapping[str, int], shown: Sequence[int]) -> str:
    heads = ["layer", "weights", "epoch", "cosine", "relative L2", "MAPE", "MSE"]
    lines = [_ERRORS, table_head(heads)]
    for layer, count in weights.items():
        for epoch in shown:
            errors = [row[3].layer_errors[epoch - 1][layer] for row in group if layer in row[3].layer_errors[epoch - 1]]
            if errors:
                cells = [f"{fmean(error.cosine for error in errors):.3f}"]
                cells += [f"{fmean(error.relative_l2 for error in errors):.4f}"]
                cells += [f"{fmean(error.mape for error in errors):.3f}", f"{fmean(error.mse for error in errors):.2e}"]
                lines.append(table_row([layer, str(count), str(epoch), *cells]))
    lines.append("\n`--csv FILE` writes every epoch, layer, seed and control.\n")
    return "".join(lines)
