"""One batch on the devices: its operations, what each waits for, checked for missing and doubled work."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from simulator.pipelines.operation import Operation
from workloads.foundation.errors import InputError


@dataclass(frozen=True, slots=True)
class Placed:
    """An operation on its device; `needs` are the indices of those whose result it waits for."""

    operation: Operation
    device: int
    needs: tuple[int, ...]


@dataclass(frozen=True)
class Programme:
    """The operations of one batch; `queues` holds, for each device, the indices of its operations in order."""

    devices: int
    stages: int
    micro_batches: int
    one_at_a_time: bool
    placed: tuple[Placed, ...]
    queues: tuple[tuple[int, ...], ...]

    @cached_property
    def consumers(self) -> tuple[tuple[int, ...], ...]:
        """For each operation, the indices of those that wait for it."""
        found: list[list[int]] = [[] for _ in self.placed]
        for index, one in enumerate(self.placed):
            for need in one.needs:
                found[need].append(index)
        return tuple(tuple(indices) for indices in found)

    @cached_property
    def replicas(self) -> tuple[tuple[int, ...], ...]:
        """For each stage, the devices that hold its weights."""
        homes: list[set[int]] = [set() for _ in range(self.stages)]
        for one in self.placed:
            homes[one.operation.stage].add(one.device)
        return tuple(tuple(sorted(home)) for home in homes)

    @cached_property
    def goes_backward(self) -> bool:
        """Whether the batch has a backward pass."""
        return any(one.operation.kind != "forward" for one in self.placed)

    @property
    def groups(self) -> int:
        """Number of parts whose weights become ready on their own: the stages, or all of them together."""
        return 1 if self.one_at_a_time else self.stages

    def group(self, index: int) -> int:
        """Return the part that an operation belongs to."""
        return 0 if self.one_at_a_time else self.placed[index].operation.stage

    @cached_property
    def last_on_device(self) -> frozenset[int]:
        """Indices of the last operation of each (device, stage, kind): those that carry what runs once a batch."""
        last: dict[tuple[int, int, str], int] = {}
        for queue in self.queues:
            for index in queue:
                one = self.placed[index]
                last[one.device, one.operation.stage, one.operation.kind] = index
        return frozenset(last.values())

    @cached_property
    def behind_forward(self) -> dict[int, int]:
        """Operations that start as soon as a forward pass before them on their device and stage ends, and that pass.

        It is all that they wait for: they go backward through the last stage.
        """
        return {
            index: before
            for queue in self.queues
            for before, index in pairwise(queue)
            if self.placed[index].needs == (before,)
            and self.placed[before].operation.kind == "forward"
            and self.placed[before].operation.stage == self.placed[index].operation.stage
        }

    def travels(self, index: int, consumer: int) -> bool:
        """Whether an operation's result goes over a link to a consumer; that one micro-batch is over is no result."""
        one, other = self.placed[index], self.placed[consumer]
        return one.device != other.device and one.operation.micro_batch == other.operation.micro_batch

    @cached_property
    def messages(self) -> tuple[tuple[int, int], ...]:
        """The (sender, receiver) of every transfer between devices in one batch."""
        return tuple(
            (self.placed[need].device, one.device)
            for index, one in enumerate(self.placed)
            for need in one.needs
            if self.travels(need, index)
        )


def build_programme(
    orders: Sequence[Sequence[Operation]], stages: int, micro_batches: int, one_at_a_time: bool = False,
    where: str = "the schedule",
) -> Programme:  # fmt: skip
    """Return the programme of a batch from each device's order, with or without a backward part.

    Raises
    ------
    InputError
        If work is missing, is given twice, is out of range, or goes backward on another device than forward.
    """
    homes: dict[Operation, int] = {}
    for device, order in enumerate(orders):
        for operation in order:
            if not (0 <= operation.micro_batch < micro_batches and 0 <= operation.stage < stages):
                problem = f"there are micro-batches 0 to {micro_batches - 1} and stages 0 to {stages - 1}"
                raise InputError(where, str(operation), problem, "leave it out, or ask for more")
            if operation in homes:
                problem = f"is given twice, on device {homes[operation]} and on device {device}"
                raise InputError(where, str(operation), problem, "leave one of the two out")
            homes[operation] = device
    _check_complete(homes, stages, micro_batches, where)
    indices = {operation: index for index, operation in enumerate(homes)}
    placed = tuple(
        Placed(operation, device, tuple(indices[need] for need in _needs(operation, homes, stages, one_at_a_time)))
        for operation, device in homes.items()
    )
    queues = tuple(tuple(indices[operation] for operation in order) for order in orders)
    return Programme(len(orders), stages, micro_batches, one_at_a_time, placed, queues)


def _check_complete(homes: dict[Operation, int], stages: int, micro_batches: int, where: str) -> None:
    goes_backward = any(operation.kind != "forward" for operation in homes)
    for micro_batch in range(micro_batches):
        for stage in range(stages):
            ahead, whole, inputs, weights = (
                Operation(micro_batch, stage, kind)
                for kind in ("forward", "backward", "input_gradient", "weight_gradient")
            )
            if whole in homes and (inputs in homes or weights in homes):
                raise InputError(where, str(whole), "is given beside its two halves", "write backward, or both halves")
            wanted = [ahead]
            if goes_backward:
                wanted += [inputs, weights] if inputs in homes or weights in homes else [whole]
            for operation in wanted:
                if operation not in homes:
                    raise InputError(where, str(operation), "is missing", "give it to a device")
                if homes[operation] != homes[ahead]:
                    problem = f"is on device {homes[operation]}, but its forward is on device {homes[ahead]}"
                    raise InputError(where, str(operation), problem, "give both to one device, which holds the stage")


def _needs(operation: Operation, homes: dict[Operation, int], stages: int, one_at_a_time: bool) -> list[Operation]:
    """Return what an operation waits for within its batch."""
    micro_batch, stage = operation.micro_batch, operation.stage
    if operation.kind == "forward":
        if stage:
            return [Operation(micro_batch, stage - 1, "forward")]
        return _whole_micro_batch(micro_batch - 1, homes, stages) if one_at_a_time and micro_batch else []
    if operation.kind == "weight_gradient":
        return [Operation(micro_batch, stage, "input_gradient")]
    needs = [Operation(micro_batch, stage, "forward")]
    if stage < stages - 1:
        halves = Operation(micro_batch, stage + 1, "input_gradient")
        needs.append(halves if halves in homes else Operation(micro_batch, stage + 1, "backward"))
    return needs


def _whole_micro_batch(micro_batch: int, homes: dict[Operation, int], stages: int) -> list[Operation]:
    """Return the last operations of a micro-batch, whose ends are its own."""
    backward = [
        operation for operation in homes if operation.micro_batch == micro_batch and operation.kind != "forward"
    ]
    return backward or [Operation(micro_batch, stages - 1, "forward")]
