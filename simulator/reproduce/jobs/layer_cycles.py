"""A job: cycles of designs on one trace by phase, layer and pass."""

from dataclasses import dataclass

from simulator.machine.spec_loading import load_designs
from simulator.reproduce.job import Plain
from simulator.reproduce.resized import with_image, with_tokens
from simulator.reproduce.shipped_traces import shipped_trace
from simulator.run.results import RunResult
from simulator.run.simulation import Simulation
from workloads.trace import Trace

ALL = ("baseline", "low", "efficient", "max")


@dataclass(frozen=True, slots=True)
class LayerCycles:
    """Cycles of some designs on one trace.

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
    tokens : int, optional
        Length of the sentences of `transformer-multi30k` in place of 32.
    image : int, optional
        Side of the images of `yolo-v3-voc` in place of 416.
    predictor : (int, int), optional
        Side of the pooled image and channels of the predictor's convolution, in place of the trace's.
    """

    trace: str
    dataflow: str = "ws"
    designs: tuple[str, ...] = ALL
    settings: tuple[str, ...] = ()
    batch_size: int | None = None
    tokens: int | None = None
    image: int | None = None
    predictor: tuple[int, int] | None = None

    @property
    def family(self) -> str:
        """The network under the dataflow, as of `DesignComparison`, which has the same tiles."""
        return f"{self.trace.rpartition('-')[0]}, {self.dataflow}"

    @property
    def weight(self) -> int:
        """Some layers for each design."""
        return 50 * len(self.designs)

    def workload(self) -> Trace:
        """Return the trace with what is changed."""
        trace = shipped_trace(self.trace)
        if self.tokens is not None:
            trace = with_tokens(trace, self.tokens)
        if self.image is not None:
            trace = with_image(trace, self.image)
        if self.batch_size is not None:
            trace = trace.with_batch_size(self.batch_size)
        if self.predictor is not None:
            side, channels = self.predictor
            sizes = trace.predictor.model_copy(update={"pool": (side, side), "channels": channels})
            trace = trace.model_copy(update={"predictor": sizes})
        return trace

    def compute(self) -> Plain:
        """Return by design: cycles of the run; by phase batches, cycles and MACs of one, and cycles by layer and pass.

        Cycles of layers add up to the batch's but under MAX, whose arrays overlap.
        """
        trace = self.workload()
        specs = [spec for spec in load_designs(None, self.dataflow, self.settings) if spec.design in self.designs]
        found = {}
        for spec in specs:
            simulation = Simulation(trace, spec)
            simulation.prepare()
            found[spec.design] = _run(simulation.run())
        return found


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
