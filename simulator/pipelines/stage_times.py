"""Cycles of a stage's passes on a device, simulated layer by layer at the size of a micro-batch.

A device is the accelerator of the spec. The trace is simulated anew with the micro-batch as its batch: cycles do not
scale with the batch where weights are loaded or DRAM is waited for.

What runs once a batch (the update, and with `predictor_runs` of ``batch`` the predictor) runs with the last micro-batch
that a device takes through a stage: the predictor's input is the mean over the whole batch, and the true gradient that
trains it is whole only then. So a pipeline predicts what one device would. With ``micro-batch`` the predictor runs with
each.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, get_args

from simulator.batch.operations import Operations
from simulator.engine.batch import run_batch
from simulator.machine.spec import Accelerator
from simulator.phases.stages import LayerFacts, Stage, layer_facts, stages_of
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
    _cycles: dict[tuple[Phase, tuple[Stage, ...]], int] = field(default_factory=dict, compare=False)

    @cached_property
    def _operations(self) -> Operations:
        return Operations(self.micro_trace, self.spec)

    @cached_property
    def kinds(self) -> tuple[Phase, ...]:
        """The kinds of batches of this trace as the design carries them out."""
        return tuple(dict.fromkeys(self.kind_of(phase) for phase in self.micro_trace.schedule.counts()))

    def kind_of(self, phase: Phase) -> Phase:
        """Return as which kind of batch the design carries out a phase."""
        kind: Phase = self.spec.design_rules.runs_as(phase)
        return "bp" if kind == "warm_up" else kind

    def goes_backward(self, phase: Phase) -> bool:
        """Whether a batch of a phase has a backward pass."""
        return any("forward" not in stage.main for stage in self._stages(phase))

    def layer_costs(self) -> list[int]:
        """Return forward and backward cycles of each layer without predictor, by which a network is cut."""
        totals = [0] * len(self.micro_trace.mac_layers)
        for stage in self._stages("bp"):
            main = tuple(name for name in stage.main if name not in _ONCE_A_BATCH)
            totals[stage.layer] += self._run("bp", (Stage(stage.layer, main),))
        return totals

    def cycles(self, phase: Phase, part: NetworkStage, kind: Kind, last: bool) -> int:
        """Return the cycles of an operation on a stage of the network; `last` carries what runs once a batch."""
        stages = tuple(
            kept
            for stage in self._stages(phase)
            if part.first <= stage.layer < part.end and ("forward" in stage.main) == (kind == "forward")
            for kept in [self._kept(stage, kind, last)]
            if kept.main or kept.predictor
        )
        # Without predictor and update a forward pass is the same in every phase.
        return self._run(phase if last or any(stage.predictor for stage in stages) else "bp", stages)

    def _kept(self, stage: Stage, kind: Kind, last: bool) -> Stage:
        """Return what of a stage an operation carries out."""
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
            cycles.append(self.cycles(phase, parts[stage], kind, index in programme.last_on_device))
            # Forward sends what the next stage needs; backward the gradients of what came in.
            sent = stage + 1 if kind == "forward" else stage
            words = parts[sent].entering_words * samples if sent < len(parts) else 0
            messages.append(link.message_cycles(words * word_bits // 8, hz))
        reduce = tuple(
            link.reduce_cycles(part.weight_words * word_bits // 8, len(homes), hz)
            for part, homes in zip(parts, programme.replicas, strict=True)
        )
        return BatchWork(programme, tuple(cycles), tuple(messages), link.latency_cycles(hz), reduce)

    def _stages(self, phase: Phase) -> list[Stage]:
        return stages_of(self._facts, phase)

    @cached_property
    def _facts(self) -> list[LayerFacts]:
        return layer_facts(self.micro_trace)

    def _run(self, phase: Phase, stages: tuple[Stage, ...]) -> int:
        if not stages:
            return 0
        if (phase, stages) not in self._cycles:
            work = self._operations.work
            steps = [step for step in self.spec.design_rules.steps(stages) if step.first or step.second]
            works = [
                [work(task, phase, 0) for task in step.first] + [work(task, phase, 1) for task in step.second]
                for step in steps
            ]
            run = run_batch(steps, works, self.spec.dram, self.spec.frequency_hz)
            self._cycles[phase, stages] = run.cycles
        return self._cycles[phase, stages]


def without_capacity(spec: Accelerator) -> Accelerator:
    """Return a spec whose DRAM holds anything: a device of a pipeline keeps only its stages."""
    return spec.model_copy(update={"dram": spec.dram.model_copy(update={"capacity_bytes": 1 << 62})})
