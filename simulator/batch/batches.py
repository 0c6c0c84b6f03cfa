"""The batches of one trace on one accelerator: kinds, stages, checked steps, plans and runs.

The single device (`simulator.run`) and pipelines (`simulator.pipelines`) both take their batches from here. Whole
batches come by their phase; a pipeline also runs a part of a batch, given as stages.
"""

from collections.abc import Sequence
from functools import cached_property

from simulator.batch.operations import Operations
from simulator.engine.batch import BatchRun, run_batch
from simulator.engine.work import StepWork
from simulator.machine.spec import Accelerator
from simulator.phases.checked_steps import checked_steps
from simulator.phases.design import Step
from simulator.phases.phase import PHASE_RULES, stages_of
from simulator.phases.stages import LayerFacts, Stage, layer_facts
from workloads.foundation.errors import InputError
from workloads.passes import ROLES, layer_products
from workloads.schedule import Phase
from workloads.trace import Trace

MOST_MACS = 1 << 55  # of a layer's pass
MOST_CYCLES = 1 << 60  # of a batch


class Batches:
    """What one batch of each phase does on a machine, each planned and run once."""

    def __init__(self, trace: Trace, spec: Accelerator) -> None:
        self.trace, self.spec = trace, spec
        self._operations = Operations(trace, spec)
        self._steps: dict[Phase, list[Step]] = {}
        self._works: dict[Phase, list[list[StepWork]]] = {}
        self._runs: dict[Phase, BatchRun] = {}

    @cached_property
    def facts(self) -> list[LayerFacts]:
        """What the phases need to know of each layer with multiply-accumulates."""
        return layer_facts(self.trace, self.spec.vector_unit.costed)

    @cached_property
    def layers(self) -> list[str]:
        """Name of each layer with multiply-accumulates."""
        return [layer.id for layer in self.trace.mac_layers]

    @cached_property
    def kinds(self) -> tuple[Phase, ...]:
        """The kinds of batches of the trace's schedule, each once."""
        return tuple(dict.fromkeys(self.kind(phase) for phase in self.trace.schedule.counts()))

    def kind(self, phase: Phase) -> Phase:
        """Return the phase whose batch is run for `phase`: what the design carries it out as, each equal phase once."""
        return PHASE_RULES[self.spec.design_rules.runs_as(phase)].same_as

    def stages(self, phase: Phase) -> list[Stage]:
        """Return the stages of one batch, whatever the design."""
        return stages_of(self.facts, self.kind(phase))

    def steps(self, phase: Phase) -> list[Step]:
        """Return the steps of one batch as the design lays them out.

        Raises
        ------
        InputError
            If the design's steps are not a batch (see `simulator.phases.checked_steps`).
        """
        kind = self.kind(phase)
        if kind not in self._steps:
            self._steps[kind] = self._checked(self.stages(kind))
        return self._steps[kind]

    def works(self, phase: Phase) -> list[list[StepWork]]:
        """Return the plans of every task of every step of one batch.

        Raises
        ------
        InputError
            If a tile does not fit in the buffer.
        """
        kind = self.kind(phase)
        if kind not in self._works:
            self._works[kind] = self._planned(self.steps(kind), kind)
        return self._works[kind]

    def run(self, phase: Phase) -> BatchRun:
        """Return one batch as it ran."""
        kind = self.kind(phase)
        if kind not in self._runs:
            self._runs[kind] = self._run(self.steps(kind), self.works(kind))
        return self._runs[kind]

    def run_part(self, phase: Phase, stages: Sequence[Stage]) -> BatchRun:
        """Return some stages of a batch as they run on their own."""
        steps = self._checked(stages)
        return self._run(steps, self._planned(steps, self.kind(phase)))

    def compute_cycles(self, phase: Phase) -> int:
        """Return the cycles of a batch in which nothing stalls: in each step, the longer array's."""

        def longest(works: list[StepWork]) -> int:
            first = sum(work.compute_cycles for work in works if not work.second)
            return max(first, sum(work.compute_cycles for work in works if work.second))

        return sum(longest(works) for works in self.works(phase))

    def check(self) -> None:
        """Plan the batches, and refuse numbers that are beyond what is simulated.

        Raises
        ------
        InputError
            If a pass has too many MACs or a batch too many cycles for 64-bit integers, the design's steps are not a
            batch, or a tile does not fit in the buffer.
        """
        for layer in self.trace.mac_layers:
            for role in ROLES:
                products = layer_products(layer, role, self.trace.batch_size, self.spec.dgrad)
                if sum(product.macs for product in products) > MOST_MACS:
                    raise InputError("the trace", layer.id, f"its {role} has more than {MOST_MACS} MACs",
                                     "give a smaller --batch-size or layer")  # fmt: skip
        for kind in self.kinds:
            self._check_cycles(kind)

    def _check_cycles(self, kind: Phase) -> None:
        dram, hz = self.spec.dram, self.spec.frequency_hz
        most = 0
        for plan in (plan for step in self.works(kind) for work in step for plan in work.plans):
            moved = plan.counts.dram_read_bytes + plan.counts.dram_write_bytes
            most += plan.compute_cycles + plan.port_wait_total + dram.bound_cycles(moved, 2 * len(plan.loads), hz)
        if most > MOST_CYCLES:
            raise InputError("the accelerator", "dram", f"a {kind} batch may take {most} cycles",
                             "give a faster DRAM or a lower frequency_hz")  # fmt: skip

    def _checked(self, stages: Sequence[Stage]) -> list[Step]:
        return checked_steps(self.spec.design_rules, stages, self.layers)

    def _planned(self, steps: Sequence[Step], kind: Phase) -> list[list[StepWork]]:
        work = self._operations.work
        return [
            [work(task, kind, 0) for task in step.first] + [work(task, kind, 1) for task in step.second]
            for step in steps
        ]

    def _run(self, steps: Sequence[Step], works: Sequence[list[StepWork]]) -> BatchRun:
        return run_batch(steps, works, self.spec.dram, self.spec.frequency_hz)
