"""Figure 15: the predictor's error by layer and epoch."""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from math import sqrt
from statistics import fmean

from simulator.outputs.charts.chart import Chart, Lines
from simulator.reproduce.accuracy_arithmetic import (
    KNOWABLE,
    REACHED,
    constant_cosine,
    least_cosine,
    paper_mape,
    signs_off,
    wrong_signs,
)
from simulator.reproduce.exhibit import Cell, Comparison, Exhibit
from simulator.reproduce.jobs.job import Findings
from simulator.reproduce.page import PagedExhibit, page
from workloads.control_runs import shown_epochs
from workloads.predictor_errors import LayerErrors
from workloads.trace import Trace, load_trace

Errors = Mapping[str, LayerErrors]
# Layers of the paper's figure 15: VGG13's convolutions.
_PAPER_LAYERS = 10


class PredictorError(PagedExhibit):
    """MAPE and mean squared error as the paper draws them, and what can be known, of the shipped trained runs.

    The page names two traces: the network that is most like the paper's, which is compared with the paper's, and
    a small one.
    """

    def make(self, found: Findings) -> Exhibit:
        """Return curves of every layer, the paper's numbers beside ours, and why they are so far apart."""
        trace, small = (load_trace(self.page.constants[name]) for name in ("trace", "small"))
        errors = trace.predictor_errors
        bound, *_ = paper_mape()
        after = _after_warm_up(trace)
        roots = {layer: root_mse_percent(one)[-1] for layer, one in errors.items()}
        figures = {
            "network": trace.network, "dataset": trace.dataset.name, "epochs": trace.schedule.epoch_count,
            "rate": trace.provenance.settings["predictor_learning_rate"], **_extent("", errors),
            **_extent("small_", small.predictor_errors), "bound": bound, "wrong": 100 * wrong_signs(bound / 100),
            "least_cosine": least_cosine(bound / 100), "knowable": KNOWABLE, "reached": REACHED,
            "knowable_off": 100 * signs_off(KNOWABLE), "reached_off": 100 * signs_off(REACHED),
            "roots": ", ".join(f"{layer} {value:.2g}" for layer, value in roots.items() if value is not None),
            **{f"{name}_{end.__name__}": end(values) for name, values in after.items() for end in (min, max)},
        }  # fmt: skip
        return Exhibit(
            self.page.text(**figures),
            tuple(self._comparisons(trace)),
            (self.page.picture("errors", _draw(errors)), self.page.picture("alike", _draw_alike(errors))),
            (
                self.page.table("layers", _shown(trace), network=trace.network),
                self.page.table("alike", _alike(trace), network=trace.network),
                self.page.table("epochs", _every(errors), network=trace.network),
                self.page.table("small-layers", _shown(small)),
                self.page.table("small-epochs", _every(small.predictor_errors)),
            ),
        )

    def _comparisons(self, trace: Trace) -> Iterator[Comparison]:
        bound, at_first, at_last = paper_mape()
        rows = [[100 * value for value in _present(one.mape)] for one in trace.predictor_errors.values()]
        first, *others = rows[:_PAPER_LAYERS]
        every = [value for one in others for value in one]
        numbers = {"first": (at_first, first[0]), "last": (at_last, first[-1]), "others": (bound, max(every))}
        for name, (paper, ours) in numbers.items():
            reason = self.page.say("reason", percent=paper, right=100 * (1 - wrong_signs(paper / 100)))
            reason += self.page.say("least", least=min(every)) if name == "others" else ""
            what = self.page.say(name, network=trace.network, epochs=trace.schedule.epoch_count)
            yield Comparison(what, paper, ours, reason, digits=2, kind="elsewhere")


def root_mse_percent(errors: LayerErrors) -> list[float | None]:
    """Return the root of the mean squared error by epoch, times 100: what equation 1 comes to without its division."""
    return [None if value is None else 100 * sqrt(value) for value in errors.mse]


def _present(values: tuple[float | None, ...]) -> list[float]:
    return [value for value in values if value is not None]


def _extent(prefix: str, errors: Errors) -> dict[str, float]:
    """Return the least and the largest MAPE in per cent, the mean and the largest cosine, over layers and epochs."""
    percents = [100 * value for one in errors.values() for value in _present(one.mape)]
    cosines = [value for one in errors.values() for value in _present(one.cosine)]
    found = {"least": min(percents), "most": max(percents), "cosine": fmean(cosines), "best": max(cosines)}
    return {prefix + name: value for name, value in found.items()}


def _after_warm_up(trace: Trace) -> dict[str, list[float]]:
    """Return each layer's means over the epochs with Phase GP batches: how alike batches are, and the cosine."""
    done = [trace.schedule.counts_until(epoch).get("gp", 0) for epoch in range(trace.schedule.epoch_count + 1)]
    late = [number for number, (before, then) in enumerate(pairwise(done)) if then > before]
    columns = ("inputs", "predictions", "gradients", "cosine")
    return {
        name: [
            fmean(value for number in late if (value := getattr(one, name)[number]) is not None)
            for one in trace.predictor_errors.values()
        ]
        for name in columns
    }


def _shown(trace: Trace) -> Iterator[tuple[Cell, ...]]:
    for layer, errors in trace.predictor_errors.items():
        roots = root_mse_percent(errors)
        for at in (epoch - 1 for epoch in shown_epochs(trace.schedule.epoch_count)):
            mape = errors.mape[at]
            yield (layer, at + 1, None if mape is None else 100 * mape, roots[at], errors.cosine[at],
                   errors.relative_l2[at])  # fmt: skip


def _alike(trace: Trace) -> Iterator[tuple[Cell, ...]]:
    for layer, errors in trace.predictor_errors.items():
        for at in (epoch - 1 for epoch in shown_epochs(trace.schedule.epoch_count)):
            pairs = errors.gradients[at]
            yield (layer, at + 1, errors.inputs[at], errors.predictions[at], pairs,
                   None if pairs is None else constant_cosine(pairs), errors.cosine[at], errors.norm_ratio[at],
                   errors.expected[at])  # fmt: skip


def _every(errors: Errors) -> Iterator[tuple[Cell, ...]]:
    for layer, one in errors.items():
        for epoch, values in enumerate(zip(one.cosine, one.relative_l2, one.mape, one.mse, strict=True), start=1):
            yield layer, epoch, *values


def _curves(errors: Errors, name: str, factor: float = 1.0) -> dict[str, list[tuple[float, float | None]]]:
    rows = {layer: getattr(one, name) for layer, one in errors.items()}
    return {
        layer: [(epoch, None if value is None else factor * value) for epoch, value in enumerate(row, start=1)]
        for layer, row in rows.items()
    }


def _draw(errors: Errors) -> Chart:
    bound, at_first, at_last = paper_mape()
    epochs = len(next(iter(errors.values())).mape)
    return Chart([
        Lines("(a) MAPE", "epoch", "per cent", _curves(errors, "mape", 100),
              {"a prediction of zero": 100.0, "the paper's bound, layers 2-10": bound},
              {"the paper's layer 1": ((1, at_first), (epochs, at_last))}, logarithmic="y"),
        Lines("(b) mean squared error", "epoch", "MSE", _curves(errors, "mse"), logarithmic="y"),
        Lines("cosine to the true gradient", "epoch", "cosine", _curves(errors, "cosine"),
              {"a prediction of zero": 0.0}),
        Lines("relative L2", "epoch", "relative L2", _curves(errors, "relative_l2"), {"a prediction of zero": 1.0}),
    ], columns=2)  # fmt: skip


def _draw_alike(errors: Errors) -> Chart:
    panels = {"inputs": "what the predictor reads", "predictions": "predictions", "gradients": "true gradients"}
    return Chart(
        [Lines(title, "epoch", "cosine between two batches", _curves(errors, name)) for name, title in panels.items()],
        columns=3,
    )


EXHIBITS = (PredictorError(page("fig15")),)
