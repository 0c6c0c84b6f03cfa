"""A job: the baseline with larger arrays on one trace."""

from dataclasses import dataclass

from simulator.area.equal import grown
from simulator.machine.spec_loading import load_accelerator
from simulator.reproduce.job import Plain
from simulator.reproduce.shipped_traces import shipped_trace
from simulator.run.simulation import Simulation


@dataclass(frozen=True, slots=True)
class LargerBaseline:
    """Baselines with arrays of some (rows, columns) on one trace; ports grow with them (`simulator.area.equal`)."""

    trace: str
    shapes: tuple[tuple[int, int], ...]
    dataflow: str = "ws"
    settings: tuple[str, ...] = ()

    @property
    def family(self) -> str:
        """The network under the dataflow, as of `DesignComparison`."""
        return f"{self.trace.rpartition('-')[0]}, {self.dataflow}"

    @property
    def weight(self) -> int:
        """Some layers for each array, whose tiles must be found."""
        return 50 * len(self.shapes)

    def compute(self) -> Plain:
        """Return the cycles of the whole run for each shape, in their order."""
        spec = load_accelerator(design="baseline", dataflow=self.dataflow, overrides=self.settings)
        trace = shipped_trace(self.trace)
        cycles = []
        for shape in self.shapes:
            larger = spec.model_copy(update={"array": grown(spec.array, *shape)})
            simulation = Simulation(trace, larger)
            simulation.prepare()
            cycles.append(simulation.run().total_cycles)
        return cycles
