"""What a pipeline schedule is, and where it is found by name. A new one is one new file in `schedules/`."""

from collections.abc import Sequence
from functools import cache
from typing import Protocol

from simulator.pipelines.operation import Operation
from workloads.foundation.errors import InputError, nearest
from workloads.foundation.registry import registry
from workloads.foundation.shipped import shipped_names

Orders = tuple[tuple[Operation, ...], ...]  # the operations of each device, in its order


class PipelineSchedule(Protocol):
    """In which order the devices carry out one batch with a backward pass.

    A batch of Phase GP has the same order without what goes backward. All shipped schedules are synchronous: there
    is one version of the weights, a batch's forward passes use what the batch before made of them.
    """

    @property
    def name(self) -> str:
        """Name on the command line."""

    @property
    def description(self) -> str:
        """One line for tables."""

    @property
    def source(self) -> str:
        """Where it was published."""

    @property
    def rank(self) -> int:
        """Order in tables."""

    @property
    def one_at_a_time(self) -> bool:
        """Whether a micro-batch waits until the one before has left the pipeline, and a batch likewise."""

    def stages(self, devices: int) -> int:
        """Return how many stages the network is cut into."""

    def orders(self, devices: int, micro_batches: int) -> Orders:
        """Return what each device does in one batch."""


@cache
def schedules() -> dict[str, PipelineSchedule]:
    """Return every shipped schedule by name, in the order of tables."""
    return registry("simulator.pipelines.schedules", "SCHEDULE", "pipeline_schedules", PipelineSchedule)


def find_schedule(name: str, where: str = "--pipeline-schedule") -> PipelineSchedule:
    """Return a shipped schedule by name.

    Raises
    ------
    InputError
        If there is none, with the nearest known name.
    """
    known = schedules()
    if name not in known and name in shipped_names("configs/schedules"):
        raise InputError(
            where, "", f"{name} is a sequence of batches, and no pipeline's schedule", f"write --schedule {name}"
        )
    if name not in known:
        raise InputError(where, "", f"unknown pipeline schedule {name!r}", nearest(name, known))
    return known[name]


def check_batch_schedule(given: object) -> None:
    """Refuse a pipeline's schedule where a sequence of batches is asked for.

    Raises
    ------
    InputError
        With the option that takes it.
    """
    if isinstance(given, str) and given in schedules():
        remedy = f"write --pipeline-schedule {given}, which adagp-sim pipeline takes"
        raise InputError("--schedule", "", f"{given} is a pipeline's schedule, and no sequence of batches", remedy)


def forward_only(orders: Sequence[Sequence[Operation]]) -> Orders:
    """Return the order of a batch of Phase GP: nothing goes backward."""
    return tuple(tuple(operation for operation in order if operation.kind == "forward") for order in orders)
