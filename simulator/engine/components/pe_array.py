"""A PE array: it runs one plan at a time and knows how long it was taken."""

from collections.abc import Generator
from typing import Any

import simpy


class PEArrayComponent:
    """A PE array that plans contend for."""

    def __init__(self, env: simpy.Environment) -> None:
        self.env = env
        self.busy_cycles = 0
        self._owner = simpy.Resource(env, capacity=1)

    def taken(self, work: Generator[simpy.Event, Any, Any]) -> Generator[simpy.Event, Any, None]:
        """Hold the array while a process's work runs on it."""
        with self._owner.request() as request:
            yield request
            start = self.env.now
            yield self.env.process(work)
            self.busy_cycles += int(self.env.now - start)
