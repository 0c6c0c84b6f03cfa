"""Whole runs put together from batches: what other lengths and shares of Phase GP make of the same cycles a batch."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from simulator.reproduce.job import Plain
from workloads.schedule import Phase, Policy
from workloads.trace import load_policy


@dataclass(frozen=True, slots=True)
class BatchCycles:
    """Cycles of a batch: the baseline's, and a design's with and without a backward pass."""

    baseline: int
    bp: int
    gp: int

    def speedup(self, batches: Mapping[Phase, int]) -> float:
        """Return the speedup of a run with so many batches of each phase."""
        total, predicted = sum(batches.values()), batches.get("gp", 0)
        return total * self.baseline / ((total - predicted) * self.bp + predicted * self.gp)

    def gp_share_for(self, speedup: float) -> float:
        """Return the share of GP batches that gives a speedup."""
        return (self.bp - self.baseline / speedup) / (self.bp - self.gp)


def batch_cycles(found: Plain, design: str) -> BatchCycles:
    """Return the cycles of batches of a design from a job's result, which has the baseline's too."""
    phases = found[design]["phases"]
    return BatchCycles(found["baseline"]["phases"]["bp"]["cycles"], phases["bp"]["cycles"], phases["gp"]["cycles"])


def paper_batches(epochs: int, batches_per_epoch: int) -> dict[Phase, int]:
    """Return the batches of each phase of a run of some epochs under the paper's schedule, as `Policy.expand` would."""
    counts: Counter[Phase] = Counter()
    left = epochs
    for stage in _paper().stages:
        taken = left if stage.epochs == "rest" else min(left, stage.epochs)
        cycle = [run.phase for run in stage.pattern for _ in range(run.count)]
        whole, rest = divmod(batches_per_epoch, len(cycle))
        for position, phase in enumerate(cycle):
            counts[phase] += taken * (whole + (position < rest))
        left -= taken
    return {phase: count for phase, count in counts.items() if count}


def gp_share(batches: Mapping[Phase, int]) -> float:
    """Return the share of GP batches."""
    return batches.get("gp", 0) / sum(batches.values())


@cache
def _paper() -> Policy:
    return load_policy("paper")
