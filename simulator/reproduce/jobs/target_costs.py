"""A job: what a trained trace's runs cost until they reach an accuracy."""

from dataclasses import asdict, dataclass

from simulator.reproduce.jobs.job import Plain
from simulator.reproduce.jobs.workload import Workload
from simulator.run.simulation import compare
from simulator.studies.cost_to_target import CostToTarget, cost_to_target, default_target


@dataclass(frozen=True, slots=True)
class TargetCosts(Workload):
    """ADA-GP on each design, its controls on the baseline (`simulator.studies.cost_to_target`).

    Attributes
    ----------
    targets : tuple of float
        Accuracies; the highest whole per cent that every run reaches comes after them.
    """

    targets: tuple[float, ...] = ()

    def compute(self) -> Plain:
        """Return by target, as a text: the costs, as `Cost` has them."""
        results = compare(self.workload(), self.specs())
        highest = default_target(results.trace)
        wanted = dict.fromkeys([*self.targets, *([] if highest is None else [highest])])
        return {str(target): _plain(cost_to_target(results, target)) for target in wanted}


def _plain(found: CostToTarget | None) -> list[Plain]:
    costs = [] if found is None else [asdict(cost) for cost in found.costs]
    return [{**cost, "epochs_by_seed": list(cost["epochs_by_seed"])} for cost in costs]
