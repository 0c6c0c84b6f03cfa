"""Speedups that a schedule allows with a predictor that costs nothing (section 3.7), and what more would take."""

from collections.abc import Mapping

from workloads.schedule import Phase


def gp_share(counts: Mapping[Phase, int]) -> float:
    """Return the share of batches in Phase GP."""
    return counts.get("gp", 0) / sum(counts.values())


def ideal_speedup(share: float, backward: float = 2.0) -> float:
    """Return the speedup with a share of batches in Phase GP and a backward that takes so many forwards."""
    return (1 + backward) / ((1 - share) * (1 + backward) + share)


def backward_needed(speedup: float, share: float) -> float:
    """Return how many forwards a backward must take for a speedup; it turns `ideal_speedup` round."""
    return speedup * share / (1 - speedup * (1 - share)) - 1


def share_needed(speedup: float, backward: float = 2.0) -> float:
    """Return the share of batches in Phase GP for a speedup; it turns `ideal_speedup` round."""
    return (1 - 1 / speedup) * (1 + backward) / backward


def pipeline_speedup(share: float, one: int, gp: int) -> float:
    """Return a pipeline's speedup where a batch takes `one` steps, or `gp` in Phase GP; changes cost nothing."""
    return one / ((1 - share) * one + share * gp)
