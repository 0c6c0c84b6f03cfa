"""A job: some designs on one trace."""

from dataclasses import dataclass

from simulator.machine.spec_loading import load_designs
from simulator.reproduce.job import Plain
from simulator.reproduce.shipped_traces import shipped_trace
from simulator.run.results import RunResult
from simulator.run.simulation import compare
from simulator.studies.explain import backward_ratio, explain, ideal_speedup
from workloads.layers import Linear
from workloads.trace import Trace, load_policy

ALL = ("baseline", "low", "efficient", "max")


@dataclass(frozen=True, slots=True)
class DesignComparison:
    """Some designs on one trace, the baseline among them.

    Attributes
    ----------
    trace, dataflow : str
        Names of shipped ones.
    designs : tuple of str
        Which designs.
    settings : tuple of str
        ``key=value`` of the spec, as `--set` takes them; every design gets those that it has.
    batch_size : int, optional
        In place of the trace's own; its number of batches stays.
    schedule : str, optional
        A shipped schedule in place of the trace's own.
    predictor : (int, int), optional
        Side of the pooled image and channels of the predictor's convolution, in place of the trace's.
    classifiers_predicted : bool
        Whether linear layers get predictions, as the trace has them.
    """

    trace: str
    dataflow: str
    designs: tuple[str, ...] = ALL
    settings: tuple[str, ...] = ()
    batch_size: int | None = None
    schedule: str | None = None
    predictor: tuple[int, int] | None = None
    classifiers_predicted: bool = True

    @property
    def family(self) -> str:
        """The network under the dataflow: data sets and settings share most tiles."""
        return f"{self.trace.rpartition('-')[0]}, {self.dataflow}"

    @property
    def weight(self) -> int:
        """Layers, twice where other tiles must be found."""
        changed = bool(self.settings) or self.batch_size is not None or self.predictor is not None
        return len(shipped_trace(self.trace).mac_layers) * len(self.designs) * (2 if changed else 1)

    def workload(self) -> Trace:
        """Return the trace with what is changed."""
        trace = shipped_trace(self.trace)
        if self.batch_size is not None:
            trace = trace.with_batch_size(self.batch_size)
        if self.schedule is not None:
            trace = trace.with_schedule(load_policy(self.schedule))
        if self.predictor is not None:
            side, channels = self.predictor
            sizes = trace.predictor.model_copy(update={"pool": (side, side), "channels": channels})
            trace = trace.model_copy(update={"predictor": sizes})
        if not self.classifiers_predicted:
            layers = tuple(
                layer.model_copy(update={"predicted": False}) if isinstance(layer, Linear) else layer
                for layer in trace.layers
            )
            trace = trace.model_copy(update={"layers": layers})
        return trace

    def compute(self) -> Plain:
        """Return by design: cycles and energy of the run and of a batch in each phase, speedup, and its causes."""
        specs = [spec for spec in load_designs(None, self.dataflow, self.settings) if spec.design in self.designs]
        results = compare(self.workload(), specs)
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
        "seconds": run.seconds,
        "energy_pj": run.energy_pj,
        "memory_energy_pj": run.memory_energy_pj,
        "phases": {
            phase.phase: {
                "batches": phase.batches,
                "cycles": phase.cycles_per_batch,
                "compute_cycles": phase.compute_cycles_per_batch,
                "macs": phase.macs_per_batch,
                "energy_pj": phase.energy_pj_per_batch,
            }
            for phase in run.phases
        },
    }
