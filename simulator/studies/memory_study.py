"""Memory-access energy under one counting rule after another (paper, figure 21 and section 6.6.2).

The paper says that ADA-GP saves 34 % of the energy of memory accesses, and not what it counts. The study starts from
the traffic of activations alone and adds one kind of access a rule, so that a reader sees how much each rule changes.
Each rule is a sum over the transfers of the simulated batches; none changes a cycle.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from dataflows.plans.plan import Plan
from dataflows.plans.transfers import LoadPattern, StorePattern
from simulator.energy.energy import energy_table_of
from simulator.machine.spec import Accelerator
from simulator.phases.design import Task
from simulator.phases.stages import PHASE_RULES
from simulator.run.simulation import Simulation
from workloads.layers import MacLayer, Matmul
from workloads.optimizers import OPTIMIZERS
from workloads.schedule import Phase
from workloads.trace import Trace
from workloads.vectors import vectors_behind

_PRODUCTS = ("forward", "dgrad", "wgrad")


@dataclass(frozen=True, slots=True)
class Op:
    """What a rule is asked about: the plans of one task of a batch, and the array that runs them."""

    simulation: Simulation
    task: Task
    layer: MacLayer
    plans: Sequence[Plan]
    array: int

    def moved(self, stored: bool, *patterns: int) -> int:
        """Bytes that some patterns of the plans' loads or stores move."""
        total = 0
        for plan in self.plans:
            transfers = plan.stores if stored else plan.loads
            those = [index for index in patterns if index < len(transfers.segments)]
            total += int((transfers.segments[those] * transfers.segment_bytes[those]).sum())
        return total

    @property
    def dram_bytes(self) -> int:
        """All bytes to and from DRAM."""
        return sum(plan.counts.dram_read_bytes + plan.counts.dram_write_bytes for plan in self.plans)


def _activations(op: Op) -> int:
    # products load their image, their filter and partial sums, and store their result and partial sums
    name = op.task.pass_
    if name not in _PRODUCTS:
        return 0
    if isinstance(op.layer, Matmul):
        return op.dram_bytes
    filters = op.moved(False, LoadPattern.FILTER) if name == "wgrad" else 0
    result = op.moved(True, StorePattern.RESULT) if name != "wgrad" else 0
    return op.moved(False, LoadPattern.IFMAP) + filters + result


def _masks(op: Op) -> int:
    # the first pass of a layer's backward part reads what the activations behind the layer made (a ReLU's mask)
    first = "dgrad" if isinstance(op.layer, Matmul) else "wgrad"
    if op.task.pass_ != first:
        return 0
    trace = op.simulation.trace
    behind = vectors_behind(trace.layers, op.layer.id)
    words = sum(prod(one.shape) for one in behind if one.kind == "activation")
    return words * trace.batch_size * op.simulation.spec.precision.word_bits // 8


def _weights(op: Op) -> int:
    name = op.task.pass_
    if name not in _PRODUCTS or isinstance(op.layer, Matmul):
        return 0
    return op.moved(True, StorePattern.RESULT) if name == "wgrad" else op.moved(False, LoadPattern.FILTER)


def _partial_sums(op: Op) -> int:
    if op.task.pass_ not in _PRODUCTS or isinstance(op.layer, Matmul):
        return 0
    return op.moved(False, LoadPattern.PSUMS) + op.moved(True, StorePattern.PSUMS)


def _optimizer_state(op: Op) -> int:
    if op.task.pass_ != "update" or not OPTIMIZERS[op.simulation.trace.optimizer].state_words:
        return 0
    # updates load weights, gradients and state, and store weights, perhaps words for the passes, and state
    wide = op.simulation.spec.precision.master_words > 1
    return op.moved(False, 2) + op.moved(True, 2 if wide else 1)


def _updates(op: Op) -> int:
    return op.dram_bytes - _optimizer_state(op) if op.task.pass_ == "update" else 0


def _predictor(op: Op) -> int:
    return op.dram_bytes if op.task.pass_.startswith("predictor") else 0


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of access that is counted: bytes of an op to and from DRAM."""

    name: str
    dram_bytes: Callable[[Op], int]


RULES = (
    Rule("activations and their gradients", _activations),
    Rule("outputs read again for the ReLU's mask", _masks),
    Rule("weights and their gradients", _weights),
    Rule("partial sums that leave the buffer", _partial_sums),
    Rule("weight updates", _updates),
    Rule("the optimizer's state", _optimizer_state),
    Rule("the predictor", _predictor),
)
STAY = "outputs that stay in the buffer in Phase GP"
ON_CHIP = "the memories on the chip"


@dataclass(frozen=True, slots=True)
class StudyRow:
    """Memory-access energy of a whole run with this rule and all those before it, in picojoules."""

    rule: str
    baseline_pj: float
    design_pj: float

    @property
    def reduction(self) -> float:
        """Share that the design saves."""
        return 1 - self.design_pj / self.baseline_pj


def memory_study(
    trace: Trace, baseline: Accelerator, spec: Accelerator, progress: Callable[[str], Any] = lambda _: None
) -> list[StudyRow]:
    """Return the study's rows; the last two rules count outputs that stay, and the memories on the chip.

    `progress` is called when each of the two machines begins.

    Raises
    ------
    InputError
        If the trace does not fit on one of the machines.
    """
    return memory_studies(trace, baseline, [spec], progress)[0]


def memory_studies(
    trace: Trace, baseline: Accelerator, specs: Sequence[Accelerator], progress: Callable[[str], Any] = lambda _: None
) -> list[list[StudyRow]]:
    """Return a study of each spec against the one baseline."""
    accesses = []
    for spec in (baseline, *specs):
        progress(f"{spec.design} {spec.dataflow}: count memory accesses")
        accesses.append(_accesses(trace, spec))
    return [_rows(accesses[0], one) for one in accesses[1:]]


@dataclass(frozen=True, slots=True)
class _Accesses:
    """Energy of a run in picojoules: each rule's where no output stays, and all rules' and the chip's where some do."""

    by_rule: list[float]
    staying: float
    on_chip: float


def _accesses(trace: Trace, spec: Accelerator) -> _Accesses:
    leaving = Simulation(trace, spec.model_copy(update={"gp_outputs_stay": False}))
    staying = Simulation(trace, spec)
    by_rule, all_staying, on_chip = [0.0] * len(RULES), 0.0, 0.0
    for kind, batches in _batches_by_kind(staying).items():
        ops = _ops(staying, kind)
        rules = _by_rule(ops, staying)
        all_staying += batches * sum(rules)
        on_chip += batches * _on_chip(ops, staying)
        if not PHASE_RULES[kind].goes_backward:  # outputs stay in no other
            rules = _by_rule(_ops(leaving, kind), leaving)
        by_rule = [total + batches * one for total, one in zip(by_rule, rules, strict=True)]
    return _Accesses(by_rule, all_staying, on_chip)


def _rows(baseline: _Accesses, design: _Accesses) -> list[StudyRow]:
    both = (baseline, design)
    rows = []
    for index, rule in enumerate(RULES):
        rows.append(StudyRow(rule.name, *(sum(one.by_rule[: index + 1]) for one in both)))
    rows.append(StudyRow(STAY, *(one.staying for one in both)))
    rows.append(StudyRow(ON_CHIP, *(one.staying + one.on_chip for one in both)))
    return rows


def _batches_by_kind(simulation: Simulation) -> dict[Phase, int]:
    found: dict[Phase, int] = {}
    for phase, batches in simulation.trace.schedule.counts().items():
        kind = simulation.batches.kind(phase)
        found[kind] = found.get(kind, 0) + batches
    return found


def _by_rule(ops: Sequence[Op], simulation: Simulation) -> list[float]:
    """Return each rule's energy in a batch, in picojoules."""
    dram = energy_table_of(simulation.spec).actions["dram_read_bytes"]
    assert dram.energy_pj is not None, "every machine has DRAM"
    each = dram.energy_pj / dram.counts_per_access
    return [sum(rule.dram_bytes(op) for op in ops) * each for rule in RULES]


def _ops(simulation: Simulation, kind: Phase) -> list[Op]:
    layers = simulation.trace.mac_layers
    return [
        Op(simulation, task, layers[task.layer], work.plans, int(place >= len(step.first)))
        for step, works in zip(simulation.batches.steps(kind), simulation.batches.works(kind), strict=True)
        for place, (task, work) in enumerate(zip((*step.first, *step.second), works, strict=True))
    ]


def _on_chip(ops: Sequence[Op], simulation: Simulation) -> float:
    """Return the energy of accumulators, global buffer and predictor SRAM in a batch, in picojoules."""
    table, total = energy_table_of(simulation.spec), 0.0
    for op in ops:
        for plan in op.plans:
            energy = table.energy(plan.counts, op.array)
            total += energy.memory - energy.dram
    return total
