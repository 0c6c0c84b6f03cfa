"""Tables 4 and 5: FPGA and ASIC as printed, and a baseline with as many PEs more as MAX's cost allows."""

from collections.abc import Callable, Iterator
from dataclasses import astuple, fields
from functools import cache
from math import floor
from statistics import fmean
from typing import Any

from dataflows.array import PEArray
from simulator.area.asic import asic_area, asic_power, asic_table
from simulator.area.equal import BUDGETS, larger_baselines, published, shapes
from simulator.area.fpga import fpga_power, fpga_resources, fpga_table
from simulator.area.sizes import Sizes, sizes_of
from simulator.machine.spec_loading import load_accelerator, load_designs
from simulator.outputs.charts.chart import Bars, Chart
from simulator.reproduce.exhibit import Cell, Comparison, Exhibit, Table
from simulator.reproduce.jobs.design_comparison import DesignComparison
from simulator.reproduce.jobs.fold_counts import FoldCounts
from simulator.reproduce.jobs.job import Findings, Job
from simulator.reproduce.page import PagedExhibit, pages
from simulator.reproduce.paper import DATASETS, DESIGNS, NETWORKS, targets, trace_name
from simulator.reproduce.variants import array

Shape = tuple[int, int]
Growth = tuple[Shape, Shape, list[float]]  # from, to, and by data set the per cent that it gains by folds
PLAIN = {
    dataset: {network: DesignComparison(trace_name(network, dataset)) for network in NETWORKS} for dataset in DATASETS
}
# VGG13 on CIFAR10 with slower memory, in bytes a second: where does a larger array stop to help?
BANDWIDTHS = (12_800_000_000, 1_600_000_000, 400_000_000, 200_000_000, 150_000_000, 100_000_000)
SLOW = DesignComparison("vgg13-cifar10")
# By exhibit: its tables, each with its place in the printed rows and the model that scales them.
PRINTED: dict[str, dict[str, tuple[Any, int, Callable[[Sizes], Any]]]] = {
    "table4": {"resources": (fpga_table, 0, fpga_resources), "power": (fpga_table, 1, fpga_power)},
    "table5": {"area": (asic_table, 0, asic_area), "power": (asic_table, 1, asic_power)},
}


class EqualBudget(PagedExhibit):
    """A budget of `simulator.area.equal` that is held equal to MAX's; the page names it."""

    @property
    def budget(self) -> str:
        """Name of the budget."""
        return str(self.page.constants["budget"])

    @property
    def pes(self) -> tuple[int, int]:
        """PEs that a baseline may have by the model, and by the paper's share."""
        by_paper = floor(_array().pes * (100 + published()[self.budget].extra_pes_percent) / 100)
        return _larger_pes()[self.budget], by_paper

    @property
    def candidates(self) -> list[Shape]:
        """Arrays that either number of PEs allows, the model's first."""
        return list(dict.fromkeys(shape for pes in self.pes for shape in shapes(_array(), pes)))

    def jobs(self) -> list[Job]:
        """Return the larger baselines and MAX on every network and data set, folds, and slower memories."""
        plain = [job for jobs in PLAIN.values() for job in jobs.values()]
        arrays = [_larger(job.trace, shape) for job in plain for shape in self.candidates]
        slow = [_larger(SLOW.trace, shape, one) for one in BANDWIDTHS for shape in self.candidates]
        return [*plain, *arrays, *(self._folds(job.trace) for job in plain), *map(_slow, BANDWIDTHS), *slow]

    def make(self, found: Findings) -> Exhibit:
        """Return the paper's table, increases, and what a baseline of equal cost gains."""
        gains = _Gains(found, self.candidates, self.pes[0])
        growths = self._growths(found)
        return Exhibit(
            self._text(found, gains, growths),
            (*self.increases(), *self._comparisons(gains)),
            (self.page.picture("equal", self._draw(gains)),),
            (*self.printed_tables(), *self._tables(gains, growths)),
        )

    def printed_tables(self) -> Iterator[Table]:
        """Yield the paper's tables of each design, printed and by the model; a row is said once where they agree."""
        for name, (table, place, model) in PRINTED[self.key].items():
            printed = {design: rows[place] for design, rows in table().items()}
            more, base, rows = name == self.page.constants["increases"], printed["baseline"], []
            for design, paper in printed.items():
                ours = model(_sizes(design))
                both = {"paper, model": paper} if paper == ours else {"paper": paper, "model": ours}
                for whose, one in both.items():
                    total = [100 * (astuple(one)[-1] / astuple(base)[-1] - 1)] if more else []
                    rows.append((design, whose, *astuple(one), *total))
            parts = [field.name for field in fields(base)] + ["more than the baseline, per cent"] * more
            yield self.page.table(name, rows, parts=parts)

    def increases(self) -> Iterator[Comparison]:
        """Yield how much more a design costs than the baseline, by the text and by the model."""
        what, cost = self.page.constants["increases"], BUDGETS[self.budget]
        for name, paper in targets()[self.page.constants["table"]][f"{what}_increase_percent"].items():
            ours = 100 * (cost(_sizes(name.lower())) / cost(_sizes("baseline")) - 1)
            title = f"{what} of {DESIGNS[name.lower()]} over the baseline's, per cent"
            yield Comparison(title, paper, ours, self.page.say("cut_off", ours=ours), 2, "own table")

    def _stated(self, dataset: str) -> float:
        stated = published()[self.budget].speedup_percent(dataset)
        assert stated is not None, "the paper states every data set"
        return stated

    def _comparisons(self, gains: "_Gains") -> Iterator[Comparison]:
        cost = BUDGETS[self.budget]
        reason = self.page.say("pes", more=100 * (cost(_sizes("max")) / cost(_sizes("baseline")) - 1), pes=self.pes[0])
        what, extra = f"PEs a baseline may have more at MAX's {self.budget}, per cent", published()[self.budget]
        yield Comparison(what, extra.extra_pes_percent, _more(self.pes[0]), reason, 1, "own table")
        for dataset in DATASETS:
            means = {f"{_name(one)} ({_more(*one):.1f} % more PEs)": gains.mean(dataset, one) for one in gains.shapes}
            reason = self.page.say("gain", listed=", ".join(f"{name} {mean:.1f} %" for name, mean in means.items()))
            what = f"the larger baseline gains, {dataset}, per cent"
            yield Comparison(what, self._stated(dataset), gains.average(dataset), reason, digits=2)
        for dataset in DATASETS:
            speedup, stated = fmean(gains.speedups(dataset)), self._stated(dataset)
            reason = self.page.say("other_reading", needed=100 * (speedup / (1 + stated / 100) - 1))
            what = f"or: MAX keeps over it, {dataset}, per cent"
            yield Comparison(what, stated, gains.kept(dataset), reason, 2, "reading")

    def _text(self, found: Findings, gains: "_Gains", growths: list[Growth]) -> str:
        base, most = (asic_table()[design][0] for design in ("baseline", "max"))
        added, share, stated = most.total_um2 - base.total_um2, _more(self.pes[0]), fmean(map(self._stated, DATASETS))
        full = [one for one in growths if _more(*one[1]) >= 0.9 * share]
        least, nearest = min(full, key=_mean), min(growths, key=lambda one: abs(_mean(one) - stated))
        traces, plain = (
            [job.trace for jobs in PLAIN.values() for job in jobs.values()],
            (_array().rows, _array().columns),
        )
        cycles, more = [self._fold_cycles(found, trace) for trace in traces], 100 * added / base.total_um2
        return self.page.text(
            opening=self.page.say(self.key, more=more, cells=100 * added / base.combinational_um2),
            pes=self.pes, candidates=" and ".join(map(_name, gains.shapes)), share=share, stated=stated,
            averages=", ".join(f"{gains.average(one):.1f} % on {one}" for one in DATASETS),
            kept=", ".join(f"{gains.kept(one):.1f} %" for one in DATASETS),
            counted=fmean(100 * (one[plain] / one[shape] - 1) for one in cycles for shape in gains.shapes),
            simulated=fmean(gains.of(trace, one) for trace in traces for one in gains.shapes),
            least=_mean(least), from_least=_name(least[0]), to_least=_name(least[1]),
            compact=min(_mean(one) for one in full if max(one[0]) < 3 * min(one[0])),
            nearest=_mean(nearest), from_nearest=_name(nearest[0]), to_nearest=_name(nearest[1]),
            more_nearest=_more(*nearest[1]), steps=", ".join(self._slower(found)),
        )  # fmt: skip

    def _slower(self, found: Findings) -> Iterator[str]:
        """Yield what slower memory makes of the larger baseline's gain, of the baseline and of MAX."""
        for bandwidth in BANDWIDTHS:
            plain, usual = (found[_slow(one)]["baseline"]["cycles"] for one in (bandwidth, BANDWIDTHS[0]))
            fastest = min(found[_larger(SLOW.trace, one, bandwidth)]["baseline"]["cycles"] for one in self.candidates)
            yield self.page.say("slower", gain=100 * (plain / fastest - 1), gigabytes=bandwidth / 1e9,
                                times=plain / usual, max=found[_slow(bandwidth)]["max"]["speedup"])  # fmt: skip

    def _tables(self, gains: "_Gains", growths: list[Growth]) -> Iterator[Table]:
        """Yield the means, every network's gains, and folds of all arrays of as many PEs as the baseline's."""
        names, networks = list(map(_name, gains.shapes)), list[tuple[Cell, ...]]()
        for dataset, jobs in PLAIN.items():
            for (network, job), speedup in zip(jobs.items(), gains.speedups(dataset), strict=True):
                each, (fastest, best) = [gains.of(job.trace, shape) for shape in gains.shapes], gains.best(job.trace)
                networks.append((dataset, network, *each, _name(fastest), speedup, speedup / (1 + best / 100)))
        means = (
            (one, *(gains.mean(one, shape) for shape in gains.shapes), gains.average(one), gains.kept(one))
            for one in DATASETS
        )
        folds = ((_name(base), _name(larger), _more(*larger), *each) for base, larger, each in growths)
        yield self.page.table("means", means, candidates=names, pes=self.pes)
        yield self.page.table("networks", networks, candidates=[f"{one}, per cent" for one in names], pes=self.pes)
        yield self.page.table("folds", folds)

    def _pairs(self) -> list[tuple[Shape, Shape]]:
        """Return every array of 180 PEs with every larger one that the PEs allow."""
        pes, pairs = _array().pes, []
        for rows in (rows for rows in range(1, pes + 1) if pes % rows == 0):
            base = _array().model_copy(update={"rows": rows, "columns": pes // rows})
            pairs += [((rows, pes // rows), larger) for larger in shapes(base, max(self.pes))]
        return [(base, larger) for base, larger in pairs if larger != base]

    def _folds(self, trace: str) -> FoldCounts:
        return FoldCounts(trace, shapes=tuple(dict.fromkeys(shape for pair in self._pairs() for shape in pair)))

    def _fold_cycles(self, found: Findings, trace: str) -> dict[Shape, int]:
        job = self._folds(trace)
        return dict(zip(job.shapes, found[job], strict=True))

    def _growths(self, found: Findings) -> list[Growth]:
        cycles = [[self._fold_cycles(found, job.trace) for job in jobs.values()] for jobs in PLAIN.values()]
        return [
            (base, larger, [fmean(100 * (one[base] / one[larger] - 1) for one in networks) for networks in cycles])
            for base, larger in self._pairs()
        ]

    def _draw(self, gains: "_Gains") -> Chart:
        labels = {f"{_name(shape)}, {_more(*shape):.1f} % more PEs": shape for shape in gains.shapes}
        panels = []
        for dataset, jobs in PLAIN.items():
            gained = {label: [gains.of(job.trace, shape) for job in jobs.values()] for label, shape in labels.items()}
            marks = [("the paper's average", self._stated(dataset))]
            panels.append(Bars(dataset, "gained, per cent", NETWORKS, gained, marks))
        return Chart(panels)


class _Gains:
    """How much faster than the plain baseline larger arrays are, in per cent."""

    def __init__(self, found: Findings, candidates: list[Shape], pes: int) -> None:
        self._found, self.shapes, self._allowed = found, candidates, list(shapes(_array(), pes))

    def of(self, trace: str, shape: Shape) -> float:
        runs = (self._found[job]["baseline"]["cycles"] for job in (DesignComparison(trace), _larger(trace, shape)))
        plain, larger = runs
        return 100 * (plain / larger - 1)

    def mean(self, dataset: str, shape: Shape) -> float:
        return fmean(self.of(job.trace, shape) for job in PLAIN[dataset].values())

    def best(self, trace: str) -> tuple[Shape, float]:
        """Return the fastest array of no more PEs than the model's, and its gain."""
        return max(((shape, self.of(trace, shape)) for shape in self._allowed), key=lambda one: one[1])

    def average(self, dataset: str) -> float:
        """Return the mean of the thirteen networks, each with its fastest array."""
        return fmean(self.best(job.trace)[1] for job in PLAIN[dataset].values())

    def speedups(self, dataset: str) -> list[float]:
        """Return MAX's speedups over the plain baseline."""
        return [self._found[job]["max"]["speedup"] for job in PLAIN[dataset].values()]

    def kept(self, dataset: str) -> float:
        """Return how much faster than the larger baseline MAX is in the mean, in per cent."""
        pairs = zip(self.speedups(dataset), PLAIN[dataset].values(), strict=True)
        return fmean(100 * (speedup / (1 + self.best(job.trace)[1] / 100) - 1) for speedup, job in pairs)


def _mean(growth: Growth) -> float:
    return fmean(growth[2])


def _larger(trace: str, shape: Shape, bandwidth: int | None = None) -> DesignComparison:
    slow = () if bandwidth is None else _slow(bandwidth).settings
    return DesignComparison(trace, designs=("baseline",), settings=(*array(*shape), *slow))


def _slow(bandwidth: int) -> DesignComparison:
    settings = (f"dram.peak_bytes_per_second={bandwidth}",)
    return DesignComparison(SLOW.trace, designs=("baseline", "max"), settings=settings)


@cache
def _array() -> PEArray:
    return load_accelerator(design="baseline").array


@cache
def _larger_pes() -> dict[str, int]:
    return {one.budget: one.pes for one in larger_baselines(load_designs()) if one.design == "max"}


@cache
def _sizes(design: str) -> Sizes:
    return sizes_of(load_accelerator(design=design))


def _more(pes: int, columns: int = 1) -> float:
    """Return the per cent of PEs that a number of them, or an array, has more than the baseline."""
    return 100 * (pes * columns / _array().pes - 1)


def _name(shape: Shape) -> str:
    return f"{shape[0]} x {shape[1]}"


EXHIBITS = tuple(EqualBudget(one) for one in pages("equal_budget"))
