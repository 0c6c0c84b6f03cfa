"""The DRAM channel: one transfer at a time, whoever asked first."""

from collections.abc import Generator
from heapq import heappop, heappush
from typing import Any

import numpy as np
import simpy

from simulator.dram.model import DramModel

STORE, LOAD = 0, 1  # among requests of one cycle, stores come first
# SimPy's own priorities are 0 (urgent) and 1 (normal). The arbiter decides after everything else that
# happens in its cycle, so that the order of events within a cycle cannot change the outcome.
_AFTER_ALL_ELSE = 2


class DramChannel:
    """A channel that moves bytes in the time its model says."""

    def __init__(self, env: simpy.Environment, model: DramModel, frequency_hz: int) -> None:
        self.env, self.model, self.frequency_hz = env, model, frequency_hz
        self.busy_cycles = 0
        self._free_at = 0
        self._waiting: list[tuple[int, int, int, int, simpy.Event, int]] = []
        self._asked = 0
        self._alarm: int | None = None

    def transfer(
        self, transfer_bytes: int, kind: int, array_index: int
    ) -> Generator[simpy.Event, Any, tuple[int, int]]:
        """Move bytes for an array; yields until done and returns (start, end) on the channel."""
        cycles = int(self.model.transfer_cycles(np.array([transfer_bytes]), self.frequency_hz)[0])
        if cycles == 0:
            return int(self.env.now), int(self.env.now)
        granted = self.env.event()
        self._asked += 1
        heappush(self._waiting, (int(self.env.now), kind, array_index, self._asked, granted, cycles))
        self._arbitrate_at(max(int(self.env.now), self._free_at))
        yield granted
        start = int(self.env.now)
        yield self.env.timeout(cycles)
        return start, start + cycles

    def _arbitrate_at(self, cycle: int) -> None:
        if self._alarm is not None and self._alarm <= cycle:
            return
        self._alarm = cycle
        alarm = self.env.event()
        alarm._ok = True
        alarm._value = None
        alarm.callbacks.append(self._arbitrate)
        self.env.schedule(alarm, priority=_AFTER_ALL_ELSE, delay=cycle - self.env.now)

    def _arbitrate(self, _: simpy.Event) -> None:
        self._alarm = None
        if not self._waiting or self._free_at > self.env.now:
            return
        *_, granted, cycles = heappop(self._waiting)
        self._free_at = int(self.env.now) + cycles
        self.busy_cycles += cycles
        granted.succeed()
        if self._waiting:
            self._arbitrate_at(self._free_at)
