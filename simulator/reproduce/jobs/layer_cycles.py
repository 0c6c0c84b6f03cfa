"""A job: cycles of designs on one trace by phase, layer and pass."""

from dataclasses import dataclass

from simulator.reproduce.jobs.job import Plain
from simulator.reproduce.jobs.workload import Workload
from simulator.run.results import RunResult
from simulator.run.simulation import compare


@dataclass(frozen=True, slots=True)
class LayerCycles(Workload):
    """Designs of a workload, layer by layer."""

    def compute(self) -> Plain:
        """Return by design: cycles of the run; by phase batches, cycles and MACs of one, and cycles by layer and pass.

        Cycles of layers add up to the batch's but under MAX, whose arrays overlap.
        """
        return {run.design: _run(run) for run in compare(self.workload(), self.specs()).runs}


def _run(run: RunResult) -> Plain:
    phases: dict[str, Plain] = {
        phase.phase: {
            "batches": phase.batches, "cycles": phase.cycles_per_batch, "macs": phase.macs_per_batch, "layers": {},
        }
        for phase in run.phases
    }  # fmt: skip
    for row in run.rows:
        if row.array is not None:
            passes = phases[row.phase]["layers"].setdefault(row.layer, {})
            passes[row.pass_] = passes.get(row.pass_, 0) + row.cycles
    return {"cycles": run.total_cycles, "phases": phases}
