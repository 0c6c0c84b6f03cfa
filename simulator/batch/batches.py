"""The batches of a trace on an accelerator: their kinds, stages, steps, plans and runs.

This is the one place where a batch is put together. The single device runs whole batches; a device of a pipeline runs
some stages of one (`simulator/pipelines/stage_times.py`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from simulator.batch.mapping_file import GivenMappings
from simulator.batch.operations import Operations
from simulator.engine.batch import BatchRun, OpRun, run_batch
from simulator.engine.work import StepWork, merge
from simulator.machine.spec import Accelerator
from simulator.phases.checked_steps import checked_steps
from simulator.phases.design import Step, batch_kind
from simulator.phases.stages import LayerFacts, Stage, layer_facts, stages_of
from workloads.foundation.errors import InputError
from workloads.foundation.headway import headway
from workloads.schedule import Phase
from workloads.trace import Trace


@dataclass(frozen=True)
class Batches:
    """All batches of one trace on one accelerator; a pure function of the two.

    A **kind** is the phase whose batch the design carries out: phases that it carries out alike share one. The outputs
    of the layers `leaving` (their ids) go to another device; none of them stays in this one's buffer. `mappings` take
    the place of those that the machine names.
    """

    trace: Trace
    spec: Accelerator
    leaving: frozenset[str] = frozenset()
    mappings: GivenMappings | None = None
    _laid_out: dict[Phase, list[Step]] = field(default_factory=dict, compare=False)
    _works: dict[Phase, list[list[StepWork]]] = field(default_factory=dict, compare=False)
    _runs: dict[Phase, BatchRun] = field(default_factory=dict, compare=False)

    @cached_property
    def kinds(self) -> tuple[Phase, ...]:
        """The kinds of batches that the trace's schedule has."""
        return tuple(dict.fromkeys(self.kind(phase) for phase in self.trace.schedule.counts()))

    def kind(self, phase: Phase) -> Phase:
        """Return the kind of a phase's batches."""
        return batch_kind(self.spec.design_rules, phase)

    def stages(self, kind: Phase) -> list[Stage]:
        """Return the stages of one batch."""
        return stages_of(self._facts, kind)

    def steps(self, kind: Phase) -> list[Step]:
        """Return the steps of one batch, as the design lays them out."""
        if kind not in self._laid_out:
            self._laid_out[kind] = self._steps(self.stages(kind))
        return self._laid_out[kind]

    def works(self, kind: Phase) -> list[list[StepWork]]:
        """Return the plans of every task of every step of one batch."""
        if kind not in self._works:
            with headway(len(self.steps(kind))) as step_planned:
                for _ in self.planning(kind):
                    step_planned()
        return self._works[kind]

    def planning(self, kind: Phase) -> Iterator[None]:
        """Plan one batch, a step at a time, so that several batches can be planned side by side."""
        works = []
        for step in self.steps(kind):
            works.append(self._step_plans(kind, step))
            yield
        self._works[kind] = works

    def run(self, kind: Phase) -> BatchRun:
        """Return one batch."""
        if kind not in self._runs:
            self._runs[kind] = self._run(self.steps(kind), self.works(kind))
        return self._runs[kind]

    def part_cycles(self, kind: Phase, stages: Sequence[Stage]) -> int:
        """Return the cycles of a part of a batch on its own: of some stages, or of some of their passes."""
        steps = self._steps(stages)
        return run_batch(steps, self._plans(kind, steps), self.spec.dram, self.spec.frequency_hz).cycles

    def layer_ops(self, kind: Phase, layer: int, alone: bool = False) -> list[tuple[OpRun, StepWork]]:
        """Return the ops of one layer in a batch, each with its plans.

        Only the steps are run that have an op of the layer: what runs before a barrier changes nothing behind it. With
        a DRAM that refreshes it does, by the refreshes that are owed; then the whole batch is run, unless `alone`.
        """
        steps = self.steps(kind)
        if alone or self.spec.dram.refresh(self.spec.frequency_hz) is None:
            steps = [step for step in steps if any(task.layer == layer for task in (*step.first, *step.second))]
        works = self._plans(kind, steps)
        run = self._run(steps, works)
        pairs = zip(run.ops, (work for step in works for work in step), strict=True)
        return [(op, work) for op, work in pairs if op.task.layer == layer]

    def _run(self, steps: Sequence[Step], works: Sequence[list[StepWork]]) -> BatchRun:
        spec = self.spec
        return run_batch(steps, works, spec.dram, spec.frequency_hz, spec.launch_cycles)

    @cached_property
    def staying(self) -> frozenset[str]:
        """Ids of the layers whose output stays in the buffer in some kind of batch."""
        layers = self.trace.mac_layers
        return frozenset(layer.id for layer in layers for kind in self.kinds if self._operations.stays(layer, kind))

    @cached_property
    def _facts(self) -> list[LayerFacts]:
        return layer_facts(self.trace, self.spec.vector_unit.costed)

    @cached_property
    def _layer_ids(self) -> list[str]:
        return [layer.id for layer in self.trace.mac_layers]

    @cached_property
    def _operations(self) -> Operations:
        return Operations(self.trace, self.spec, self.leaving, self.mappings)

    def _steps(self, stages: Sequence[Stage]) -> list[Step]:
        return checked_steps(self.spec.design_rules, stages, self._layer_ids)

    def _plans(self, kind: Phase, steps: Sequence[Step]) -> list[list[StepWork]]:
        return [self._step_plans(kind, step) for step in steps]

    def _step_plans(self, kind: Phase, step: Step) -> list[StepWork]:
        work = self._operations.work
        works = [*(work(task, kind, 0) for task in step.first), *(work(task, kind, 1) for task in step.second)]
        if step.second and all(merge(works).uses_predictor_sram):
            self._refuse_shared_sram(step, works)
        return works

    def _refuse_shared_sram(self, step: Step, works: Sequence[StepWork]) -> None:
        uses = zip((*step.first, *step.second), works, strict=True)
        task = next(task for task, work in uses if any(work.uses_predictor_sram))
        raise InputError(
            f"design {self.spec.design}", f"{task.pass_} of layer {self._layer_ids[task.layer]}",
            "uses the predictor SRAM in a step in which the other array uses it", "put one of the two in another step",
        )  # fmt: skip
