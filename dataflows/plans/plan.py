"""A plan: one op as a sequence of tiles, with its cycles and its action counts.

This is what a dataflow hands to the engine. A tile is loaded into one half of a double buffer,
its folds stream through the array, and where a result is finished it is stored.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from dataflows.actions import ActionCounts
from dataflows.integers import Integers
from dataflows.plans.channel import Channel
from dataflows.plans.memory_ports import UNLIMITED, MemoryPorts
from dataflows.plans.transfers import Transfers

if TYPE_CHECKING:
    from dataflows.plans.origin import Origin


@dataclass(frozen=True, eq=False)
class Plan:
    """Tiles of one product, update or transfer; every array has one entry a tile. A plan equals itself alone.

    Attributes
    ----------
    loads, stores : Transfers
        What the tile reads from DRAM before it, and writes to DRAM after it.
    stream_cycles : array of int64
        From its first vector's entry into the array to its last's.
    gap_cycles : array of int64
        Least cycles between the last vector of the tile before and its own first: the part of the load of its first
        fold, or of the drain of the fold before, that no fold hides. 0 for the first tile.
    fill_cycles : int
        Cycles between a tile's load and its first vector: to load the stationary words of one fold.
    drain_cycles : int
        Cycles from the last vector's entry to the last result.
    counts : ActionCounts
        Everything the tiles do.
    ports : MemoryPorts
        What the memories' banks pass in a cycle.
    origin : Origin, optional
        What was planned, and how it was cut into tiles.
    """

    loads: Transfers
    stores: Transfers
    stream_cycles: Integers
    gap_cycles: Integers
    fill_cycles: int
    drain_cycles: int
    counts: ActionCounts
    ports: MemoryPorts = UNLIMITED
    origin: "Origin | None" = None

    @cached_property
    def tables(self) -> dict[Channel, Any]:
        """What an engine remembers of the tiles on a channel."""
        return {}

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
        return self.ports.wait_cycles(self.counts, self.load_bytes + self.store_bytes, self.window_cycles)

    @cached_property
    def window_cycles(self) -> Integers:
        """Cycles of each tile in which its bytes pass the ports: its stream, and the gap or the fill before it."""
        window = self.gap_cycles + self.stream_cycles
        window[:1] += self.fill_cycles
        return window

    @cached_property
    def port_transfer_cycles(self) -> tuple[Integers, Integers]:
        """Cycles that each load, and each store, holds the channel at least, for the ports of the buffer."""
        return (
            self.ports.transfer_cycles(self.load_bytes, self.window_cycles),
            self.ports.transfer_cycles(self.store_bytes, self.window_cycles),
        )

    @cached_property
    def port_wait_total(self) -> int:
        """Cycles that all tiles together wait for ports."""
        return int(self.port_wait_cycles.sum())

    def transfer_cycles(self, channel: Channel) -> tuple[Integers, Integers]:
        """Return the cycles that each tile's load, and each tile's store, holds a channel."""
        loads, stores = (channel.transfer_cycles(transfers) for transfers in (self.loads, self.stores))
        least_load, least_store = self.port_transfer_cycles
        return np.maximum(loads, least_load), np.maximum(stores, least_store)

    def cycles_alone(self, channel: Channel) -> int:
        """Return what the plan takes with a channel to itself."""
        from dataflows.plans.lone_time import lone_cycles  # needs numba

        loads, stores = self.transfer_cycles(channel)
        return int(lone_cycles(
            loads, stores, (self.store_bytes > 0).astype(np.int64), self.stream_cycles + self.port_wait_cycles,
            self.gap_cycles, np.ones(len(loads), np.int64), self.fill_cycles, self.drain_cycles,
        ))  # fmt: skip

    @cached_property
    def compute_cycles(self) -> int:
        """Cycles of the op if every tile were in the buffer in time, and its banks' ports wide enough."""
        if len(self.stream_cycles) == 0:
            return 0
        return int(self.fill_cycles + self.stream_cycles.sum() + self.gap_cycles.sum() + self.drain_cycles)
