"""Results as plain tables: rows of ops, phases of a run, runs of a comparison."""

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from simulator.energy import COMPONENTS, MEMORIES
from simulator.spec import Accelerator
from workloads.schedule import Phase
from workloads.trace import Trace

if TYPE_CHECKING:
    import pandas

    from simulator.engine.batch import BatchRun

RESULT_SCHEMA = 1
BATCH_ROW = "(batch)"


@dataclass(frozen=True, slots=True)
class LayerRow:
    """One op of one phase's batch; the fields are the columns of layers.csv (docs/results.md)."""

    design: str
    dataflow: str
    phase: Phase
    index: int
    layer: str
    pass_: str
    array: int | str
    start_cycle: int
    end_cycle: int
    cycles: int
    compute_cycles: int
    count: int
    stall_load_cycles: int
    stall_store_cycles: int
    macs: int
    utilization: float
    roofline_bound: str
    dram_cycles: int
    dram_model: str
    adds: int
    register_reads: int
    register_writes: int
    array_network_words: int
    buffer_read_bytes: int
    buffer_write_bytes: int
    predictor_sram_read_bytes: int
    predictor_sram_write_bytes: int
    dram_read_bytes: int
    dram_write_bytes: int
    energy_pe_array_pj: float
    energy_array_network_pj: float
    energy_global_buffer_pj: float
    energy_predictor_sram_pj: float
    energy_dram_pj: float
    energy_leakage_pj: float
    energy_pj: float

    @property
    def memory_energy_pj(self) -> float:
        """Energy of accesses to buffer, predictor SRAM and DRAM."""
        return sum(getattr(self, f"energy_{name}_pj") for name in MEMORIES)


COLUMNS: tuple[str, ...] = tuple(field.name.rstrip("_") for field in fields(LayerRow))
assert {f"energy_{name}_pj" for name in COMPONENTS} < set(COLUMNS)


@dataclass(frozen=True, slots=True)
class ArrayUse:
    """Busy and idle cycles of an array in one batch; they add up to the batch's cycles."""

    array: int
    busy_cycles: int
    idle_cycles: int


@dataclass(frozen=True, slots=True)
class PhaseResult:
    """One batch of a phase, and how many of them the run has."""

    phase: Phase
    batches: int
    cycles_per_batch: int
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
        """Whether the long way gives the same integers."""
        return self.cycles == self.composed_cycles


@dataclass(frozen=True)
class RunResult:
    """One design on one trace.

    `batch_runs` holds one batch of each phase as the engine ran it, for timelines.
    """

    spec: Accelerator
    phases: tuple[PhaseResult, ...]
    rows: tuple[LayerRow, ...]
    batch_runs: "dict[Phase, BatchRun]"
    exact: ExactStretch | None = None

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
        """Energy of its accesses to buffer, predictor SRAM and DRAM."""
        return sum(phase.batches * phase.memory_energy_pj_per_batch for phase in self.phases)

    @property
    def dram_energy_pj(self) -> float:
        """Energy of its DRAM accesses alone."""
        return sum(row.count * row.energy_dram_pj for row in self.rows)

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
        """Return layers.csv as a list of plain dictionaries."""
        return [row_values(row) for row in self.rows]

    def to_dataframe(self) -> "pandas.DataFrame":
        """Return layers.csv as a pandas DataFrame (extra `dataframe`)."""
        import pandas

        return pandas.DataFrame(self.table(), columns=list(COLUMNS))


def row_values(row: LayerRow) -> dict[str, Any]:
    """Return a row as a dictionary by column name."""
    return {column: getattr(row, "pass_" if column == "pass" else column) for column in COLUMNS}
