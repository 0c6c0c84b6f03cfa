"""Interleaved 1F1B (Narayanan et al., Megatron-LM, SC 2021): every device holds several short stages."""

from simulator.pipelines.engine import DeadlockError
from simulator.pipelines.merging import lay_out
from simulator.pipelines.operation import Operation, backward, forward
from simulator.pipelines.programme import build_programme
from simulator.pipelines.schedule import Orders

CHUNKS = 2  # stages a device: more make smaller bubbles and more messages


class Interleaved:
    """Stage s on device s modulo D. Micro-batches go through in groups of D, chunk by chunk.

    Megatron-LM asks for a number of micro-batches that D divides. Here the last group may be smaller; where
    devices would then wait for each other, each takes as many forwards ahead as it needs not to.
    """

    name = "interleaved"
    description = f"1F1B with {CHUNKS} stages a device (interleaved)"
    source = "Narayanan et al., Efficient Large-Scale Language Model Training on GPU Clusters, SC 2021"
    rank = 5
    one_at_a_time = False

    def stages(self, devices: int) -> int:
        """Return several stages a device."""
        return CHUNKS * devices

    def orders(self, devices: int, micro_batches: int) -> Orders:
        """Return Megatron-LM's order, with more forwards ahead where it would block."""
        for extra in range(CHUNKS * micro_batches):
            orders = tuple(_order(device, devices, micro_batches, extra) for device in range(devices))
            try:
                lay_out(build_programme(orders, self.stages(devices), micro_batches))
            except DeadlockError:
                continue
            return orders
        return tuple(_order(device, devices, micro_batches, CHUNKS * micro_batches) for device in range(devices))


def _order(device: int, devices: int, micro_batches: int, extra: int) -> tuple[Operation, ...]:
    ahead, back = [], []
    for first in range(0, micro_batches, devices):
        group = range(first, min(first + devices, micro_batches))
        ahead += [forward(m, chunk * devices + device) for chunk in range(CHUNKS) for m in group]
        back += [backward(m, chunk * devices + device) for chunk in reversed(range(CHUNKS)) for m in group]
    warm_up = min(len(ahead), 2 * (devices - device - 1) + (CHUNKS - 1) * devices + extra)
    order = ahead[:warm_up]
    for turn, operation in enumerate(back):
        order += [*ahead[warm_up + turn : warm_up + turn + 1], operation]
    return tuple(order)


SCHEDULE = Interleaved()
