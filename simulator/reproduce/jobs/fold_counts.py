"""A job: how long a batch keeps arrays of many shapes busy."""

from dataclasses import dataclass

from simulator.machine.spec_loading import load_accelerator
from simulator.reproduce.jobs.job import Plain
from simulator.reproduce.jobs.workload import Workload
from simulator.studies.folds import fold_cycles


@dataclass(frozen=True, slots=True)
class FoldCounts(Workload):
    """A batch of the baseline on arrays of some (rows, columns)."""

    shapes: tuple[tuple[int, int], ...] = ()

    def compute(self) -> Plain:
        """Return for each shape, in their order: cycles of all folds of a batch."""
        return fold_cycles(self.workload(), self.shapes, load_accelerator(design="baseline").dgrad)
