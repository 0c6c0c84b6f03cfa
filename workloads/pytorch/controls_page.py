"""docs/training.md: the digits run beside its controls, as tables and what they say."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from statistics import fmean, stdev

from workloads.pytorch.training import Run

# Key and title of a control, seed, what it did.
Row = tuple[str, str, int, Run]
# Test samples: one of them is this share of the accuracy.
_TEST_SAMPLES = 360

_HEAD = """# The reference training and its controls

Written by `{command}`; do not edit.

The network is `digits-cnn`, three convolutions and a linear layer, on scikit-learn's 8 x 8 digits: 1437 samples to
train and {samples} to test, {epochs} epochs of 44 batches of 32, schedule `{schedule}`. All runs of a seed start from
the same weights and see the same samples in the same order; they are equal up to the first Phase GP batch.
[reference-run.md](reference-run.md) describes the training itself.

- **ADA-GP**: Phase GP batches step with the predicted gradients.
- **Backpropagation on every batch**: no Phase GP at all, the predictor only watches.
- **GP batches left out**: Phase BP and Warm Up as scheduled, nothing in between.
- **Zero gradients in GP**: the optimizer steps at the same places, so momentum carries on; nothing is predicted.
- **Random gradients in GP**: normal noise with the running RMS of the layer's true gradients, nothing predicted.
"""

_VERDICT = """
Only what ADA-GP does better than the run with its GP batches left out, and than zero gradients, can be the work of
its predictions. A gap of a sample or two, or one that not every seed shows, is none. Where random gradients end there
too, what Phase GP steps with hardly matters to the task. The epochs on the way tell more than the last one, by which
every run has learnt it. Digits are easy: these runs show that the training does what it should, and say nothing about
the paper's networks, where the controls would have to be run again. Cycles and energy in the simulator depend on the
sequence of batches alone; what each run takes to reach an accuracy, `adagp-sim compare digits-cnn` prints
([results.md](results.md)).
"""

_ERRORS = """
## The predictor's errors by layer

Of the predictions made in the forward pass of Warm Up and Phase BP batches, before the predictor is trained on the
batch: means over the batches of an epoch and over seeds, in the ADA-GP runs. A prediction of zero has relative L2 and
MAPE 1. The cosine of a random vector and the true gradient is 0 in the mean, its deviation one over the root of the
number of weights.

"""

_SOURCES = (
    ("what", "from", "here"),
    ("---", "---", "---"),
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
    ("biases and batch norm's affine part rest in Phase GP", "ours, the paper does not say", "as said"),
    ("MAPE", "paper, equation 1", "as a factor; true gradients count as 0.001 of their RMS at least"),
)

_END = """
The options are those of `adagp-sim train reference`. What each of the predictor's is worth, and how far
prediction goes on this task: [predictor.md](predictor.md), [predictor-study.md](predictor-study.md).

The paper's figure 15 has a MAPE below 0.16 % for layers 2 to 10 of VGG13. Nothing here comes near it, and the paper
does not say how it was measured: a prediction of zero has a MAPE of 100 %, one of 0.16 % has a cosine of nearly 1.
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
        *(_line(row) for row in _SOURCES),
        _END,
    ]
    return "".join(parts)


def _accuracies(groups: Mapping[str, list[Row]], shown: Sequence[int]) -> str:
    seeds = [str(row[2]) for row in next(iter(groups.values()))]
    heads = ["run", "true batches", "GP batches", *(f"seed {seed}" for seed in seeds), "mean", "spread"]
    heads += [f"mean, epoch {epoch}" for epoch in shown[:-1] if epoch > 1] + ["training loss"]
    lines = ["\n## Test accuracy in per cent\n\n", _line(heads), _line(["---"] * len(heads))]
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
        lines.append(_line(cells))
    lines.append(
        "\nSpread is the sample standard deviation over seeds; one test sample is "
        f"{100 / _TEST_SAMPLES:.2f} points. True batches are\nthose of Warm Up and Phase BP. "
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
    lines = [_ERRORS, _line(heads), _line(["---"] * len(heads))]
    for layer, count in weights.items():
        for epoch in shown:
            errors = [row[3].layer_errors[epoch - 1][layer] for row in group if layer in row[3].layer_errors[epoch - 1]]
            if errors:
                cells = [f"{fmean(error.cosine for error in errors):.3f}"]
                cells += [f"{fmean(error.relative_l2 for error in errors):.4f}"]
                cells += [f"{fmean(error.mape for error in errors):.3f}", f"{fmean(error.mse for error in errors):.2e}"]
                lines.append(_line([layer, str(count), str(epoch), *cells]))
    lines.append("\n`--csv FILE` writes every epoch, layer, seed and control.\n")
    return "".join(lines)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |\n"
