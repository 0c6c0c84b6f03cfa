"""Memory-access energy under one counting rule after another (paper, figure 21 and section 6.6.2).

The paper says that ADA-GP saves 34 % of the energy of memory accesses, and not what it counts. The study starts from
the traffic of activations alone and adds one kind of access a rule, so that it can be seen which rule is worth how
much. Each rule is a sum over the transfers of the simulated batches; none changes a cycle.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod

from dataflows.plan import Plan
from simulator.design import Task
from simulator.energy import energy_table_of
from simulator.simulation import Simulation
from simulator.spec import Accelerator
from workloads.layers import MacLayer, Matmul
from workloads.optimizers import OPTIMIZERS
from workloads.schedule import Phase
from workloads.trace import Trace
from workloads.vectors import vectors_behind

_PRODUCTS = ("forward", "dgrad", "wgrad")


@dataclass(frozen=True, slots=True)
class Op:
    """What a rule is asked about: the plans of one task of a batch."""

    simulation: Simulation
    task: Task
    layer: MacLayer
    plans: Sequence[Plan]

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
    filters = op.moved(False, 1) if name == "wgrad" else 0
    result = op.moved(True, 0) if name != "wgrad" else 0
    return op.moved(False, 0) + filters + result


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
    return op.moved(True, 0) if name == "wgrad" else op.moved(False, 1)


def _partial_sums(op: Op) -> int:
    if op.task.pass_ not in _PRODUCTS or isinstance(op.layer, Matmul):
        return 0
    return op.moved(False, 2) + op.moved(True, 1)


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


def memory_study(trace: Trace, baseline: Accelerator, spec: Accelerator) -> list[StudyRow]:
    """Return the study's rows; the last two rules count outputs that stay, and the memories on the chip.

    Raises
    ------
    InputError
        If the trace does not fit on one of the machines.
    """
    leaving = {"gp_outputs_stay": False}
    before = [_by_rule(Simulation(trace, one.model_copy(update=leaving))) for one in (baseline, spec)]
    rows = []
    for index, rule in enumerate(RULES):
        sums = [sum(one[: index + 1]) for one in before]
        rows.append(StudyRow(rule.name, *sums))
    runs = [Simulation(trace, one) for one in (baseline, spec)]
    after = [sum(_by_rule(run)) for run in runs]
    rows.append(StudyRow(STAY, *after))
    chip = [_on_chip(run) for run in runs]
    rows.append(StudyRow(ON_CHIP, *(a + c for a, c in zip(after, chip, strict=True))))
    return rows


def _by_rule(simulation: Simulation) -> list[float]:
    """Return each rule's energy over the whole run, in picojoules."""
    dram = energy_table_of(simulation.spec).actions["dram_read_bytes"]
    assert dram.energy_pj is not None, "every machine has DRAM"
    each = dram.energy_pj / dram.counts_per_access
    totals = [0] * len(RULES)
    for phase, batches in simulation.trace.schedule.counts().items():
        for op in _ops(simulation, phase):
            for index, rule in enumerate(RULES):
                totals[index] += batches * rule.dram_bytes(op)
    return [total * each for total in totals]


def _ops(simulation: Simulation, phase: Phase) -> list[Op]:
    kind = simulation.kind(phase)
    layers = simulation.trace.mac_layers
    return [
        Op(simulation, task, layers[task.layer], work.plans)
        for step, works in zip(simulation.steps(kind), simulation.works(kind), strict=True)
        for task, work in zip((*step.first, *step.second), works, strict=True)
    ]


def _on_chip(simulation: Simulation) -> float:
    """Return the energy of accumulators, global buffer and predictor SRAM over the whole run, in picojoules."""
    table, total = energy_table_of(simulation.spec), 0.0
    for phase, batches in simulation.trace.schedule.counts().items():
        for op in _ops(simulation, phase):
            for plan in op.plans:
                energy = table.energy(plan.counts)
                total += batches * (energy.memory - energy.dram)
    return total
