"""docs/predictor-study.md: how far the predictor's training goes on digits, as tables and what they say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from workloads.foundation.markdown import table_head, table_row, wrapped
from workloads.pytorch.ceilings import Track
from workloads.pytorch.gradient_stream import Stream
from workloads.pytorch.training import Run
from workloads.schedule import Phase

# Test samples: one of them is this share of the accuracy.
_TEST_SAMPLES = 360

_HEAD = """# How far the predictor goes on digits

Written by `{command}`; do not edit.
[predictor.md](predictor.md) says what follows from it.

The network is `digits-cnn`, the schedule `paper`. The gradients are the true ones of the first {epochs} epochs, with
{seeds} seeds. They come from runs whose Phase GP batches are left out, so that every predictor sees the same gradients.
Every prediction is made before the predictor learns from its batch, as in the forward pass.

Figures are means over batches, then layers, then seeds: of Warm Up, and of the Phase BP batches after it, whose
neighbours in Phase GP use the predictions. A prediction of zero has a cosine of 0 and a relative L2 of 1.
"""

_BOUNDS = """
## What bounds it

- **Knowable**: the cosine between a batch's gradient and the gradient over all training samples at the same weights
  (`gradient_stream.knowable` says how it is taken without bias). The rest depends on which samples the batch has. It
  is taken at the weights with which each epoch starts, so a layer can come out a little above it.
- **Running mean, last gradient**: each layer's own past gradients, remembered whole, without a predictor. The table has
  the best of the decays tried.
- **Least squares**: the predictor's form with standardised inputs and its convolution as drawn. Before each batch, the
  linear layer fits all past batches best, the newest most. This is what an exact training of the linear layer would
  give. *Shared* is the predictor's form. A linear layer for each layer is not; it shows what sharing costs.
- **Fitted to the batch itself**: no prediction, but what the form can express at all.

"""

_VARIANTS = """
## Ways to train it

The optimizer is the paper's, Adam, with one step on each layer's gradient unless the row says otherwise. The rest is as
in the reference training: raw inputs, targets over the layer's running RMS, a linear layer that starts at zero. *By
seed* is the least and the greatest cosine in Phase BP.

"""

_ACCURACY = """
## What it gains in training

Runs of {epochs} epochs. Cosine and relative L2 are those of the run's own predictions in Phase BP. Its gradients are
not those above, since its predictions have changed the network. Accuracy is in per cent; a test sample is {sample:.2f}
points.

"""


@dataclass(frozen=True, slots=True)
class Score:
    """Means of one way to predict, by phase, then layer; a phase that did not run is missing.

    Attributes
    ----------
    title : str
        What the page calls it.
    cosine, relative_l2 : dict
        By phase, then layer.
    by_seed : tuple of float
        Cosines of Phase BP (of Warm Up, where there is none), one a seed.
    seeds, epochs : int
        How many it was measured on.
    """

    title: str
    cosine: Mapping[Phase, Mapping[str, float]]
    relative_l2: Mapping[Phase, Mapping[str, float]]
    by_seed: tuple[float, ...]
    seeds: int
    epochs: int

    def key(self) -> float:
        """Return the cosine that counts: of Phase BP, whose neighbours use it; of Warm Up where there is none."""
        return fmean(self.by_seed)


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Runs of one way to train the network, one a seed; `predicts` is False where Phase GP predicts nothing."""

    title: str
    runs: tuple[Run, ...]
    predicts: bool


def score(title: str, streams: Sequence[Stream], tracks: Sequence[Track] | None) -> Score:
    """Return the means of a way to predict, one track a stream; without tracks, those of what can be known."""
    near: dict[Phase, dict[str, float]] = {}
    distance: dict[Phase, dict[str, float]] = {}
    by_seed: list[float] = []
    for phase in ("warm_up", "bp"):
        chosen = [[at for at, ran in enumerate(stream.phases) if ran == phase] for stream in streams]
        if not any(chosen):
            continue
        found = []
        for number, stream in enumerate(streams):
            if tracks is None:
                known = [stream.knowable[stream.epochs[at] - 1] for at in chosen[number]]
                rows = [{name: (cosine, (1 - cosine**2) ** 0.5) for name, cosine in row.items()} for row in known]
            else:
                found_errors = [tracks[number][at] for at in chosen[number]]
                rows = [
                    {name: (error.cosine, error.relative_l2) for name, error in row.items()} for row in found_errors
                ]
            found.append({name: [row[name] for row in rows if name in row] for name in reversed(stream.layers)})
        means = [{name: fmean(pair[0] for pair in pairs) for name, pairs in of_seed.items()} for of_seed in found]
        far = [{name: fmean(pair[1] for pair in pairs) for name, pairs in of_seed.items()} for of_seed in found]
        near[phase] = {name: fmean(row[name] for row in means) for name in means[0]}
        distance[phase] = {name: fmean(row[name] for row in far) for name in far[0]}
        by_seed = [fmean(row.values()) for row in means]
    return Score(title, near, distance, tuple(by_seed), len(streams), max(streams[0].epochs))


def page(
    bounds: Sequence[Score], scores: Sequence[Score], trained: Sequence[Accuracy], paper: str, command: str
) -> str:
    """Return the page.

    Parameters
    ----------
    bounds : sequence
        What can be known, the best running mean, the last gradient, least squares (own, shared), fits (own, shared).
    scores : sequence
        Ways to train the predictor, the default first.
    trained : sequence
        Runs with the default predictor, with the paper's rate, and of the controls.
    paper : str
        Title of the way to train with the paper's rate.
    command : str
        The command line that makes the page.
    """
    default = scores[0]
    as_paper = next(one for one in scores if one.title == paper)
    epochs = len(trained[0].runs[0].metrics)
    text = "".join([
        _HEAD.format(command=command, seeds=default.seeds, epochs=default.epochs),
        _BOUNDS, _table(bounds),
        _VARIANTS, _table([replace_title(default, f"**{default.title}** (default)"), *scores[1:]]),
        _limits(bounds, scores, as_paper),
        _ACCURACY.format(epochs=epochs, sample=100 / _TEST_SAMPLES), _accuracies(trained), _gaps(trained),
    ])  # fmt: skip
    return wrapped(text)


def replace_title(one: Score, title: str) -> Score:
    """Return a score under another title."""
    return Score(title, one.cosine, one.relative_l2, one.by_seed, one.seeds, one.epochs)


def _table(scores: Sequence[Score]) -> str:
    layers = list(next(iter(scores[0].cosine.values())))
    heads = ["", "cosine, Warm Up", "cosine, Phase BP", "by seed", "relative L2, Phase BP"]
    heads += [f"{name}, Phase BP" for name in layers]
    lines = [table_head(heads)]
    for one in scores:
        cells = [one.title, _mean(one.cosine, "warm_up"), _mean(one.cosine, "bp")]
        cells += [f"{min(one.by_seed):.3f} to {max(one.by_seed):.3f}", _mean(one.relative_l2, "bp")]
        cells += [f"{one.cosine['bp'][name]:.3f}" if "bp" in one.cosine else "-" for name in layers]
        lines.append(table_row(cells))
    return "".join(lines)


def _limits(bounds: Sequence[Score], scores: Sequence[Score], as_paper: Score) -> str:
    known, mean, last, own, shared, *_ = bounds
    default = scores[0]
    best = max((one for one in scores if "steps a batch" not in one.title), key=Score.key)
    better = sum(a > b for a, b in zip(default.by_seed, as_paper.by_seed, strict=True))
    phase = "Phase BP" if "bp" in default.cosine else "Warm Up"
    steps = [
        (known, "can be known without the batch's samples"),
        (mean, f"by the past alone: the {mean.title} (the last gradient by itself: {last.key():.3f})"),
        (own, "with the predictor's features and a linear layer for each layer, by least squares"),
        (shared, "with the one linear layer that all layers share, by least squares"),
        (default, f"by the default, {default.title}"),
        (as_paper, f"by {as_paper.title}, the paper's"),
    ]
    text = f"The default beats the paper's rate with {better} of {default.seeds} seeds. It has {_share(default, known)}"
    text += (
        f" of the cosine that can be known, and {_share(default, shared)} of what its own form has by least squares. "
    )
    if best is default:
        text += "No other way of one step a batch has a greater cosine.\n"
    else:
        text += f"The greatest of one step a batch is {best.key():.3f}, of {best.title}.\n"
    head = f"\n## What limits it\n\nCosine to the true gradient in {phase}:\n\n"
    return "".join([head, *(f"- {one.key():.3f} {what}.\n" for one, what in steps), "\n", text])


def _share(one: Score, of: Score) -> str:
    return f"{100 * one.key() / of.key():.0f} %" if of.key() > 0 else "none"


def _accuracies(trained: Sequence[Accuracy]) -> str:
    epochs = len(trained[0].runs[0].metrics)
    marks = _marks(epochs)
    heads = ["run", "cosine", "relative L2", *(f"seed {at}" for at in range(len(trained[0].runs))), "mean"]
    heads += [*(f"mean, epoch {epoch}" for epoch in marks), "training loss"]
    lines = [table_head(heads)]
    for one in trained:
        final = [100 * run.metrics[-1].test_accuracy for run in one.runs]
        cells = [one.title, _of_run(one, "cosine"), _of_run(one, "relative_l2")]
        cells += [*(f"{value:.2f}" for value in final), f"{fmean(final):.2f}"]
        cells += [f"{fmean(100 * run.metrics[epoch - 1].test_accuracy for run in one.runs):.2f}" for epoch in marks]
        cells.append(f"{fmean(run.metrics[-1].train_loss for run in one.runs):.4f}")
        lines.append(table_row(cells))
    return "".join(lines)


def _of_run(one: Accuracy, what: str) -> str:
    """Return the mean over layers and Phase BP batches of a run's own predictions."""
    values = [
        (fmean(getattr(error, what) for error in errors.values()), phases.count("bp"))
        for run in one.runs
        for phases, errors in zip(run.phases, run.layer_errors, strict=True)
        if errors and "bp" in phases
    ]
    weight = sum(count for _, count in values)
    return f"{sum(value * count for value, count in values) / weight:.3f}" if one.predicts and weight else "-"


def _gaps(trained: Sequence[Accuracy]) -> str:
    default, *others = trained
    epochs = len(default.runs[0].metrics)
    lines = ["\nThe default against each of the others, accuracy in points (seeds better, equal, worse):\n\n"]
    heads = ["against", *(f"epoch {epoch}" for epoch in (*_marks(epochs), epochs)), "seeds with a lower training loss"]
    lines += [table_head(heads)]
    for other in others:
        pairs = list(zip(default.runs, other.runs, strict=True))
        cells = [other.title]
        for at in (*_marks(epochs), epochs):
            gaps = [100 * (a.metrics[at - 1].test_accuracy - b.metrics[at - 1].test_accuracy) for a, b in pairs]
            better, worse = sum(gap > 0 for gap in gaps), sum(gap < 0 for gap in gaps)
            cells.append(f"{round(fmean(gaps), 6) + 0.0:+.2f} ({better}, {len(gaps) - better - worse}, {worse})")
        lower = sum(a.metrics[-1].train_loss < b.metrics[-1].train_loss for a, b in pairs)
        lines.append(table_row([*cells, f"{lower} of {len(pairs)}"]))
    return "".join(lines)


def _marks(epochs: int) -> list[int]:
    return [epoch for epoch in (14, 22, 45) if epoch < epochs]


def _mean(values: Mapping[Phase, Mapping[str, float]], phase: Phase) -> str:
    return f"{fmean(values[phase].values()):.3f}" if phase in values else "-"
