"""A job: energy of memory accesses of the ADA-GP designs and the baseline, one counting rule after another."""

from dataclasses import dataclass

from simulator.machine.spec_loading import load_designs
from simulator.reproduce.job import Plain
from simulator.reproduce.shipped_traces import shipped_trace
from simulator.studies.memory_study import memory_studies

DESIGNS = ("low", "efficient", "max")


@dataclass(frozen=True, slots=True)
class MemoryRules:
    """One trace, by the names of shipped ones; see `simulator.studies.memory_study`."""

    trace: str
    dataflow: str = "ws"
    designs: tuple[str, ...] = DESIGNS

    @property
    def family(self) -> str:
        """The network under the dataflow, as of `DesignComparison`, which has the same tiles."""
        return f"{self.trace.rpartition('-')[0]}, {self.dataflow}"

    @property
    def weight(self) -> int:
        """About as much for each design as one of a comparison."""
        return 50 * len(self.designs)

    def compute(self) -> Plain:
        """Return by design, for each rule with all before it: the rule, the baseline's and the design's picojoules."""
        specs = {spec.design: spec for spec in load_designs(None, self.dataflow)}
        studies = memory_studies(shipped_trace(self.trace), specs["baseline"], [specs[name] for name in self.designs])
        return {
            name: [[row.rule, row.baseline_pj, row.design_pj] for row in rows]
            for name, rows in zip(self.designs, studies, strict=True)
        }
