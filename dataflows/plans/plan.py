"""A plan: one op as a sequence of tiles, with its cycles and its action counts.

This is what a dataflow hands to the engine. A tile is loaded into one half of a double buffer,
its folds stream through the array, and where a result is finished it is stored.
"""

from dataclasses import dataclass
from functools import cached_property

from dataflows.actions import ActionCounts
from dataflows.plans.memory_ports import UNLIMITED, MemoryPorts
from dataflows.plans.transfers import Integers as Integers
from dataflows.plans.transfers import Transfers


@dataclass(frozen=True)
class Plan:
    """Tiles of one product, update or transfer; every array has one entry a tile.

    Attributes
    ----------
    loads, stores : Transfers
        What the tile reads from DRAM before it, and writes to DRAM after it.
    stream_cycles : array of int64
        From its first vector's entry into the array to its last's.
    gap_cycles : array of int64
        Least cycles between the last vector of the tile before and its own first: what the loading of its first
        fold, or the draining of the fold before, takes beyond the folds that hide it. 0 for the first tile.
    fill_cycles : int
        Cycles between a tile's load and its first vector: to load the stationary words of one fold.
    drain_cycles : int
        Cycles from the last vector's entry to the last result.
    counts : ActionCounts
        Everything the tiles do.
    ports : MemoryPorts
        What the memories' banks pass in a cycle.
    """

    loads: Transfers
    stores: Transfers
    stream_cycles: Integers
    gap_cycles: Integers
    fill_cycles: int
    drain_cycles: int
    counts: ActionCounts
    ports: MemoryPorts = UNLIMITED

    @cached_property
    def load_bytes(self) -> Integers:
        """Bytes that each tile reads from DRAM."""
        return self.loads.moved_bytes

    @cached_property
    def store_bytes(self) -> Integers:
        """Bytes that each tile writes to DRAM."""
        return self.stores.moved_bytes

    @cached_property
    def port_wait_cycles(self) -> Integers:
        """Cycles that each tile streams longer because its bytes must pass the ports of the memories' banks."""
        return self.ports.wait_cycles(self.counts, self.load_bytes + self.store_bytes, self.stream_cycles)

    @cached_property
    def port_wait_total(self) -> int:
        """Cycles that all tiles together wait for ports."""
        return int(self.port_wait_cycles.sum())

    @cached_property
    def compute_cycles(self) -> int:
        """Cycles of the op if every tile were in the buffer in time, and its banks' ports wide enough."""
        if len(self.stream_cycles) == 0:
            return 0
        return int(self.fill_cycles + self.stream_cycles.sum() + self.gap_cycles.sum() + self.drain_cycles)


@dataclass(frozen=True, slots=True)
class BufferBudget:
    """Room in the global buffer, and the widths of what is kept there.

    Attributes
    ----------
    capacity_bytes : int
        Bytes that one array's ops may use; tiles are double-buffered within it.
    word_bytes, partial_sum_bytes : int
        Widths of operands and results, and of partial sums.
    transfer_overhead_bytes : int
        What the DRAM channel could have moved in the time that a transfer's latency takes.
    mebibyte_cycles : int
        Cycles in which the channel moves 2^20 bytes.
    slack_percent : int, optional
        How much longer than the fastest cut a cut of fewer bytes may take; None: however long.
    ports : MemoryPorts
        What the banks pass in a cycle. Tiles are chosen without regard to it.
    """

    capacity_bytes: int
    word_bytes: int
    partial_sum_bytes: int
    transfer_overhead_bytes: int
    mebibyte_cycles: int = 0
    slack_percent: int | None = None
    ports: MemoryPorts = UNLIMITED


class TileTooLargeError(Exception):
    """Not even the smallest tile of an op fits in the buffer."""

    def __init__(self, needed_bytes: int, capacity_bytes: int) -> None:
        super().__init__(f"the smallest tile needs {needed_bytes} bytes of buffer, {capacity_bytes} are there")
        self.needed_bytes, self.capacity_bytes = needed_bytes, capacity_bytes
