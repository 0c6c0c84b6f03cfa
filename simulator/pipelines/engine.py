"""Run batches on devices, event by event, in whole cycles.

Each device carries out its queue in order; an operation starts when its device is free and the results that it needs
have arrived. A forward operation also waits until its stage has the weights that the batch before left. Messages
between two devices follow each other on the link of that direction.
"""

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from simulator.pipelines.work import BatchWork

Slot = tuple[int, int]  # batch, index of an operation in its programme


@dataclass(frozen=True, slots=True)
class Execution:
    """One operation as it ran; the index is that in its batch's programme."""

    batch: int
    index: int
    start_cycle: int
    end_cycle: int


@dataclass(frozen=True)
class Run:
    """Batches as they ran, in the order in which their operations ended; `cycles` counts to the last weights."""

    cycles: int
    executions: tuple[Execution, ...]


class DeadlockError(ValueError):
    """Devices wait for each other; `blocked` are the heads of their queues with what each waits for."""

    def __init__(self, blocked: Sequence[tuple[Slot, Slot | None]]) -> None:
        self.blocked = tuple(blocked)
        super().__init__(f"{len(blocked)} devices wait for each other")


def run_batches(works: Sequence[BatchWork], queues: Sequence[Sequence[Slot]]) -> Run:
    """Run a stretch of batches.

    Parameters
    ----------
    works : sequence of BatchWork
        The batches, in order.
    queues : sequence of sequence of (batch, index)
        For each device, its operations of all batches in order.

    Raises
    ------
    DeadlockError
        If devices wait for each other.
    """
    return _Machine(works, queues).run()


@dataclass
class _Machine:
    works: Sequence[BatchWork]
    queues: Sequence[Sequence[Slot]]
    now: int = 0
    executions: list[Execution] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.position = [0] * len(self.queues)
        self.busy = [False] * len(self.queues)
        self.link_free: dict[tuple[int, int], int] = {}
        self.missing = [[len(one.needs) for one in work.programme.placed] for work in self.works]
        self.unready: list[list[int]] = []  # for each batch and group: operations before its weights are ready
        for work in self.works:
            counts = [0] * work.programme.groups
            for index in range(len(work.programme.placed)):
                counts[work.programme.group(index)] += 1
            self.unready.append(counts)
        self.events: list[tuple[int, int, str, tuple[int, ...]]] = []
        self.pushed = 0

    def run(self) -> Run:
        handlers: dict[str, Callable[..., None]] = {"end": self._end, "arrive": self._arrive, "ready": self._ready}
        for device in range(len(self.queues)):
            self._start(device)
        while self.events:
            self.now, _, what, details = heapq.heappop(self.events)
            handlers[what](*details)
        if any(at < len(queue) for at, queue in zip(self.position, self.queues, strict=True)):
            raise DeadlockError(self._blocked())
        return Run(self.now, tuple(self.executions))

    def _push(self, at: int, what: str, *details: int) -> None:
        self.pushed += 1
        heapq.heappush(self.events, (at, self.pushed, what, details))

    def _start(self, device: int) -> None:
        if self.busy[device] or self.position[device] == len(self.queues[device]):
            return
        batch, index = self.queues[device][self.position[device]]
        if self.missing[batch][index] or not self._has_weights(batch, index):
            return
        self.busy[device] = True
        self._push(self.now + self.works[batch].cycles[index], "end", batch, index, self.now)

    def _has_weights(self, batch: int, index: int) -> bool:
        programme = self.works[batch].programme
        if batch == 0 or programme.placed[index].operation.kind != "forward":
            return True
        return self.unready[batch - 1][programme.group(index)] == 0

    def _end(self, batch: int, index: int, started: int) -> None:
        work = self.works[batch]
        device = work.programme.placed[index].device
        self.executions.append(Execution(batch, index, started, self.now))
        self.busy[device] = False
        self.position[device] += 1
        for consumer in work.programme.consumers[index]:
            if not work.programme.travels(index, consumer):
                self._arrive(batch, consumer)
            else:
                link = (device, work.programme.placed[consumer].device)
                sent = max(self.now, self.link_free.get(link, 0)) + work.message_cycles[index]
                self.link_free[link] = sent
                self._push(sent + work.latency_cycles, "arrive", batch, consumer)
        self._push(self.now + work.ready_delay(index), "ready", batch, work.programme.group(index))
        self._start(device)

    def _arrive(self, batch: int, index: int) -> None:
        self.missing[batch][index] -= 1
        self._start(self.works[batch].programme.placed[index].device)

    def _ready(self, batch: int, group: int) -> None:
        self.unready[batch][group] -= 1
        if self.unready[batch][group] == 0:
            for device in range(len(self.queues)):
                self._start(device)

    def _blocked(self) -> list[tuple[Slot, Slot | None]]:
        done = {(execution.batch, execution.index) for execution in self.executions}
        blocked: list[tuple[Slot, Slot | None]] = []
        for at, queue in zip(self.position, self.queues, strict=True):
            if at < len(queue):
                batch, index = queue[at]
                needs = self.works[batch].programme.placed[index].needs
                open_needs = [(batch, need) for need in needs if (batch, need) not in done]
                blocked.append(((batch, index), open_needs[0] if open_needs else None))
        return blocked


def run_alone(work: BatchWork) -> Run:
    """Run one batch on idle devices."""
    return run_batches([work], [[(0, index) for index in queue] for queue in work.programme.queues])
