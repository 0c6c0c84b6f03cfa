"""A schedule: a whole sequence of batches for every size of a data set."""

from functools import partial
from itertools import chain

from simulator.testing.ladder import Ladder, hold
from workloads.foundation.shipped import shipped_names
from workloads.trace import load_policy


def check(name: str) -> None:
    """Check that a schedule fills every epoch, and that its counts are those of its batches, one by one."""
    policy = load_policy(name)
    hold(policy.name == name, f"the schedule calls itself {policy.name}")
    for batches in (1, 2, 7, 391):
        schedule, epochs = policy.expand(batches), policy.epoch_phases(batches)
        wanted = policy.batches_per_epoch or batches
        hold(len(epochs) == schedule.epoch_count == policy.epochs, f"{len(epochs)} epochs of {policy.epochs}")
        sizes = {len(phases) for phases in epochs}
        hold(sizes == {wanted}, f"epochs of {sizes} batches for {wanted}")
        phases = list(chain.from_iterable(epochs))
        hold(list(schedule.phases()) == phases, f"the sequence of {batches} batches an epoch is not its epochs'")
        counts = {phase: phases.count(phase) for phase in dict.fromkeys(phases)}
        hold(schedule.counts() == counts, f"{schedule.counts()} counted, and {counts} one by one")


LADDER = Ladder(
    "schedules", "whole epochs, and counts equal to the sequence", partial(shipped_names, "configs/schedules"), check
)
