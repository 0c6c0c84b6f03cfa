"""Chimera (Li and Hoefler, SC 2021): two pipelines in opposite directions over the same devices."""

from collections import deque
from collections.abc import Sequence

from simulator.pipelines.one_forward_one_backward import one_forward_one_backward
from simulator.pipelines.operation import UNIT_STEPS, Operation, backward, forward
from simulator.pipelines.schedule import Orders


class Chimera:
    """Stage s on device s for the first half of the micro-batches, on device D - 1 - s for the others.

    Each direction is 1F1B. A device at which both have work takes the deeper stage first, a rule that looks the same
    from both ends; so four devices take 16 steps for four micro-batches. The two replicas of a stage add up their
    gradients before the next batch. An odd number of devices holds its middle stage once, for both directions.
    """

    name = "chimera"
    description = "two pipelines in opposite directions, each 1F1B"
    source = "Li and Hoefler, Chimera, SC 2021"
    rank = 3
    one_at_a_time = False

    def stages(self, devices: int) -> int:
        """Return one stage a device (and a replica of another)."""
        return devices

    def orders(self, devices: int, micro_batches: int) -> Orders:
        """Return both directions merged on each device."""
        half = -(-micro_batches // 2)
        down, up = range(half), range(half, micro_batches)
        waiting = [
            (
                deque(one_forward_one_backward(device, devices, down)),
                deque(one_forward_one_backward(devices - 1 - device, devices, up)),
            )
            for device in range(devices)
        ]
        return _merge(waiting, devices)


def _merge(waiting: Sequence[tuple[deque[Operation], ...]], stages: int) -> Orders:
    """Let every device, in the paper's steps, take the deepest of the operations that could start.

    The result of each direction is a chain without circles, so some operation can always start.
    """
    ends: dict[Operation, int] = {}
    free = [0] * len(waiting)
    orders: list[list[Operation]] = [[] for _ in waiting]
    step, left = 0, sum(len(queue) for queues in waiting for queue in queues)
    while left:
        for device, queues in enumerate(waiting):
            ready = [queue for queue in queues if queue and _ready_step(queue[0], ends, stages) <= step]
            if free[device] > step or not ready:
                continue
            operation = max(ready, key=lambda queue: (queue[0].stage, -queue[0].micro_batch)).popleft()
            free[device] = ends[operation] = step + UNIT_STEPS[operation.kind]
            orders[device].append(operation)
            left -= 1
        step += 1
    return tuple(tuple(order) for order in orders)


def _ready_step(operation: Operation, ends: dict[Operation, int], stages: int) -> float:
    """Return the step at which what an operation waits for is done; endless while that is open."""
    micro_batch, stage = operation.micro_batch, operation.stage
    needs: list[Operation] = []
    if operation.kind == "forward" and stage:
        needs.append(forward(micro_batch, stage - 1))
    if operation.kind == "backward":
        needs.append(forward(micro_batch, stage))
        if stage < stages - 1:
            needs.append(backward(micro_batch, stage + 1))
    return max((ends.get(need, float("inf")) for need in needs), default=0)


SCHEDULE = Chimera()
