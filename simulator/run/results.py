"""Results as plain tables: rows of ops, phases of a run, runs of a comparison."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from dataflows.actions import ACTIONS, ActionCounts
from simulator.energy.energy import ENERGY_PARTS, Energy
from simulator.machine.spec import Accelerator
from workloads.passes import Pass
from workloads.schedule import Phase
from workloads.trace import Trace

if TYPE_CHECKING:
    from simulator.engine.batch import BatchRun

RESULT_SCHEMA = 3
BATCH_ROW = "(batch)"


@dataclass(frozen=True, slots=True)
class LayerRow:
    """One op of one phase's batch: a row of layers.csv, whose columns docs/results.md describes.

    ``end_cycle - start_cycle`` = compute_cycles and the four stalls. `count` is the number of
    such batches in the run. The row `(batch)` holds what costs by time and belongs to no layer; its cycles are
    zero and its `array` is None. Its `barrier_refresh_cycles` pass after the last op, until the DRAM has made the
    refreshes that it owes: the last `end_cycle` and they add up to the batch's cycles.
    """

    design: str
    dataflow: str
    phase: Phase
    index: int
    layer: str
    pass_: Pass | Literal[""]
    array: int | None
    start_cycle: int
    end_cycle: int
    compute_cycles: int
    count: int
    stall_load_cycles: int
    stall_store_cycles: int
    stall_other_array_cycles: int
    stall_buffer_port_cycles: int
    pipeline_cycles: int
    barrier_refresh_cycles: int
    dram_cycles: int
    dram_model: str
    pes: int
    counts: ActionCounts
    energy: Energy

    @property
    def cycles(self) -> int:
        """Cycles from start to end."""
        return self.end_cycle - self.start_cycle

    @property
    def utilization(self) -> float:
        """Share of the array's multiply-accumulates that were used."""
        return self.counts.macs / (self.cycles * self.pes) if self.cycles else 0.0

    @property
    def roofline_bound(self) -> str:
        """`memory` where the op's transfers take the channel longer than its folds take the array."""
        if self.array is None:
            return ""
        return "memory" if self.dram_cycles > self.compute_cycles else "compute"

    @property
    def roofline_ratio(self) -> float:
        """How many times longer the transfers take the channel than the folds take the array."""
        return self.dram_cycles / self.compute_cycles if self.compute_cycles else 0.0

    def values(self) -> dict[str, Any]:
        """Return the row as plain values by column."""
        head = {
            "design": self.design,
            "dataflow": self.dataflow,
            "phase": self.phase,
            "index": self.index,
            "layer": self.layer,
            "pass": self.pass_,
            "array": self.array,
            "start_cycle": self.start_cycle,
            "end_cycle": self.end_cycle,
            "cycles": self.cycles,
            "compute_cycles": self.compute_cycles,
            "count": self.count,
            "stall_load_cycles": self.stall_load_cycles,
            "stall_store_cycles": self.stall_store_cycles,
            "stall_other_array_cycles": self.stall_other_array_cycles,
            "stall_buffer_port_cycles": self.stall_buffer_port_cycles,
            "pipeline_cycles": self.pipeline_cycles,
            "barrier_refresh_cycles": self.barrier_refresh_cycles,
            "utilization": self.utilization,
            "roofline_bound": self.roofline_bound,
            "roofline_ratio": self.roofline_ratio,
            "dram_cycles": self.dram_cycles,
            "dram_model": self.dram_model,
        }
        counts = {name: getattr(self.counts, name) for name in ACTIONS}
        energies = {f"energy_{name}_pj": getattr(self.energy, name) for name in ENERGY_PARTS}
        return head | counts | energies | {"energy_pj": self.energy.total}


@dataclass(frozen=True, slots=True)
class ArrayUse:
    """Busy and idle cycles of an array in one batch; they add up to the batch's cycles."""

    array: int
    busy_cycles: int
    idle_cycles: int


@dataclass(frozen=True, slots=True)
class PhaseResult:
    """One batch of a phase, and how many of them the run has.

    `compute_cycles_per_batch` is what the batch would take if every tile were in the buffer in time.
    """

    phase: Phase
    batches: int
    cycles_per_batch: int
    compute_cycles_per_batch: int
    energy_pj_per_batch: float
    memory_energy_pj_per_batch: float
    macs_per_batch: int
    dram_read_bytes_per_batch: int
    dram_write_bytes_per_batch: int
    peak_dram_bytes: int
    arrays: tuple[ArrayUse, ...]


@dataclass(frozen=True, slots=True)
class ExactStretch:
    """A stretch of batches simulated one by one, beside the same stretch composed."""

    first_batch: int
    phases: tuple[Phase, ...]
    cycles: tuple[int, ...]
    composed_cycles: tuple[int, ...]

    @property
    def equal(self) -> bool:
        """Whether the simulation without the short cut gives the same cycle counts."""
        return self.cycles == self.composed_cycles


@dataclass(frozen=True)
class RunResult:
    """One design on one trace.

    `batch_runs` holds one batch of each phase as the engine ran it, for timelines. Rows are made where they are asked
    for.
    """

    spec: Accelerator
    phases: tuple[PhaseResult, ...]
    make_rows: Callable[[], Iterable[LayerRow]] = field(compare=False, repr=False)
    batch_runs: "dict[Phase, BatchRun]"
    exact: ExactStretch | None = None

    @cached_property
    def rows(self) -> tuple[LayerRow, ...]:
        """The ops of one batch of each phase."""
        return tuple(self.make_rows())

    @property
    def design(self) -> str:
        """Name of the design."""
        return self.spec.design

    @property
    def dataflow(self) -> str:
        """Name of the dataflow."""
        return self.spec.dataflow

    @property
    def total_cycles(self) -> int:
        """Cycles of the whole training run."""
        return sum(phase.batches * phase.cycles_per_batch for phase in self.phases)

    @property
    def seconds(self) -> float:
        """Duration of the whole training run."""
        return self.total_cycles / self.spec.frequency_hz

    @property
    def energy_pj(self) -> float:
        """Energy of the whole training run."""
        return sum(phase.batches * phase.energy_pj_per_batch for phase in self.phases)

    @property
    def memory_energy_pj(self) -> float:
        """Energy of its accesses to accumulators, buffer, predictor SRAM and DRAM."""
        return sum(phase.batches * phase.memory_energy_pj_per_batch for phase in self.phases)

    @property
    def peak_dram_bytes(self) -> int:
        """Most bytes that lie in DRAM at once."""
        return max(phase.peak_dram_bytes for phase in self.phases)

    def phase(self, name: Phase) -> PhaseResult:
        """Return one phase's result; KeyError if the run has no such batch."""
        for phase in self.phases:
            if phase.phase == name:
                return phase
        raise KeyError(name)


@dataclass(frozen=True)
class Results:
    """Runs of several designs on one trace."""

    trace: Trace
    runs: tuple[RunResult, ...]

    @property
    def baseline(self) -> RunResult | None:
        """The baseline among the runs, if it is there."""
        return next((run for run in self.runs if run.design == "baseline"), None)

    def speedup(self, run: RunResult) -> float | None:
        """Baseline cycles over this run's; None without a baseline."""
        return None if self.baseline is None else self.baseline.total_cycles / run.total_cycles

    def energy_reduction(self, run: RunResult) -> float | None:
        """Share of the baseline's energy that is saved; None without a baseline."""
        return None if self.baseline is None else 1 - run.energy_pj / self.baseline.energy_pj

    def memory_energy_reduction(self, run: RunResult) -> float | None:
        """Share of the baseline's memory-access energy that is saved; None without a baseline."""
        return None if self.baseline is None else 1 - run.memory_energy_pj / self.baseline.memory_energy_pj

    @property
    def rows(self) -> tuple[LayerRow, ...]:
        """All rows of all runs."""
        return tuple(row for run in self.runs for row in run.rows)

    def table(self) -> list[dict[str, Any]]:
        """Return the rows as plain dictionaries, as in layers.csv."""
        return [row.values() for row in self.rows]
