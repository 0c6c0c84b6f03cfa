"""GPipe (Huang et al., NeurIPS 2019): all micro-batches forward, then all backward, then a flush."""

from simulator.pipelines.operation import backward, forward
from simulator.pipelines.schedule import Orders


class GPipe:
    """Stage s on device s; backward passes in the reverse order of the forward ones, as gradients come back."""

    name = "gpipe"
    description = "all micro-batches forward, then all backward"
    source = "Huang et al., GPipe, NeurIPS 2019"
    rank = 1
    one_at_a_time = False

    def stages(self, devices: int) -> int:
        """Return one stage a device."""
        return devices

    def orders(self, devices: int, micro_batches: int) -> Orders:
        """Return forward of all micro-batches, then backward of all."""
        ahead = range(micro_batches)
        return tuple(
            (*(forward(m, stage) for m in ahead), *(backward(m, stage) for m in reversed(ahead)))
            for stage in range(devices)
        )


SCHEDULE = GPipe()
