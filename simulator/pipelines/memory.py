"""What a device of a pipeline keeps in DRAM: weights, and activations of the micro-batches in flight."""

from collections.abc import Sequence
from dataclasses import dataclass

from simulator.pipelines.engine import Run
from simulator.pipelines.network_stages import NetworkStage
from simulator.pipelines.programme import Programme
from workloads.optimizers import OPTIMIZERS, OptimizerName


@dataclass(frozen=True, slots=True)
class DeviceMemory:
    """Bytes of one device.

    Attributes
    ----------
    weight_bytes : int
        Weights, their gradient and the optimizer's state of the stages it holds. The predictor's are not counted here.
    peak_activation_bytes : int
        Most bytes of activations (and, between the halves of a split backward pass, of gradients) at once.
    peak_micro_batches : int
        Most (micro-batch, stage) at once whose backward pass is still to come.
    """

    device: int
    weight_bytes: int
    peak_activation_bytes: int
    peak_micro_batches: int

    @property
    def peak_bytes(self) -> int:
        """Weights and activations."""
        return self.weight_bytes + self.peak_activation_bytes


@dataclass(frozen=True, slots=True)
class StashSizes:
    """Bytes of one micro-batch on a stage: kept for the backward pass, held in a pass, kept between its halves."""

    kept: int
    working: int
    gradients: int


def stash_sizes(parts: Sequence[NetworkStage], samples: int, word_bytes: int) -> tuple[StashSizes, ...]:
    """Return the sizes for each stage of a network, for a micro-batch of so many samples."""
    scale = samples * word_bytes
    return tuple(
        StashSizes(part.kept_words * scale, part.working_words * scale, part.output_words * scale) for part in parts
    )


def stash_peaks(programmes: Sequence[Programme], run: Run, sizes: Sequence[StashSizes]) -> list[tuple[int, int]]:
    """Return (bytes, micro-batches in flight) at the peak of each device in a run of batches.

    A forward pass keeps its activations from its start to the end of the backward pass (of its second half); one
    without a backward pass holds its largest layer while it runs. Messages under way are not counted.
    """
    devices = programmes[0].devices
    changes: list[list[tuple[int, int, int, int]]] = [[] for _ in range(devices)]  # time, order, bytes, count
    for execution in run.executions:
        programme = programmes[execution.batch]
        one = programme.placed[execution.index]
        size, start, end = sizes[one.operation.stage], execution.start_cycle, execution.end_cycle
        changed = changes[one.device]
        if one.operation.kind == "forward":
            if programme.goes_backward:
                changed.append((start, 1, size.kept, 1))
            else:
                changed += [(start, 1, size.working, 0), (end, 0, -size.working, 0)]
        elif one.operation.kind == "backward":
            changed.append((end, 0, -size.kept, -1))
        elif one.operation.kind == "input_gradient":
            changed.append((start, 1, size.gradients, 0))
        else:
            changed.append((end, 0, -size.kept - size.gradients, -1))
    peaks = []
    for changed in changes:
        held = flying = most_held = most_flying = 0
        for _, _, added, count in sorted(changed):
            held, flying = held + added, flying + count
            most_held, most_flying = max(most_held, held), max(most_flying, flying)
        peaks.append((most_held, most_flying))
    return peaks


def device_memory(
    programme: Programme, parts: Sequence[NetworkStage], peaks: Sequence[tuple[int, int]], word_bytes: int,
    optimizer: OptimizerName | None,
) -> tuple[DeviceMemory, ...]:  # fmt: skip
    """Return each device's memory: its peaks, and a weight, a gradient and the optimizer's state for each parameter.

    Without an optimizer nothing trains, and there are weights alone.
    """
    tensors = 1 if optimizer is None else 2 + OPTIMIZERS[optimizer].state_words
    memories = []
    for device, (held, flying) in enumerate(peaks):
        words = sum(part.weight_words for part in parts if device in programme.replicas[part.index])
        memories.append(DeviceMemory(device, words * tensors * word_bytes, held, flying))
    return tuple(memories)
