"""DAPPLE (Fan et al., PPoPP 2021): one forward, one backward, with a flush at the end of the batch."""

from simulator.pipelines.one_forward_one_backward import one_forward_one_backward
from simulator.pipelines.schedule import Orders


class Dapple:
    """Stage s on device s, which keeps the activations of at most D - s micro-batches; as fast as GPipe."""

    name = "dapple"
    description = "one forward, one backward (1F1B), and a flush"
    source = "Fan et al., DAPPLE, PPoPP 2021"
    rank = 2
    one_at_a_time = False

    def stages(self, devices: int) -> int:
        """Return one stage a device."""
        return devices

    def orders(self, devices: int, micro_batches: int) -> Orders:
        """Return 1F1B on each device."""
        ahead = range(micro_batches)
        return tuple(tuple(one_forward_one_backward(stage, devices, ahead)) for stage in range(devices))


SCHEDULE = Dapple()
