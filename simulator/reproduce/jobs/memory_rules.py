"""A job: energy of memory accesses of the ADA-GP designs and the baseline, one counting rule after another."""

from dataclasses import dataclass

from simulator.machine.spec_loading import load_designs
from simulator.reproduce.jobs.job import Plain
from simulator.reproduce.jobs.workload import Workload
from simulator.studies.memory_study import memory_studies


@dataclass(frozen=True, slots=True)
class MemoryRules(Workload):
    """Designs of a workload beside the baseline; see `simulator.studies.memory_study`."""

    def compute(self) -> Plain:
        """Return by design, for each rule with all before it: the rule, the baseline's and the design's picojoules."""
        baseline, *_ = load_designs(None, self.dataflow, self.settings)
        specs = [spec for spec in self.specs() if spec.design != "baseline"]
        studies = memory_studies(self.workload(), baseline, specs)
        return {
            spec.design: [[row.rule, row.baseline_pj, row.design_pj] for row in rows]
            for spec, rows in zip(specs, studies, strict=True)
        }
