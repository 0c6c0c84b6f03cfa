"""Room in the global buffer, how wide elements are there, and by what plans compete."""

from dataclasses import dataclass
from typing import NamedTuple

from dataflows.plans.channel import INSTANT, Channel
from dataflows.plans.memory_ports import UNLIMITED, MemoryPorts


class Widths(NamedTuple):
    """Bytes of an operand's or a result's element, and of a psum."""

    word_bytes: int
    partial_sum_bytes: int


@dataclass(frozen=True, slots=True)
class BufferBudget:
    """Room in the global buffer, the widths of what is kept there, and by what plans compete.

    Attributes
    ----------
    capacity_bytes : int
        Bytes that one array's ops may use; tiles are double-buffered within it.
    word_bytes, partial_sum_bytes : int
        Widths of operands and results, and of psums.
    channel : Channel
        What transfers take.
    slack_percent : int, optional
        How much longer than the fastest plan one of fewer bytes may take; None: however long.
    ports : MemoryPorts
        What the banks pass in a cycle.
    weighed : bool
        Whether the winners of several slacks compete by time and bytes together (`dataflows.plans.weighing`), whatever
        `slack_percent` is.
    """

    capacity_bytes: int
    word_bytes: int
    partial_sum_bytes: int
    channel: Channel = INSTANT
    slack_percent: int | None = None
    ports: MemoryPorts = UNLIMITED
    weighed: bool = False

    @property
    def widths(self) -> Widths:
        """Return how wide elements are."""
        return Widths(self.word_bytes, self.partial_sum_bytes)


class TileTooLargeError(Exception):
    """Not even the smallest tile of an op fits in the buffer."""

    def __init__(self, needed_bytes: int, capacity_bytes: int) -> None:
        super().__init__(f"the smallest tile needs {needed_bytes} bytes of buffer, {capacity_bytes} are there")
        self.needed_bytes, self.capacity_bytes = needed_bytes, capacity_bytes
