"""What a run of another length comes to, from the cycles of a batch in each phase."""

from collections.abc import Mapping
from typing import Any

from workloads.schedule import Policy


def speedup_after(
    policy: Policy,
    batches_per_epoch: int,
    epochs: int,
    baseline: Mapping[str, Mapping[str, Any]],
    design: Mapping[str, Mapping[str, Any]],
) -> float:
    """Return the baseline's cycles over a design's, for a run of so many epochs under a schedule.

    Parameters
    ----------
    baseline, design : dict
        By phase: what a `DesignComparison` found, `cycles` of a batch among it.
    """
    counts = policy.expand(batches_per_epoch, epochs).counts()
    before, after = (
        sum(batches * phases[phase]["cycles"] for phase, batches in counts.items()) for phases in (baseline, design)
    )
    return float(before / after)
