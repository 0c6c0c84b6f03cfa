"""Results of a training run on a pipeline."""

from collections.abc import Callable
from dataclasses import dataclass

from simulator.machine.spec import Accelerator
from simulator.pipelines.engine import Run
from simulator.pipelines.link import Link
from simulator.pipelines.memory import DeviceMemory
from simulator.pipelines.network_stages import NetworkStage
from simulator.pipelines.stage_times import PredictorRuns
from simulator.pipelines.work import BatchWork
from workloads.schedule import Phase
from workloads.trace import Trace


@dataclass(frozen=True)
class BatchKind:
    """Batches that are carried out alike.

    Attributes
    ----------
    cycles_alone : int
        Of one batch on idle devices.
    cycles_in_a_row : float
        That one more of them takes in a long row.
    flushes : int
        Times a batch that the pipeline is emptied: one after a backward pass, none without.
    messages : int
        Transfers between devices a batch.
    all_reduces : int
        Stages a batch whose replicas add up gradients.
    """

    kind: Phase
    batches: int
    work: BatchWork
    cycles_alone: int
    cycles_in_a_row: float
    flushes: int
    messages: int
    all_reduces: int


@dataclass(frozen=True)
class Stretch:
    """Batches of the run simulated in one go, and what composition gives for them."""

    first_batch: int
    phases: tuple[Phase, ...]
    works: tuple[BatchWork, ...]
    run: Run
    composed_cycles: int

    @property
    def equal(self) -> bool:
        """Whether composition gives the same cycles."""
        return self.run.cycles == self.composed_cycles


@dataclass(frozen=True)
class PipelineRun:
    """One design under one pipeline schedule."""

    schedule: str
    spec: Accelerator
    total_cycles: int
    kinds: tuple[BatchKind, ...]
    memory: tuple[DeviceMemory, ...]
    stretch: Stretch
    micro_batch_size: int
    micro_batches: int
    parts: tuple[NetworkStage, ...]
    kind_of: Callable[[Phase], Phase]

    @property
    def design(self) -> str:
        """Name of the design."""
        return self.spec.design

    @property
    def devices(self) -> int:
        """Number of devices."""
        return len(self.memory)

    @property
    def seconds(self) -> float:
        """Duration of the whole run."""
        return self.total_cycles / self.spec.frequency_hz

    @property
    def bubble_share(self) -> float:
        """Share of all devices' time in which they have no operation."""
        busy = sum(kind.batches * sum(kind.work.device_cycles) for kind in self.kinds)
        return 1 - busy / (self.devices * self.total_cycles)

    @property
    def peak_device_bytes(self) -> int:
        """Bytes of the device that needs most."""
        return max(memory.peak_bytes for memory in self.memory)

    @property
    def peak_activation_bytes(self) -> int:
        """Activations of the device that keeps most."""
        return max(memory.peak_activation_bytes for memory in self.memory)

    @property
    def flushes_per_batch(self) -> float:
        """Flushes a batch, over the whole run."""
        return self._mean(lambda kind: kind.flushes)

    @property
    def messages_per_batch(self) -> float:
        """Transfers between devices a batch, over the whole run."""
        return self._mean(lambda kind: kind.messages)

    @property
    def all_reduces_per_batch(self) -> float:
        """Sums over replicas a batch, over the whole run."""
        return self._mean(lambda kind: kind.all_reduces)

    def _mean(self, number: Callable[[BatchKind], int]) -> float:
        return sum(kind.batches * number(kind) for kind in self.kinds) / sum(kind.batches for kind in self.kinds)


@dataclass(frozen=True)
class PipelineResults:
    """Runs of several designs and schedules on one trace."""

    trace: Trace
    runs: tuple[PipelineRun, ...]
    link: Link
    predictor_runs: PredictorRuns

    def speedup(self, run: PipelineRun) -> float | None:
        """Cycles of the baseline under the same schedule over this run's; None without a baseline."""
        same = (one for one in self.runs if one.schedule == run.schedule and one.design == "baseline")
        baseline = next(same, None)
        return None if baseline is None else baseline.total_cycles / run.total_cycles

    def against_sequential(self, run: PipelineRun) -> float | None:
        """Cycles of the sequential schedule on the same design over this run's; None if that was not run."""
        same = (one for one in self.runs if one.schedule == "sequential" and one.design == run.design)
        sequential = next(same, None)
        return None if sequential is None else sequential.total_cycles / run.total_cycles
