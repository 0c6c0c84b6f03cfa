"""Hypotheses of why our numbers are not the paper's, each compared with every number that it moves.

A hypothesis is a machine and a length of the runs. What batches cost on each machine is data
(`configs/reproduce/hypotheses.csv`); all else is arithmetic, so that the report needs no simulation for it.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import product
from statistics import fmean
from typing import Any

from simulator.reproduce.jobs.batch_costs import BatchCosts
from simulator.reproduce.jobs.job import Findings
from simulator.reproduce.page import pages
from simulator.reproduce.paper import DATASETS, DESIGNS, NETWORKS, targets, trace_name
from simulator.reproduce.run_arithmetic import Batches, paper_batches
from simulator.reproduce.variants import array
from workloads.foundation.reading import read_text
from workloads.foundation.shipped import shipped_folder
from workloads.foundation.strict_yaml import read_yaml
from workloads.trace import load_trace

FILE = "hypotheses.csv"
COLUMNS = ("machine", "dataflow", "trace", "design", "bp_cycles", "gp_cycles", "bp_memory_pj", "gp_memory_pj")
CIFAR = ("CIFAR10", "CIFAR100")
FITTED = range(11, 301)  # epochs among which the nearest are sought; with ten there is no Phase GP
# Traces of tables 2 and 3: exhibit, key of the numbers in `configs/paper/`, and there the key of each design's.
OTHERS = {
    "transformer-multi30k": ("table2", "transformer_multi30k", {"max": "adagp"}),
    "yolo-v3-voc": ("table3", "yolov3_pascalvoc", {"efficient": "efficient", "max": "max"}),
}
# Exhibit of speedups by dataflow, where the paper prints some; the paper's weight stationary comes first.
FIGURES = {one.constants["dataflow"]: one.constants["key"] for one in pages("speedups") if one.constants["printed"]}
_ALL_GP = "vgg13-cifar10"  # the network of the row "almost 3 times"


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine that is simulated on every trace, or batches of another size.

    Attributes
    ----------
    settings : tuple of str
        As `--set` takes them.
    array : (int, int), optional
        Sides of the first array.
    batch : Fraction
        Samples of a batch over the trace's own.
    """

    key: str
    says: str
    settings: tuple[str, ...] = ()
    array: tuple[int, int] | None = None
    batch: Fraction = Fraction(1)

    def job(self, trace: str, dataflow: str) -> BatchCosts:
        """Return the job that gives its costs."""
        grown = () if self.array is None else array(*self.array)
        size = None if self.batch == 1 else int(self.batch * load_trace(trace).batch_size)
        return BatchCosts(trace, dataflow, settings=(*self.settings, *grown), batch_size=size)


@dataclass(frozen=True, slots=True)
class Length:
    """Epochs of all runs; None where they are fitted by data set."""

    key: str
    says: str
    epochs: int | None = None


@dataclass(frozen=True, slots=True)
class Cost:
    """What batches cost a design on a trace."""

    bp_cycles: int
    gp_cycles: int
    bp_memory_pj: float
    gp_memory_pj: float

    def cycles(self, batches: Batches) -> int:
        """Return the cycles of a run; a Warm Up batch is one of Phase BP."""
        gp = batches.get("gp", 0)
        return (sum(batches.values()) - gp) * self.bp_cycles + gp * self.gp_cycles

    def memory_pj(self, batches: Batches) -> float:
        """Return the memory energy of a run."""
        gp = batches.get("gp", 0)
        return (sum(batches.values()) - gp) * self.bp_memory_pj + gp * self.gp_memory_pj


Costs = Mapping[tuple[str, str, str], Cost]  # by dataflow, trace and design, of one machine


@dataclass(frozen=True, slots=True)
class Number:
    """A number of the paper: the exhibit and the row that have it, and its value."""

    exhibit: str
    what: str
    paper: float


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A machine and a length, with the number that they give for each of the paper's.

    Attributes
    ----------
    epochs : dict of int
        By data set, and of the networks of tables 2 and 3 by trace.
    """

    machine: Machine
    length: Length
    epochs: Mapping[str, int]
    values: Mapping[Number, float]

    @property
    def key(self) -> str:
        """What reasons call it."""
        return f"{self.machine.key}, {self.length.key}"

    @property
    def says(self) -> str:
        """What it supposes, in words."""
        return f"{self.machine.says}, {self.length.says}"

    def error(self, number: Number) -> float:
        """Return how far its value is from the paper's, as a share of the paper's."""
        return abs(self.values[number] / number.paper - 1)

    def mean_error(self, numbers: Iterable[Number] | None = None) -> float:
        """Return the mean of the errors of some numbers; of all of them, if none are named."""
        return fmean(self.error(one) for one in (self.values if numbers is None else numbers))


@cache
def _written() -> dict[str, Any]:
    found: dict[str, Any] = read_yaml(shipped_folder("configs/reproduce") / "hypotheses.yaml")
    return found


def machines() -> list[Machine]:
    """Return the machines, the shipped one first."""
    return [Machine(**entry | {"batch": Fraction(entry.get("batch", 1))}) for entry in _written()["machines"]]


def lengths() -> list[Length]:
    """Return the lengths of runs, the shipped one first."""
    return [Length(**entry) for entry in _written()["lengths"]]


def cells() -> list[tuple[str, str]]:
    """Return every dataflow and trace on which machines are simulated; tables 2 and 3 are under the first dataflow."""
    first, *_ = FIGURES
    pictures = [trace_name(network, dataset) for dataset in DATASETS for network in NETWORKS]
    return [*product(FIGURES, pictures), *((first, trace) for trace in OTHERS)]


def rows(found: Findings) -> Iterator[tuple[str | int | float, ...]]:
    """Give the rows of the data from the results of all jobs."""
    for machine in machines():
        for dataflow, trace in cells():
            for design, phases in found[machine.job(trace, dataflow)].items():
                bp, gp = phases["bp"], phases["gp"]
                yield machine.key, dataflow, trace, design, bp[0], gp[0], f"{bp[1]:.6g}", f"{gp[1]:.6g}"


@cache
def shipped_costs() -> dict[str, Costs]:
    """Return by machine what batches cost, from the data."""
    found: dict[str, dict[tuple[str, str, str], Cost]] = {}
    for row in csv.DictReader(io.StringIO(read_text(shipped_folder("configs/reproduce") / FILE))):
        found.setdefault(row["machine"], {})[row["dataflow"], row["trace"], row["design"]] = Cost(
            int(row["bp_cycles"]), int(row["gp_cycles"]), float(row["bp_memory_pj"]), float(row["gp_memory_pj"])
        )
    return dict(found)


def hypotheses() -> list[Hypothesis]:
    """Return every machine with every length, the shipped ones first."""
    found = []
    for machine, length in product(machines(), lengths()):
        costs = shipped_costs()[machine.key]
        epochs = fitted_epochs(costs) if length.epochs is None else dict.fromkeys((*DATASETS, *OTHERS), length.epochs)
        found.append(Hypothesis(machine, length, epochs, dict(_numbers(costs, epochs))))
    return found


def fitted_epochs(costs: Costs) -> dict[str, int]:
    """Return the epochs, one number for CIFAR and one for ImageNet, whose nine averages are nearest to the paper's.

    Those of tables 2 and 3 stay as shipped.
    """

    def off(datasets: Sequence[str], epochs: int) -> float:
        same = dict.fromkeys(datasets, epochs)
        return sum(abs(value - number.paper) for number, value in _averages(costs, same))

    cifar, imagenet = (min(FITTED, key=lambda epochs: off(some, epochs)) for some in (CIFAR, ("ImageNet",)))
    shipped, *_ = lengths()
    assert shipped.epochs is not None
    return dict.fromkeys(CIFAR, cifar) | {"ImageNet": imagenet} | dict.fromkeys(OTHERS, shipped.epochs)


def _numbers(costs: Costs, epochs: Mapping[str, int]) -> Iterator[tuple[Number, float]]:
    """Give each number of the paper that a machine or a length moves, and its value."""
    yield from _averages(costs, epochs)
    for dataflow, paper in _printed():
        for dataset, published in paper.get("max", {}).items():
            yield (Number(FIGURES[dataflow], f"max speedup of MAX, {dataset}", published),
                   max(_speedups(costs, dataflow, dataset, "max", epochs[dataset])))  # fmt: skip
        pairs = [(network, dataset) for dataset in DATASETS for network in NETWORKS]
        held = sum(_in_order(costs, dataflow, trace_name(*pair), epochs[pair[1]]) for pair in pairs)
        yield Number(FIGURES[dataflow], "runs with LOW <= Efficient <= MAX", len(pairs)), held
    saved = 100 * fmean(_saved(costs, dataset, epochs[dataset]) for dataset in DATASETS)
    yield Number("fig21", "all that the machine charges, per cent saved",
                 100 * targets()["energy"]["average_reduction"]), saved  # fmt: skip
    dataflow, *_ = FIGURES
    base, fast = (costs[dataflow, _ALL_GP, design] for design in ("baseline", "max"))
    yield (Number("schedules", f"speedup of MAX with Phase GP batches alone, {_ALL_GP}",
                  targets()["claims"]["speedup_of_phase_gp"]), base.bp_cycles / fast.gp_cycles)  # fmt: skip
    for trace, (exhibit, printed, designs) in OTHERS.items():
        for design, key in designs.items():
            published = targets()[printed]["baseline"]["cycles_e9"] / targets()[printed][key]["cycles_e9"]
            yield (Number(exhibit, f"speedup of {DESIGNS[design]}", published),
                   _speedup(costs, dataflow, trace, design, epochs[trace]))  # fmt: skip


def _printed() -> Iterator[tuple[str, Mapping[str, Mapping[str, float]]]]:
    for dataflow in FIGURES:
        yield dataflow, targets()["speedup_over_bp"][dataflow.upper()]


def _averages(costs: Costs, epochs: Mapping[str, int]) -> Iterator[tuple[Number, float]]:
    """Give the averages of MAX on those data sets whose epochs are given."""
    for dataflow, paper in _printed():
        for dataset, published in paper["average"].items():
            if dataset in epochs:
                value = fmean(_speedups(costs, dataflow, dataset, "max", epochs[dataset]))
                yield Number(FIGURES[dataflow], f"average speedup of MAX, {dataset}", published), value


def _speedups(costs: Costs, dataflow: str, dataset: str, design: str, epochs: int) -> list[float]:
    return [_speedup(costs, dataflow, trace_name(network, dataset), design, epochs) for network in NETWORKS]


def _speedup(costs: Costs, dataflow: str, trace: str, design: str, epochs: int) -> float:
    batches = _batches(trace, epochs)
    base, own = (costs[dataflow, trace, name] for name in ("baseline", design))
    return base.cycles(batches) / own.cycles(batches)


def _in_order(costs: Costs, dataflow: str, trace: str, epochs: int) -> bool:
    batches = _batches(trace, epochs)
    low, efficient, most = (costs[dataflow, trace, name].cycles(batches) for name in ("low", "efficient", "max"))
    return low >= efficient >= most


def _saved(costs: Costs, dataset: str, epochs: int) -> float:
    """Return the share of memory energy that MAX saves under the first dataflow, in the mean of all networks."""
    dataflow, *_ = FIGURES
    found = []
    for trace in (trace_name(network, dataset) for network in NETWORKS):
        base, own = (costs[dataflow, trace, name].memory_pj(_batches(trace, epochs)) for name in ("baseline", "max"))
        found.append(1 - own / base)
    return fmean(found)


@cache
def _batches(trace: str, epochs: int) -> Batches:
    return paper_batches(epochs, _per_epoch(trace))


@cache
def _per_epoch(trace: str) -> int:
    loaded = load_trace(trace)
    return loaded.dataset.batches_per_epoch(loaded.batch_size)
