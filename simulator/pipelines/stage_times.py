"""Cycles of a stage's passes on a device, simulated layer by layer at the size of a micro-batch.

A device is the accelerator of the spec. The trace is simulated anew with the micro-batch as its batch: cycles do not
scale with the batch where weights are loaded or DRAM is waited for.

What runs once a batch (the update, and with `predictor_runs` of ``batch`` the predictor) runs with the last micro-batch
that a device takes through a stage. The predictor's input is the mean over the whole batch, and the true gradient that
trains it is whole only then. So a pipeline predicts what one device would. With ``micro-batch`` the predictor runs with
each.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, get_args

from simulator.batch.batches import Batches
from simulator.machine.spec import Accelerator
from simulator.phases.stages import BACKPROPAGATION, PHASE_RULES, Stage
from simulator.pipelines.link import Link
from simulator.pipelines.network_stages import NetworkStage
from simulator.pipelines.operation import Kind
from simulator.pipelines.programme import Programme
from simulator.pipelines.work import BatchWork
from workloads.passes import Pass
from workloads.schedule import Phase
from workloads.trace import Trace

PredictorRuns = Literal["batch", "micro-batch"]
PREDICTOR_RUNS: tuple[PredictorRuns, ...] = get_args(PredictorRuns)
_PASSES: dict[Kind, tuple[Pass, ...]] = {  # of a layer, that an operation consists of
    "forward": ("forward", "vector_forward"),
    "backward": ("vector_backward", "dgrad", "wgrad", "update"),
    "input_gradient": ("vector_backward", "dgrad"),
    "weight_gradient": ("wgrad", "update"),
}
_ONCE_A_BATCH: tuple[Pass, ...] = ("update", "predictor_update")


@dataclass(frozen=True)
class StageTimes:
    """Times on one design; `micro_trace` has the micro-batch as its batch size."""

    micro_trace: Trace
    spec: Accelerator
    predictor_runs: PredictorRuns = "batch"
    _apart: dict[frozenset[str], Batches] = field(default_factory=dict, compare=False)
    _cycles: dict[tuple[frozenset[str], Phase, tuple[Stage, ...]], int] = field(default_factory=dict, compare=False)

    @cached_property
    def batches(self) -> Batches:
        """Batches of one micro-batch; operations are parts of them."""
        return Batches(self.micro_trace, self.spec)

    def goes_backward(self, kind: Phase) -> bool:
        """Whether a batch of a kind has a backward pass."""
        return PHASE_RULES[kind].goes_backward

    def layer_costs(self) -> list[int]:
        """Return forward and backward cycles of each layer without predictor, by which a network is cut."""
        totals = [0] * len(self.micro_trace.mac_layers)
        for stage in self.batches.stages(BACKPROPAGATION):
            main = tuple(name for name in stage.main if name not in _ONCE_A_BATCH)
            totals[stage.layer] += self._run(self.batches, BACKPROPAGATION, (Stage(stage.layer, main),))
        return totals

    def _cut(self, parts: Sequence[NetworkStage]) -> Batches:
        """Return the batches of a network that is cut: an output that crosses a cut stays in no buffer."""
        last = {self.micro_trace.mac_layers[part.end - 1].id for part in parts[:-1]}
        leaving = self.batches.staying & last
        if not leaving:
            return self.batches
        return self._apart.setdefault(leaving, Batches(self.micro_trace, self.spec, leaving))

    def _operation_cycles(self, phase: Phase, programme: Programme, parts: Sequence[NetworkStage], index: int) -> int:
        """Return the cycles of an operation of a batch.

        Where it starts as soon as a forward pass on its device ends, no barrier stands between the two: both run in
        one go, and the operation takes what that is longer than the forward pass.
        """

        def stages(of: int) -> tuple[Stage, ...]:
            operation = programme.placed[of].operation
            return self._stages(phase, parts[operation.stage], operation.kind, of in programme.last_on_device)

        batches = self._cut(parts)
        ahead = stages(programme.behind_forward[index]) if index in programme.behind_forward else ()
        return self._run(batches, phase, (*ahead, *stages(index))) - self._run(batches, phase, ahead)

    def _stages(self, phase: Phase, part: NetworkStage, kind: Kind, last: bool) -> tuple[Stage, ...]:
        """Return what an operation carries out of the stages of a batch."""
        return tuple(
            kept
            for stage in self.batches.stages(phase)
            if part.first <= stage.layer < part.end and stage.backward == (kind != "forward")
            for kept in [self._kept(stage, kind, last)]
            if kept.main or kept.predictor
        )

    def _kept(self, stage: Stage, kind: Kind, last: bool) -> Stage:
        """Return the part of a stage that an operation carries out."""
        main = tuple(name for name in stage.main if name in _PASSES[kind])
        predictor = stage.predictor if kind != "input_gradient" else ()
        if last:
            return Stage(stage.layer, main, predictor)
        main = tuple(name for name in main if name not in _ONCE_A_BATCH)
        each = tuple(name for name in predictor if name not in _ONCE_A_BATCH)
        return Stage(stage.layer, main, each if self.predictor_runs == "micro-batch" else ())

    def work(self, phase: Phase, programme: Programme, parts: Sequence[NetworkStage], link: Link) -> BatchWork:
        """Return a batch of a phase with its cycles."""
        hz, word_bits, samples = self.spec.frequency_hz, self.spec.precision.word_bits, self.micro_trace.batch_size
        cycles, messages = [], []
        for index, one in enumerate(programme.placed):
            stage, kind = one.operation.stage, one.operation.kind
            cycles.append(self._operation_cycles(phase, programme, parts, index))
            # Forward sends what the next stage needs; backward the gradients of what came in.
            sent = stage + 1 if kind == "forward" else stage
            words = parts[sent].entering_words * samples if sent < len(parts) else 0
            messages.append(link.message_cycles(words * word_bits // 8, hz))
        reduce = tuple(
            link.reduce_cycles(part.weight_words * word_bits // 8, len(homes), hz)
            for part, homes in zip(parts, programme.replicas, strict=True)
        )
        return BatchWork(programme, tuple(cycles), tuple(messages), link.latency_cycles(hz), reduce)

    def _run(self, batches: Batches, kind: Phase, stages: tuple[Stage, ...]) -> int:
        key = (batches.leaving, kind, stages)
        if key not in self._cycles:
            self._cycles[key] = batches.part_cycles(kind, stages) if stages else 0
        return self._cycles[key]


def without_capacity(spec: Accelerator) -> Accelerator:
    """Return a spec whose DRAM holds anything: a device of a pipeline keeps only its stages."""
    return spec.model_copy(update={"dram": spec.dram.model_copy(update={"capacity_bytes": 1 << 62})})
