"""Memory-access energy under one counting rule after another (paper, figure 21 and section 6.6.2).

The paper says that ADA-GP saves 34 % of the energy of memory accesses, and not what it counts. The study starts from
the traffic of activations alone and adds one kind of access a rule, so that a reader sees how much each rule changes.
Each rule is a sum over the transfers of the simulated batches; none changes a cycle. The last row is the run's own
memory energy, as `compare` has it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from dataflows.actions import ActionCounts, total
from dataflows.plans.plan import Plan
from dataflows.plans.transfers import LoadPattern, StorePattern, Transfers
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
    """What a rule is asked about: the plans of one task of a batch."""

    simulation: Simulation
    task: Task
    layer: MacLayer
    plans: Sequence[Plan]

    def loaded(self, *patterns: int) -> ActionCounts:
        """Bytes that some patterns of the plans' loads read from DRAM."""
        return ActionCounts(dram_read_bytes=sum(_moved(plan.loads, patterns) for plan in self.plans))

    def stored(self, *patterns: int) -> ActionCounts:
        """Bytes that some patterns of the plans' stores write to DRAM."""
        return ActionCounts(dram_write_bytes=sum(_moved(plan.stores, patterns) for plan in self.plans))

    @property
    def all_bytes(self) -> ActionCounts:
        """All bytes to and from DRAM."""
        counts = [plan.counts for plan in self.plans]
        return ActionCounts(
            dram_read_bytes=sum(one.dram_read_bytes for one in counts),
            dram_write_bytes=sum(one.dram_write_bytes for one in counts),
        )


def _moved(transfers: Transfers, patterns: Sequence[int]) -> int:
    those = [index for index in patterns if index < len(transfers.segments)]
    return int((transfers.segments[those] * transfers.segment_bytes[those]).sum())


NONE = ActionCounts()


def _activations(op: Op) -> ActionCounts:
    # products load their image, their filter and partial sums, and store their result and partial sums
    name = op.task.pass_
    if name not in _PRODUCTS:
        return NONE
    if isinstance(op.layer, Matmul):
        return op.all_bytes
    filters = op.loaded(LoadPattern.FILTER) if name == "wgrad" else NONE
    result = op.stored(StorePattern.RESULT) if name != "wgrad" else NONE
    return op.loaded(LoadPattern.IFMAP) + filters + result


def _masks(op: Op) -> ActionCounts:
    # the first pass of a layer's backward part reads what the activations behind the layer made (a ReLU's mask)
    first = "dgrad" if isinstance(op.layer, Matmul) else "wgrad"
    if op.task.pass_ != first:
        return NONE
    trace = op.simulation.trace
    behind = vectors_behind(trace.layers, op.layer.id)
    words = sum(prod(one.shape) for one in behind if one.kind == "activation")
    return ActionCounts(dram_read_bytes=words * trace.batch_size * op.simulation.spec.precision.word_bits // 8)


def _weights(op: Op) -> ActionCounts:
    name = op.task.pass_
    if name not in _PRODUCTS or isinstance(op.layer, Matmul):
        return NONE
    return op.stored(StorePattern.RESULT) if name == "wgrad" else op.loaded(LoadPattern.FILTER)


def _partial_sums(op: Op) -> ActionCounts:
    if op.task.pass_ not in _PRODUCTS or isinstance(op.layer, Matmul):
        return NONE
    return op.loaded(LoadPattern.PSUMS) + op.stored(StorePattern.PSUMS)


def _optimizer_state(op: Op) -> ActionCounts:
    if op.task.pass_ != "update" or not OPTIMIZERS[op.simulation.trace.optimizer].state_words:
        return NONE
    # updates load weights, gradients and state, and store weights, perhaps words for the passes, and state
    wide = op.simulation.spec.precision.master_words > 1
    return op.loaded(2) + op.stored(2 if wide else 1)


def _updates(op: Op) -> ActionCounts:
    if op.task.pass_ != "update":
        return NONE
    moved, state = op.all_bytes, _optimizer_state(op)
    return ActionCounts(
        dram_read_bytes=moved.dram_read_bytes - state.dram_read_bytes,
        dram_write_bytes=moved.dram_write_bytes - state.dram_write_bytes,
    )


def _predictor(op: Op) -> ActionCounts:
    return op.all_bytes if op.task.pass_.startswith("predictor") else NONE


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of access that is counted: bytes of an op to and from DRAM."""

    name: str
    dram_bytes: Callable[[Op], ActionCounts]


MASKS = "outputs read again for the ReLU's mask"
RULES = (
    Rule("activations and their gradients", _activations),
    Rule(MASKS, _masks),
    Rule("weights and their gradients", _weights),
    Rule("partial sums that leave the buffer", _partial_sums),
    Rule("weight updates", _updates),
    Rule("the optimizer's state", _optimizer_state),
    Rule("the predictor", _predictor),
)
STAY = "outputs that stay in the buffer in Phase GP"
ON_CHIP = "the memories on the chip"
BESIDE = "DRAM's rows, background and refreshes"
COUNTED = "all but the masks, which no run reads"


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
    """Return the study's rows; the last is the memory energy of the run, as `compare` has it.

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
    """Energy of a run in picojoules.

    Each rule's where no output stays, all rules' where some do, and of the run itself the memories on the chip and all
    memory energy (`Energy.memory`).
    """

    by_rule: list[float]
    staying: float
    masks: float
    on_chip: float
    counted: float


def _accesses(trace: Trace, spec: Accelerator) -> _Accesses:
    leaving = Simulation(trace, spec.model_copy(update={"gp_outputs_stay": False}))
    staying = Simulation(trace, spec)
    by_rule, all_staying, masks = [0.0] * len(RULES), 0.0, 0.0
    for kind, batches in _batches_by_kind(staying).items():
        rules = _by_rule(_ops(staying, kind), staying)
        all_staying += batches * sum(rules)
        masks += batches * rules[[rule.name for rule in RULES].index(MASKS)]
        if not PHASE_RULES[kind].goes_backward:  # outputs stay in no other
            rules = _by_rule(_ops(leaving, kind), leaving)
        by_rule = [total + batches * one for total, one in zip(by_rule, rules, strict=True)]
    run = staying.run()
    on_chip = sum(row.count * (row.energy.memory - row.energy.dram) for row in run.rows)
    return _Accesses(by_rule, all_staying, masks, on_chip, run.memory_energy_pj)


def _rows(baseline: _Accesses, design: _Accesses) -> list[StudyRow]:
    both = (baseline, design)
    rows = []
    for index, rule in enumerate(RULES):
        rows.append(StudyRow(rule.name, *(sum(one.by_rule[: index + 1]) for one in both)))
    rows.append(StudyRow(STAY, *(one.staying for one in both)))
    rows.append(StudyRow(ON_CHIP, *(one.staying + one.on_chip for one in both)))
    rows.append(StudyRow(BESIDE, *(one.counted + one.masks for one in both)))
    rows.append(StudyRow(COUNTED, *(one.counted for one in both)))
    return rows


def _batches_by_kind(simulation: Simulation) -> dict[Phase, int]:
    found: dict[Phase, int] = {}
    for phase, batches in simulation.trace.schedule.counts().items():
        kind = simulation.batches.kind(phase)
        found[kind] = found.get(kind, 0) + batches
    return found


def _by_rule(ops: Sequence[Op], simulation: Simulation) -> list[float]:
    """Return each rule's energy in a batch, in picojoules."""
    table = energy_table_of(simulation.spec)
    moved = [total([rule.dram_bytes(op) for op in ops]) for rule in RULES]
    return [table.energy(counts, None).dram_access for counts in moved]


def _ops(simulation: Simulation, kind: Phase) -> list[Op]:
    layers = simulation.trace.mac_layers
    return [
        Op(simulation, task, layers[task.layer], work.plans)
        for step, works in zip(simulation.batches.steps(kind), simulation.batches.works(kind), strict=True)
        for task, work in zip((*step.first, *step.second), works, strict=True)
    ]
