"""Figure 15: the predictor's error by layer and epoch."""

from collections.abc import Iterator, Mapping
from math import sqrt
from statistics import fmean

from simulator.outputs.charts.chart import Chart, Lines
from simulator.reproduce.accuracy_arithmetic import KNOWABLE, REACHED, least_cosine, paper_mape, signs_off, wrong_signs
from simulator.reproduce.exhibit import Cell, Comparison, Exhibit
from simulator.reproduce.jobs.job import Findings
from simulator.reproduce.page import PagedExhibit, page
from workloads.predictor_errors import LayerErrors
from workloads.trace import load_trace

TRACE = "digits-cnn"
SHOWN_EPOCHS = (1, 10, 22, 45, 90)
Errors = Mapping[str, LayerErrors]


class PredictorError(PagedExhibit):
    """MAPE and mean squared error as the paper draws them, cosine and relative L2 beside, of the shipped run."""

    def make(self, found: Findings) -> Exhibit:
        """Return curves of every layer, the paper's numbers beside ours, and why they are so far apart."""
        trace = load_trace(TRACE)
        errors = trace.predictor_errors
        percents = [100 * value for one in errors.values() for value in _present(one.mape)]
        cosines = [value for one in errors.values() for value in _present(one.cosine)]
        bound, *_ = paper_mape()
        last = {layer: root_mse_percent(one)[-1] for layer, one in errors.items()}
        text = self.page.text(
            trace=TRACE, rate=trace.provenance.settings["predictor_learning_rate"], least=min(percents),
            most=max(percents), cosine=fmean(cosines), best=max(cosines), bound=bound,
            wrong=100 * wrong_signs(bound / 100), least_cosine=least_cosine(bound / 100), knowable=KNOWABLE,
            reached=REACHED, knowable_off=100 * signs_off(KNOWABLE), reached_off=100 * signs_off(REACHED),
            roots=", ".join(f"{layer} {value:.2f}" for layer, value in last.items() if value is not None),
        )  # fmt: skip
        every = (
            (layer, epoch, *values)
            for layer, one in errors.items()
            for epoch, values in enumerate(zip(one.cosine, one.relative_l2, one.mape, one.mse, strict=True), start=1)
        )
        return Exhibit(
            text,
            tuple(self._comparisons(errors)),
            (self.page.picture("errors", _draw(errors)),),
            (self.page.table("layers", _shown(errors), trace=TRACE), self.page.table("epochs", every)),
        )

    def _comparisons(self, errors: Errors) -> Iterator[Comparison]:
        bound, at_first, at_last = paper_mape()
        first, *others = ([100 * value for value in _present(one.mape)] for one in errors.values())
        every = [value for one in others for value in one]
        numbers = {"first": (at_first, first[0]), "last": (at_last, first[-1]), "others": (bound, max(every))}
        for name, (paper, ours) in numbers.items():
            right, off = 100 * (1 - wrong_signs(paper / 100)), 100 * signs_off(KNOWABLE)
            reason = self.page.say("reason", percent=paper, right=right, off=off)
            reason += self.page.say("least", least=min(every)) if name == "others" else ""
            what = self.page.say(name, trace=TRACE, layers=len(errors))
            yield Comparison(what, paper, ours, reason, digits=2, kind="elsewhere")


def root_mse_percent(errors: LayerErrors) -> list[float | None]:
    """Return the root of the mean squared error by epoch, times 100: what equation 1 comes to without its division."""
    return [None if value is None else 100 * sqrt(value) for value in errors.mse]


def _present(values: tuple[float | None, ...]) -> list[float]:
    return [value for value in values if value is not None]


def _shown(found: Errors) -> Iterator[tuple[Cell, ...]]:
    for layer, errors in found.items():
        roots = root_mse_percent(errors)
        for at in (epoch - 1 for epoch in SHOWN_EPOCHS):
            mape = errors.mape[at]
            yield (layer, at + 1, None if mape is None else 100 * mape, roots[at], errors.cosine[at],
                   errors.relative_l2[at])  # fmt: skip


def _draw(errors: Errors) -> Chart:
    def curves(name: str, factor: float = 1.0) -> dict[str, list[tuple[float, float | None]]]:
        rows = {layer: getattr(one, name) for layer, one in errors.items()}
        return {
            layer: [(epoch, None if value is None else factor * value) for epoch, value in enumerate(row, start=1)]
            for layer, row in rows.items()
        }

    bound, at_first, at_last = paper_mape()
    epochs = len(next(iter(errors.values())).mape)
    return Chart([
        Lines("(a) MAPE", "epoch", "per cent", curves("mape", 100),
              {"a prediction of zero": 100.0, "the paper's bound, layers 2-10": bound},
              {"the paper's layer 1": ((1, at_first), (epochs, at_last))}, logarithmic="y"),
        Lines("(b) mean squared error", "epoch", "MSE", curves("mse"), logarithmic="y"),
        Lines("cosine to the true gradient", "epoch", "cosine", curves("cosine"), {"a prediction of zero": 0.0}),
        Lines("relative L2", "epoch", "relative L2", curves("relative_l2"), {"a prediction of zero": 1.0}),
    ], columns=2)  # fmt: skip


EXHIBITS = (PredictorError(page("fig15")),)
