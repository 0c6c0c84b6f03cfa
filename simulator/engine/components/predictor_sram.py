"""The predictor SRAM: one port, held by the plan that reads or writes it."""

from collections.abc import Generator
from typing import Any

import simpy


class PredictorSram:
    """A memory with a single user at a time."""

    def __init__(self, env: simpy.Environment) -> None:
        self._port = simpy.Resource(env, capacity=1)

    def held(self, work: Generator[simpy.Event, Any, Any]) -> Generator[simpy.Event, Any, None]:
        """Hold the port while a process's work runs."""
        with self._port.request() as request:
            yield request
            yield from work
