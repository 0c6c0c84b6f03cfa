"""How batches follow each other on a device: by when their operations would start in the paper's steps.

Each batch is laid out alone in steps (forward 1, backward 2). The next batch starts as few steps later as possible: no
stage may start before the batch before has left that stage on all its replicas, and the shift is at least the work of
the busiest device. So after a backward pass the next batch waits for the flush, stage by stage, and after a batch of
Phase GP it enters at once. Devices then take operations in the order of these starts, whatever the real cycles are.
Every wait goes from an earlier to a later start, so no order that is made like this can block.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from simulator.pipelines.engine import Slot, run_alone
from simulator.pipelines.programme import Programme
from simulator.pipelines.work import unit_work


@dataclass(frozen=True)
class Layout:
    """A programme laid out in steps: when each operation starts and ends if nothing else runs."""

    programme: Programme
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    @cached_property
    def group_starts(self) -> tuple[int, ...]:
        """First start of each group of stages."""
        return tuple(min(self.starts[index] for index in indices) for indices in self._groups)

    @cached_property
    def group_ends(self) -> tuple[int, ...]:
        """Last end of each group of stages."""
        return tuple(max(self.ends[index] for index in indices) for indices in self._groups)

    @property
    def _groups(self) -> list[list[int]]:
        groups: list[list[int]] = [[] for _ in range(self.programme.groups)]
        for index in range(len(self.starts)):
            groups[self.programme.group(index)].append(index)
        return groups

    @cached_property
    def busiest(self) -> int:
        """Steps of the device that has most to do."""
        return max(sum(self.ends[i] - self.starts[i] for i in queue) for queue in self.programme.queues)

    @property
    def steps(self) -> int:
        """Steps of the batch alone."""
        return max(self.ends)


def lay_out(programme: Programme) -> Layout:
    """Return a programme in steps.

    Raises
    ------
    DeadlockError
        If its devices wait for each other.
    """
    starts, ends = [0] * len(programme.placed), [0] * len(programme.placed)
    for execution in run_alone(unit_work(programme)).executions:
        starts[execution.index], ends[execution.index] = execution.start_cycle, execution.end_cycle
    return Layout(programme, tuple(starts), tuple(ends))


def shift(before: Layout, after: Layout) -> int:
    """Return by how many steps a batch is shifted against the one before."""
    waits = (end - start for end, start in zip(before.group_ends, after.group_starts, strict=True))
    return max(before.busiest, *waits)


def merged_queues(layouts: Sequence[Layout]) -> list[list[Slot]]:
    """Return each device's order for a stretch of batches."""
    queues: list[list[tuple[int, int, int]]] = [[] for _ in range(layouts[0].programme.devices)]
    offset = 0
    for batch, layout in enumerate(layouts):
        if batch:
            offset += shift(layouts[batch - 1], layout)
        for device, queue in enumerate(layout.programme.queues):
            queues[device] += [(offset + layout.starts[index], batch, index) for index in queue]
    return [[(batch, index) for _, batch, index in sorted(queue)] for queue in queues]
