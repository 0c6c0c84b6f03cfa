"""What tables 4 and 5 share: a baseline with as many PEs more as MAX's cost allows, beside the paper's."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from math import floor
from statistics import fmean
from typing import TYPE_CHECKING, TypeVar

from dataflows.array import PEArray
from simulator.area.equal import BUDGETS, larger_baselines, published, shapes
from simulator.area.sizes import sizes_of
from simulator.machine.spec_loading import load_accelerator, load_designs
from simulator.reproduce.exhibit import Cell, Comparison, Picture, Table
from simulator.reproduce.job import Findings, Job
from simulator.reproduce.jobs.design_comparison import DesignComparison
from simulator.reproduce.jobs.fold_counts import FoldCounts
from simulator.reproduce.jobs.larger_baseline import LargerBaseline
from simulator.reproduce.paper import DATASETS, NETWORKS, trace_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure

T = TypeVar("T")
Shape = tuple[int, int]
# VGG13 on CIFAR10 with slower memory, in bytes a second: where does a larger array stop to help?
BANDWIDTHS = (12_800_000_000, 1_600_000_000, 400_000_000, 200_000_000, 100_000_000)
SLOW = "vgg13-cifar10"


@dataclass(frozen=True, slots=True)
class Growth:
    """One array of as many PEs as the baseline's and a larger one: per cent gained by folds, by data set."""

    base: Shape
    larger: Shape
    gains: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Mean of the data sets."""
        return fmean(self.gains)


@dataclass(frozen=True)
class EqualBudget:
    """A budget of `simulator.area.equal` that is held equal to MAX's."""

    key: str
    budget: str

    @property
    def model_pes(self) -> int:
        """PEs that a baseline may have by the model."""
        return _larger_pes()[self.budget]

    @property
    def paper_pes(self) -> int:
        """PEs that the paper's share would be."""
        return floor(_pes() * (100 + published()[self.budget].extra_pes_percent) / 100)

    @property
    def candidates(self) -> list[Shape]:
        """Arrays that either number of PEs allows, the model's first."""
        array = _array()
        return list(dict.fromkeys((*shapes(array, self.model_pes), *shapes(array, self.paper_pes))))

    def jobs(self) -> list[Job]:
        """Return the larger baselines and MAX on every network and data set, folds, and slower memories."""
        pairs = [trace_name(network, dataset) for network in NETWORKS for dataset in DATASETS]
        jobs: list[Job] = [self._larger(trace) for trace in pairs]
        jobs += [DesignComparison(trace, "ws") for trace in pairs]
        jobs += [self._folds(trace) for trace in pairs]
        return [*jobs, *(self._slow(bandwidth) for bandwidth in BANDWIDTHS)]

    def gain(self, found: Findings, trace: str, shape: Shape) -> float:
        """Return how much faster than the plain baseline one of an array of a shape is, in per cent."""
        cycles = found[self._larger(trace)][self.candidates.index(shape)]
        return 100 * (found[DesignComparison(trace, "ws")]["baseline"]["cycles"] / cycles - 1)

    def best(self, found: Findings, trace: str, pes: int) -> tuple[Shape, float]:
        """Return the fastest array of no more than so many PEs, and its gain in per cent."""
        allowed = list(shapes(_array(), pes))
        return max(((shape, self.gain(found, trace, shape)) for shape in allowed), key=lambda one: one[1])

    def average(self, found: Findings, dataset: str) -> float:
        """Return the mean gain of the thirteen networks with the model's PEs, each with its fastest array."""
        return fmean(self.best(found, trace_name(one, dataset), self.model_pes)[1] for one in NETWORKS)

    def _mean_gain(self, found: Findings, dataset: str, shape: Shape) -> float:
        return fmean(self.gain(found, trace_name(one, dataset), shape) for one in NETWORKS)

    def max_over_larger(self, found: Findings, dataset: str) -> float:
        """Return how much faster than the larger baseline MAX is in the mean, in per cent."""
        gains = []
        for network in NETWORKS:
            trace = trace_name(network, dataset)
            speedup = found[DesignComparison(trace, "ws")]["max"]["speedup"]
            gains.append(100 * (speedup / (1 + self.best(found, trace, self.model_pes)[1] / 100) - 1))
        return fmean(gains)

    def comparisons(self, found: Findings) -> Iterator[Comparison]:
        """Yield PEs and both readings of the paper's sentence."""
        paper, pes = published()[self.budget], self.model_pes
        extra = 100 * (pes / _pes() - 1)
        yield Comparison(
            f"PEs a baseline may have more at MAX's {self.budget}, per cent", paper.extra_pes_percent, extra,
            self._pes_reason(), digits=1,
        )  # fmt: skip
        for dataset in DATASETS:
            listed = ", ".join(
                f"{_name(shape)} ({_more(shape):.1f} % more PEs) {self._mean_gain(found, dataset, shape):.1f} %"
                for shape in self.candidates
            )
            why = f"gain by array: {listed}; more than its share of PEs where 16 columns need fewer folds than 15"
            stated = paper.speedup_percent(dataset)
            assert stated is not None, "the paper states every data set"
            yield Comparison(
                f"the larger baseline gains, {dataset}, per cent", stated, self.average(found, dataset), why, digits=2
            )
        for dataset in DATASETS:
            stated = paper.speedup_percent(dataset)
            assert stated is not None, "the paper states every data set"
            why = (
                "the other reading: MAX over the larger baseline; for the paper's figure that baseline would have to "
                f"gain {100 * (self._max_speedup(found, dataset) / (1 + stated / 100) - 1):.0f} %"
            )
            yield Comparison(
                f"or: MAX keeps over it, {dataset}, per cent", stated, self.max_over_larger(found, dataset), why,
                digits=2,
            )  # fmt: skip

    def text(self, found: Findings) -> str:
        """Return what the study says."""
        growths = self._growths(found)
        share = 100 * (self.model_pes / _pes() - 1)
        full = [one for one in growths if _more(one.larger) >= 0.9 * share]
        least = min(full, key=lambda one: one.mean)
        compact = min(one.mean for one in full if max(one.base) < 3 * min(one.base))
        nearest = min(growths, key=lambda one: abs(one.mean - self._stated()))
        simulated, counted = self._check(found)
        averages = ", ".join(f"{self.average(found, one):.1f} % on {one}" for one in DATASETS)
        kept = ", ".join(f"{self.max_over_larger(found, one):.1f} %" for one in DATASETS)
        return (
            f"**Equal {self.budget}.** By the model a baseline of MAX's cost may have {self.model_pes} PEs, by the "
            f"paper {self.paper_pes}. An array is a rectangle: {_listed(self.candidates)} are what fits. The paper can "
            "be read two ways. If the larger baseline gains what it states, ours gains more, each network with its "
            f"fastest array: {averages}. If MAX keeps that over it, ours keeps more: {kept}.\n\n"
            "**Why more.** Speed goes by folds, not by PEs. Channels are mostly powers of two: 64 take five folds on "
            f"15 columns and four on 16. A gain as large as the share of PEs would be {share:.1f} %. Counted folds "
            f"(last table) agree with the simulation, {counted:.2f} % against {simulated:.2f} % in the mean, and say "
            "what other arrays of 180 PEs would gain: of those that grow by nine tenths of that or more none gains "
            f"less than {least.mean:.1f} % ({_name(least.base)} to {_name(least.larger)}), of those less than three "
            f"times as long as wide none less than {compact:.1f} %; nearest to the paper's {self._stated():.2f} % is "
            f"{_name(nearest.base)} to {_name(nearest.larger)}, {_more(nearest.larger):.1f} % more PEs and "
            f"{nearest.mean:.2f} %.\n\n"
            f"**Could memory hold it back?** {self._memory(found)} The paper's FPGA reads from an SSD (section 5.1); "
            "its bandwidth is not stated."
        )

    def _memory(self, found: Findings) -> str:
        usual = found[self._slow(BANDWIDTHS[0])][0]
        steps = [
            f"{self._slow_gain(found, one):.1f} % at {one / 1e9:g} GB/s (baseline "
            f"{found[self._slow(one)][0] / usual:.2f} times as long)"
            for one in BANDWIDTHS
        ]
        return f"With slower DRAM the larger baseline gains on VGG13, CIFAR10: {', '.join(steps)}."

    def tables(self, found: Findings) -> tuple[Table, ...]:
        """Return every network's gains, and folds of all arrays of as many PEs as the baseline's."""
        rows: list[tuple[Cell, ...]] = []
        for dataset in DATASETS:
            for network in NETWORKS:
                trace = trace_name(network, dataset)
                gains = [self.gain(found, trace, shape) for shape in self.candidates]
                fastest, best = self.best(found, trace, self.model_pes)
                speedup = found[DesignComparison(trace, "ws")]["max"]["speedup"]
                rows.append((dataset, network, *gains, _name(fastest), speedup, speedup / (1 + best / 100)))
        means: list[tuple[Cell, ...]] = [
            (dataset, *(self._mean_gain(found, dataset, shape) for shape in self.candidates),
             self.average(found, dataset), self.max_over_larger(found, dataset))
            for dataset in DATASETS
        ]  # fmt: skip
        growths: tuple[tuple[Cell, ...], ...] = tuple(
            (_name(one.base), _name(one.larger), _more(one.larger), *one.gains) for one in self._growths(found)
        )
        names = [_name(shape) for shape in self.candidates]
        return (
            Table(f"{self.key}-means", "Per cent gained over the plain baseline, mean of thirteen networks",
                  ("data set", *names, f"fastest of {self.model_pes} PEs", "MAX over that"), tuple(means), digits=2),
            Table(f"{self.key}-networks", "Every network",
                  ("data set", "network", *(f"{name}, per cent" for name in names),
                   f"fastest of {self.model_pes} PEs", "MAX over the plain baseline", "MAX over the larger"),
                  tuple(rows), shown=False),
            Table(f"{self.key}-folds", "Folds: per cent that arrays of 180 PEs gain when they grow, means",
                  ("from", "to", "more PEs, per cent", *DATASETS), growths, digits=2),
        )  # fmt: skip

    def picture(self, found: Findings) -> Picture:
        """Return bars of the gains by network."""
        return Picture(
            f"{self.key}-equal",
            f"Bars of what larger baselines of MAX's {self.budget} gain for each network, and the paper's average",
            lambda: self._draw(found),
        )

    def _pes_reason(self) -> str:
        cost = BUDGETS[self.budget]
        baseline, most = (cost(sizes_of(load_accelerator(design=design))) for design in ("baseline", "max"))
        return (
            f"MAX costs {100 * (most / baseline - 1):.2f} % more than the baseline; what of the baseline's cost grows "
            f"with PEs allows {self.model_pes} of them (docs/area.md)"
        )

    def _stated(self) -> float:
        paper = published()[self.budget]
        return fmean((paper.cifar10_percent, paper.cifar100_percent, paper.imagenet_percent))

    def _max_speedup(self, found: Findings, dataset: str) -> float:
        return fmean(found[DesignComparison(trace_name(one, dataset), "ws")]["max"]["speedup"] for one in NETWORKS)

    def _larger(self, trace: str) -> LargerBaseline:
        return LargerBaseline(trace, tuple(self.candidates))

    def _folds(self, trace: str) -> FoldCounts:
        return FoldCounts(trace, tuple(dict.fromkeys(shape for pair in self._pairs() for shape in pair)))

    def _pairs(self) -> list[tuple[Shape, Shape]]:
        """Return every array of 180 PEs with every larger one that the PEs allow."""
        array, pes = _array(), max(self.model_pes, self.paper_pes)
        pairs = []
        for rows in range(1, array.pes + 1):
            if array.pes % rows == 0:
                base = array.model_copy(update={"rows": rows, "columns": array.pes // rows})
                pairs += [((base.rows, base.columns), larger) for larger in shapes(base, pes)]
        return [(base, larger) for base, larger in pairs if larger != base]

    def _fold_gain(self, found: Findings, trace: str, base: Shape, larger: Shape) -> float:
        job = self._folds(trace)
        cycles = dict(zip(job.shapes, found[job], strict=True))
        return 100 * (cycles[base] / cycles[larger] - 1)

    def _growths(self, found: Findings) -> list[Growth]:
        return [
            Growth(base, larger, tuple(
                fmean(self._fold_gain(found, trace_name(one, dataset), base, larger) for one in NETWORKS)
                for dataset in DATASETS
            ))
            for base, larger in self._pairs()
        ]  # fmt: skip

    def _check(self, found: Findings) -> tuple[float, float]:
        """Return the mean gain over networks, data sets and candidates as simulated, and as folds have it."""
        array = _array()
        traces = [trace_name(network, dataset) for network in NETWORKS for dataset in DATASETS]
        pairs = [(trace, shape) for trace in traces for shape in self.candidates]
        plain = (array.rows, array.columns)
        return (
            fmean(self.gain(found, trace, shape) for trace, shape in pairs),
            fmean(self._fold_gain(found, trace, plain, shape) for trace, shape in pairs),
        )

    def _slow(self, bandwidth: int) -> LargerBaseline:
        array = _array()
        shapes_ = ((array.rows, array.columns), *self.candidates)
        return LargerBaseline(SLOW, shapes_, settings=(f"dram.peak_bytes_per_second={bandwidth}",))

    def _slow_gain(self, found: Findings, bandwidth: int) -> float:
        plain, *larger = found[self._slow(bandwidth)]
        return 100 * (plain / min(larger) - 1)

    def _draw(self, found: Findings) -> "Figure":
        from simulator.reproduce.charts import grouped_bars

        panels, marks = {}, {}
        for dataset in DATASETS:
            series = {}
            for shape in self.candidates:
                gains = [self.gain(found, trace_name(one, dataset), shape) for one in NETWORKS]
                series[f"{_name(shape)}, {_more(shape):.1f} % more PEs"] = [*gains, fmean(gains)]
            panels[dataset] = series
            stated = published()[self.budget].speedup_percent(dataset)
            assert stated is not None, "the paper states every data set"
            marks[dataset] = [("the paper's average", stated)]
        return grouped_bars(panels, [*NETWORKS, "average"], "gained, per cent", marks)


def beside(paper: T, model: T) -> tuple[tuple[str, T], ...]:
    """Return a row of a table as printed and by the model, each under its name; once where they are equal."""
    return (("paper, model", paper),) if paper == model else (("paper", paper), ("model", model))


@cache
def _array() -> PEArray:
    return load_accelerator(design="baseline").array


@cache
def _larger_pes() -> dict[str, int]:
    return {one.budget: one.pes for one in larger_baselines(load_designs()) if one.design == "max"}


def _pes() -> int:
    return _array().pes


def _more(shape: Shape) -> float:
    return 100 * (shape[0] * shape[1] / _pes() - 1)


def _name(shape: Shape) -> str:
    return f"{shape[0]} x {shape[1]}"


def _listed(candidates: Sequence[Shape]) -> str:
    return " and ".join(_name(shape) for shape in candidates)
