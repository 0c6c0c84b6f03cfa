"""A job: what a trained trace's runs cost until they reach an accuracy."""

from dataclasses import asdict, dataclass

from simulator.machine.spec_loading import load_designs
from simulator.reproduce.job import Plain
from simulator.run.simulation import compare
from simulator.studies.cost_to_target import CostToTarget, cost_to_target, default_target
from workloads.trace import load_trace


@dataclass(frozen=True, slots=True)
class TargetCosts:
    """ADA-GP on each design, its controls on the baseline (`simulator.studies.cost_to_target`).

    Attributes
    ----------
    trace, dataflow : str
        Names of shipped ones.
    targets : tuple of float
        Accuracies; the highest whole per cent that every run reaches comes after them.
    """

    trace: str
    dataflow: str
    targets: tuple[float, ...]

    @property
    def family(self) -> str:
        """The network under the dataflow, as of comparisons of designs, whose tiles these are."""
        return f"{self.trace.rpartition('-')[0]}, {self.dataflow}"

    @property
    def weight(self) -> int:
        """Layers of the four designs."""
        return 4 * len(load_trace(self.trace).mac_layers)

    def compute(self) -> Plain:
        """Return by target, as a text: the costs, as `Cost` has them."""
        results = compare(load_trace(self.trace), load_designs(None, self.dataflow))
        highest = default_target(results.trace)
        wanted = dict.fromkeys([*self.targets, *([] if highest is None else [highest])])
        return {str(target): _plain(cost_to_target(results, target)) for target in wanted}


def _plain(found: CostToTarget | None) -> list[Plain]:
    costs = [] if found is None else [asdict(cost) for cost in found.costs]
    return [{**cost, "epochs_by_seed": list(cost["epochs_by_seed"])} for cost in costs]
