"""A job: cycles and energy of designs on one trace, and why the speedups are what they are."""

from dataclasses import dataclass

from simulator.reproduce.jobs.job import Plain
from simulator.reproduce.jobs.workload import Workload
from simulator.run.results import RunResult
from simulator.run.simulation import compare
from simulator.studies.explain import backward_ratio, explain, ideal_speedup


@dataclass(frozen=True, slots=True)
class DesignComparison(Workload):
    """Designs of a workload, the baseline among them."""

    def compute(self) -> Plain:
        """Return by design: cycles and energy of the run and of a batch in each phase, speedup, and its causes."""
        results = compare(self.workload(), self.specs())
        return {
            run.design: _totals(run)
            | {
                "speedup": results.speedup(run),
                "ideal_speedup": ideal_speedup(run),
                "backward_ratio": backward_ratio(results),
                "causes": [] if run.design == "baseline" else [[c.name, c.change] for c in explain(results, run)],
            }
            for run in results.runs
        }


def _totals(run: RunResult) -> dict[str, Plain]:
    return {
        "cycles": run.total_cycles,
        "energy_pj": run.energy_pj,
        "memory_energy_pj": run.memory_energy_pj,
        "phases": {one.phase: {"batches": one.batches, "cycles": one.cycles_per_batch} for one in run.phases},
    }
