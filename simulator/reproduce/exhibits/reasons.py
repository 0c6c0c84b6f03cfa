"""Study: hypotheses of why numbers differ, each compared with every number that it moves."""

from collections.abc import Iterator, Sequence

from simulator.outputs.charts.chart import Changes, Chart
from simulator.reproduce.exhibit import EXPLAIN_BEYOND, Cell, Exhibit
from simulator.reproduce.hypotheses import FIGURES, OTHERS, Hypothesis, Number, hypotheses
from simulator.reproduce.jobs.job import Findings
from simulator.reproduce.page import PagedExhibit, page

_FIGURE_KEYS = frozenset(FIGURES.values())
_TABLE_KEYS = frozenset(exhibit for exhibit, _, _ in OTHERS.values())


class Reasons(PagedExhibit):
    """All hypotheses and all numbers; nothing is simulated for it."""

    def make(self, found: Findings) -> Exhibit:
        """Return the table of hypotheses, the one of numbers, and every value."""
        every = hypotheses()
        shipped, *others = every
        return Exhibit(
            self._text(shipped, others),
            (),
            (self.page.picture("errors", _draw(shipped, others)),),
            (
                self.page.table("hypotheses", (_row(one, shipped) for one in every), count=len(shipped.values)),
                self.page.table("numbers", _number_rows(shipped, others)),
                self.page.table("values", _value_rows(every)),
            ),
        )

    def _text(self, shipped: Hypothesis, others: Sequence[Hypothesis]) -> str:
        nearest = min((one for one in others if one.length.epochs is not None), key=Hypothesis.mean_error)
        nearer, further = moved(nearest, shipped)
        fitted = next(one for one in others if one.machine == shipped.machine and one.length.epochs is None)
        averages = [number for number in shipped.values if is_average(number)]
        never = [
            number for number in shipped.values
            if all(one.error(number) > EXPLAIN_BEYOND for one in (shipped, *others))
        ]  # fmt: skip
        return self.page.text(
            count=len(shipped.values), shipped=100 * shipped.mean_error(), others=len(others),
            better=sum(one.mean_error() < shipped.mean_error() for one in others), nearest=nearest.says,
            nearest_error=100 * nearest.mean_error(), nearer=nearer, further=further, fitted=fitted.says,
            cifar=fitted.epochs["CIFAR10"], imagenet=fitted.epochs["ImageNet"],
            averages_shipped=100 * shipped.mean_error(averages), averages_fitted=100 * fitted.mean_error(averages),
            rounded=sum(round(fitted.values[one], 2) == one.paper for one in averages),
            never=", ".join(f"{one.what} ({one.exhibit})" for one in never) or "none",
        )  # fmt: skip


def is_average(number: Number) -> bool:
    """Return whether it is one of the nine averages of figures 17 to 19."""
    return number.exhibit in _FIGURE_KEYS and number.what.startswith("average")


def moved(one: Hypothesis, shipped: Hypothesis) -> tuple[int, int]:
    """Return how many numbers it brings nearer to the paper, and how many it moves further away."""
    changes = [one.error(number) - shipped.error(number) for number in shipped.values]
    return sum(change < 0 for change in changes), sum(change > 0 for change in changes)


def _row(one: Hypothesis, shipped: Hypothesis) -> tuple[Cell, ...]:
    numbers = list(one.values)
    groups = (
        [number for number in numbers if is_average(number)],
        [number for number in numbers if number.what.startswith("max")],
        [number for number in numbers if number.exhibit == "fig21"],
        [number for number in numbers if number.exhibit in _TABLE_KEYS],
    )
    in_order = sum(value for number, value in one.values.items() if number.what.startswith("runs"))
    return (
        one.machine.says, one.length.says, 100 * one.mean_error(), 100 * max(map(one.error, numbers)),
        *(100 * one.mean_error(group) for group in groups), int(in_order), *moved(one, shipped),
    )  # fmt: skip


def _number_rows(shipped: Hypothesis, others: Sequence[Hypothesis]) -> Iterator[tuple[Cell, ...]]:
    for number in shipped.values:
        best = min((shipped, *others), key=lambda one: one.error(number))
        rest = [other for other in shipped.values if other != number]
        yield (number.exhibit, number.what, number.paper, shipped.values[number], best.says, best.values[number],
               100 * shipped.mean_error(rest), 100 * best.mean_error(rest))  # fmt: skip


def _value_rows(every: Sequence[Hypothesis]) -> Iterator[tuple[Cell, ...]]:
    for one in every:
        for number, value in one.values.items():
            yield one.machine.says, one.length.says, number.exhibit, number.what, number.paper, value


def _draw(shipped: Hypothesis, others: Sequence[Hypothesis]) -> Chart:
    before = shipped.mean_error()
    alone = [one for one in others if shipped.machine == one.machine or shipped.length == one.length]
    bars = [(one.says, 100 * (one.mean_error() - before)) for one in alone]
    return Chart([Changes(f"all {len(shipped.values)} numbers", "change of the mean distance, per cent points", bars)])


EXHIBITS = (Reasons(page("reasons")),)
