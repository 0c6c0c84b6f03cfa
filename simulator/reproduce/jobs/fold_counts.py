"""A job: how long a batch keeps arrays of many shapes busy, by counting folds."""

from dataclasses import dataclass

import numpy as np

from dataflows.plans.plan import Integers
from simulator.machine.spec_loading import load_accelerator
from simulator.reproduce.job import Plain
from simulator.reproduce.shipped_traces import shipped_trace
from workloads.graph import needs_input_gradient
from workloads.passes import ROLES, layer_products
from workloads.trace import Trace


@dataclass(frozen=True, slots=True)
class FoldCounts:
    """A batch of the baseline on arrays of some (rows, columns), weights stationary, without memory and updates."""

    trace: str
    shapes: tuple[tuple[int, int], ...]

    @property
    def family(self) -> str:
        """The network under the dataflow, as of `DesignComparison`, which reads the same trace."""
        return f"{self.trace.rpartition('-')[0]}, ws"

    @property
    def weight(self) -> int:
        """Little: a sum over products."""
        return 1

    def compute(self) -> Plain:
        """Return for each shape, in their order: cycles of all folds of a batch.

        A fold takes its vectors, or as long as the next fold's weights need: a column a cycle, since the weight port
        has a word for each row.
        """
        groups, vectors, reduction, columns = _products(shipped_trace(self.trace)).T
        cycles = []
        for rows, width in self.shapes:
            folds = groups * -(-reduction // rows) * -(-columns // width)
            cycles.append(int((folds * np.maximum(vectors, width + 1)).sum()))
        return cycles


def _products(trace: Trace) -> Integers:
    needed = needs_input_gradient(trace.layers)
    dgrad = load_accelerator(design="baseline").dgrad
    return np.array([
        (product.shape.groups, product.vectors, product.reduction, product.columns)
        for layer in trace.mac_layers
        for role in ROLES
        if role != "dgrad" or needed[layer.id]
        for product in layer_products(layer, role, trace.batch_size, dgrad)
    ])  # fmt: skip
