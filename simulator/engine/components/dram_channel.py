"""The DRAM channel: one transfer at a time, whoever asked first."""

from collections.abc import Generator
from heapq import heappop, heappush
from typing import Any

import simpy

from simulator.dram.model import DramModel

STORE, LOAD = 0, 1  # among requests of one cycle, stores come first
# SimPy's own priorities are 0 (urgent) and 1 (normal). The arbiter decides after everything else that
# happens in its cycle, so that the order of events within a cycle cannot change the outcome.
_AFTER_ALL_ELSE = 2


class DramChannel:
    """A channel that moves bytes in the time its model says, and refreshes by the rules of docs/machine.md."""

    def __init__(self, env: simpy.Environment, model: DramModel, frequency_hz: int) -> None:
        self.env, self.model, self.frequency_hz = env, model, frequency_hz
        self.busy_cycles = 0
        self.refresh = model.refresh(frequency_hz)
        self.batch_began, self.refreshes = 0, 0
        self._free_at = 0
        self._waiting: list[tuple[int, int, int, int, simpy.Event, int]] = []
        self._asked = 0
        self._alarm: int | None = None

    def transfer(self, cycles: int, direction: int, array_index: int) -> Generator[simpy.Event, Any, tuple[int, int]]:
        """Hold the channel for a transfer of so many cycles; yields until done and returns (start, end)."""
        if cycles == 0:
            return int(self.env.now), int(self.env.now)
        granted = self.env.event()
        self._asked += 1
        heappush(self._waiting, (int(self.env.now), direction, array_index, self._asked, granted, cycles))
        self._arbitrate_at(max(int(self.env.now), self._free_at))
        end = yield granted
        start = int(self.env.now)
        yield self.env.timeout(end - start)
        return start, end

    def barrier(self) -> Generator[simpy.Event, Any, None]:
        """End a batch: yields until owed refreshes are made, and starts the refresh timer again."""
        if self.refresh is not None:
            yield self.env.timeout(max(0, self._free_at - int(self.env.now)))
            self._refresh_while_idle()
            yield self.env.timeout(self._refreshed(int(self.env.now)) - int(self.env.now))
        self.batch_began, self.refreshes, self._free_at = int(self.env.now), 0, int(self.env.now)

    def _refresh_while_idle(self) -> None:
        """Make the refreshes that came due while nobody used the channel, as many as had the time."""
        assert self.refresh is not None
        now = int(self.env.now)
        while self._owed(now) > 0 and now - self._free_at >= self.refresh.cycles:
            self._free_at += self.refresh.cycles
            self.refreshes += 1

    def _refreshed(self, cycle: int) -> int:
        """Make the refreshes that are owed at a cycle, and return when they are done."""
        assert self.refresh is not None
        owed = self._owed(cycle)
        self.refreshes += owed
        return cycle + owed * self.refresh.cycles

    def _owed(self, cycle: int) -> int:
        assert self.refresh is not None
        return self.refresh.due(cycle - self.batch_began) - self.refreshes

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
        end = int(self.env.now)
        if self.refresh is not None:
            self._refresh_while_idle()
            while cycles > self.refresh.longest_cycles:
                end = self._refreshed(end + self.refresh.longest_cycles)
                cycles -= self.refresh.longest_cycles
        end += cycles
        self.busy_cycles += end - int(self.env.now)
        self._free_at = end if self.refresh is None else self._refreshed(end)
        granted.succeed(end)
        if self._waiting:
            self._arbitrate_at(self._free_at)
