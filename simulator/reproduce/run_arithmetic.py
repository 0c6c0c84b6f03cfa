"""Arithmetic of whole runs: from cycles of batches to speedups, and what a schedule allows at best (section 3.7)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from simulator.reproduce.jobs.job import Plain
from workloads.schedule import Phase, Policy
from workloads.trace import load_policy

Batches = Mapping[Phase, int]  # of a run, by phase


@dataclass(frozen=True, slots=True)
class BatchCycles:
    """Cycles of a batch: the baseline's, and a design's with and without a backward pass."""

    baseline: int
    bp: int
    gp: int

    def speedup(self, batches: Batches) -> float:
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
    """Return the batches of each phase of a run of some epochs under the paper's schedule."""
    return _paper().expand(batches_per_epoch, epochs).counts()


@cache
def _paper() -> Policy:
    return load_policy("paper")


def gp_share(batches: Batches) -> float:
    """Return the share of batches in Phase GP."""
    return batches.get("gp", 0) / sum(batches.values())


def ideal_speedup(share: float, backward: float = 2.0) -> float:
    """Return the speedup with a share of Phase GP, a backward of so many forwards, and a predictor that is free."""
    return (1 + backward) / ((1 - share) * (1 + backward) + share)


def backward_needed(speedup: float, share: float) -> float:
    """Return how many forwards a backward must take for a speedup: the inverse of `ideal_speedup`."""
    return speedup * share / (1 - speedup * (1 - share)) - 1


def share_needed(speedup: float, backward: float = 2.0) -> float:
    """Return the share of batches in Phase GP for a speedup: the inverse of `ideal_speedup`."""
    return (1 - 1 / speedup) * (1 + backward) / backward


def pipeline_speedup(share: float, one: int, gp: int) -> float:
    """Return a pipeline's speedup where a batch takes `one` steps, or `gp` in Phase GP; changes cost nothing."""
    return one / ((1 - share) * one + share * gp)
