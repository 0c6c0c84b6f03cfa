"""A job: what the predictor takes beside the layers it predicts, on the machine as it is."""

from dataclasses import dataclass
from typing import Any

from simulator.machine.spec_loading import load_designs
from simulator.reproduce.job import Plain
from simulator.run.results import RunResult
from simulator.run.simulation import compare
from workloads.trace import load_trace

DESIGNS = ("baseline", "efficient", "max")
_SPANS = {
    "forward": ("forward",), "backward": ("dgrad", "wgrad"), "predictor_forward": ("predictor_forward",),
    "predictor_backward": ("predictor_backward",),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class PredictorShare:
    """Cycles of each predicted layer and of its predictor; `trace` and `dataflow` are names of shipped ones."""

    trace: str
    dataflow: str

    @property
    def family(self) -> str:
        """The network under the dataflow, as of comparisons of designs, whose tiles these are."""
        return f"{self.trace.rpartition('-')[0]}, {self.dataflow}"

    @property
    def weight(self) -> int:
        """Layers of three designs."""
        return len(load_trace(self.trace).mac_layers) * len(DESIGNS)

    def compute(self) -> Plain:
        """Return by design: cycles of a batch in each phase, and of each predicted layer's passes in Phase BP."""
        specs = [spec for spec in load_designs(None, self.dataflow) if spec.design in DESIGNS]
        results = compare(load_trace(self.trace), specs)
        return {
            run.design: {
                "batch_cycles": {phase.phase: phase.cycles_per_batch for phase in run.phases},
                "layers": _layers(run),
            }
            for run in results.runs
        }


def _layers(run: RunResult) -> list[dict[str, Any]]:
    """Return each layer that has a predictor: its cycles with stalls by kind of pass; none on the baseline."""
    layers: dict[str, dict[str, Any]] = {}
    for row in run.rows:
        if row.phase != "bp" or not row.pass_:
            continue
        cycles = layers.setdefault(row.layer, {"layer": row.layer, **dict.fromkeys(_SPANS, 0)})
        for name, passes in _SPANS.items():
            if row.pass_ in passes:
                cycles[name] += row.cycles
    return [layer for layer in layers.values() if layer["predictor_forward"]]
