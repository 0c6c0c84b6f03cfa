"""ZB-H1 (Qi et al., Zero Bubble Pipeline Parallelism, ICLR 2024): 1F1B with the backward pass in two halves."""

from simulator.pipelines.one_forward_one_backward import one_forward_one_backward
from simulator.pipelines.operation import Operation
from simulator.pipelines.schedule import Orders


class ZbH1:
    """Stage s puts its weight gradients off by s micro-batches, so that they fill the bubbles at the end.

    With D - s forwards ahead and s weight gradients behind, no device keeps more than D micro-batches, as in 1F1B.
    """

    name = "zb_h1"
    description = "1F1B, weight gradients put off to fill the bubbles (ZB-H1)"
    source = "Qi et al., Zero Bubble Pipeline Parallelism, ICLR 2024"
    rank = 4
    one_at_a_time = False

    def stages(self, devices: int) -> int:
        """Return one stage a device."""
        return devices

    def orders(self, devices: int, micro_batches: int) -> Orders:
        """Return 1F1B with halves on each device."""
        return tuple(self._order(stage, devices, micro_batches) for stage in range(devices))

    def _order(self, stage: int, devices: int, micro_batches: int) -> tuple[Operation, ...]:
        order: list[Operation] = []
        for operation in one_forward_one_backward(stage, devices, range(micro_batches)):
            if operation.kind == "forward":
                order.append(operation)
                continue
            order.append(Operation(operation.micro_batch, stage, "input_gradient"))
            if operation.micro_batch >= stage:
                order.append(Operation(operation.micro_batch - stage, stage, "weight_gradient"))
        behind = range(max(0, micro_batches - stage), micro_batches)
        return (*order, *(Operation(m, stage, "weight_gradient") for m in behind))


SCHEDULE = ZbH1()
