"""What the engine is given: a programme with the cycles of its operations, messages and reductions."""

from dataclasses import dataclass
from functools import cached_property

from simulator.pipelines.operation import UNIT_STEPS
from simulator.pipelines.programme import Programme


@dataclass(frozen=True)
class BatchWork:
    """One kind of batch, all in cycles.

    Attributes
    ----------
    cycles : tuple of int
        Of each operation of the programme.
    message_cycles : tuple of int
        For which each operation's result holds a link to another device.
    latency_cycles : int
        From the end of a message's last byte to its arrival.
    reduce_cycles : tuple of int
        For each stage, of the sum over its replicas after the last gradient.
    """

    programme: Programme
    cycles: tuple[int, ...]
    message_cycles: tuple[int, ...]
    latency_cycles: int
    reduce_cycles: tuple[int, ...]

    def ready_delay(self, index: int) -> int:
        """Return the cycles from an operation's end until the weights that wait for it can be ready."""
        return self.reduce_cycles[self.programme.placed[index].operation.stage]

    @cached_property
    def device_cycles(self) -> tuple[int, ...]:
        """Cycles for which each device has an operation in one batch."""
        return tuple(sum(self.cycles[index] for index in queue) for queue in self.programme.queues)

    @property
    def most_cycles(self) -> int:
        """A bound from above on what a batch adds to a run: everything one after the other."""
        waits = len(self.cycles) * self.latency_cycles + sum(self.reduce_cycles)
        return sum(self.cycles) + sum(self.message_cycles) + waits


def unit_work(programme: Programme) -> BatchWork:
    """Return a programme in the paper's steps: forward 1, backward 2, nothing else costs."""
    count = len(programme.placed)
    cycles = tuple(UNIT_STEPS[one.operation.kind] for one in programme.placed)
    return BatchWork(programme, cycles, (0,) * count, 0, (0,) * programme.stages)
