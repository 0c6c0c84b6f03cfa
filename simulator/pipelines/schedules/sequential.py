"""Sequential: the stages on several devices, and only one of them at work."""

from simulator.pipelines.operation import backward, forward
from simulator.pipelines.schedule import Orders


class Sequential:
    """Each micro-batch goes forward and backward alone; what the others are measured against."""

    name = "sequential"
    description = "no pipelining: one micro-batch at a time"
    source = "plain model parallelism"
    rank = 0
    one_at_a_time = True

    def stages(self, devices: int) -> int:
        """Return one stage a device."""
        return devices

    def orders(self, devices: int, micro_batches: int) -> Orders:
        """Return forward and backward of each micro-batch in turn."""
        return tuple(
            tuple(one for m in range(micro_batches) for one in (forward(m, stage), backward(m, stage)))
            for stage in range(devices)
        )


SCHEDULE = Sequential()
