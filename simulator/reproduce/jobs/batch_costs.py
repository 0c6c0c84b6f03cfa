"""A job: what a batch of Phase BP and of Phase GP costs each design of a workload."""

from dataclasses import dataclass

from simulator.reproduce.jobs.job import Plain
from simulator.reproduce.jobs.workload import Workload
from simulator.run.simulation import compare


@dataclass(frozen=True, slots=True)
class BatchCosts(Workload):
    """Cycles and memory energy of batches; a run of any length follows from them (`simulator.reproduce.hypotheses`)."""

    def compute(self) -> Plain:
        """Return by design and phase: cycles, and picojoules of memory."""
        return {
            run.design: {
                phase.phase: [phase.cycles_per_batch, phase.memory_energy_pj_per_batch]
                for phase in run.phases
                if phase.phase in ("bp", "gp")
            }
            for run in compare(self.workload(), self.specs()).runs
        }
