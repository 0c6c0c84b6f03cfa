"""How long a batch keeps arrays of many shapes busy, by counting folds alone."""

from collections.abc import Sequence

import numpy as np

from workloads.graph import input_gradients
from workloads.passes import ROLES, DgradMethod, layer_products
from workloads.trace import Trace


def fold_cycles(trace: Trace, shapes: Sequence[tuple[int, int]], dgrad: DgradMethod) -> list[int]:
    """Return for arrays of some (rows, columns) the cycles of all folds of a baseline's batch.

    Weights are stationary; memory and updates take nothing. A fold takes its vectors, or as long as the next fold's
    weights need: a column a cycle, since the weight port has a word for each row.
    """
    gradients = input_gradients(trace.layers)
    products = np.array([
        (product.shape.groups, product.vectors, product.reduction, product.columns)
        for layer in trace.mac_layers
        for role in ROLES
        if role != "dgrad" or any(gradients[layer.id])
        for product in layer_products(layer, role, trace.batch_size, dgrad, gradients[layer.id])
    ])  # fmt: skip
    groups, vectors, reduction, columns = products.T
    cycles = []
    for rows, width in shapes:
        folds = groups * -(-reduction // rows) * -(-columns // width)
        cycles.append(int((folds * np.maximum(vectors, width + 1)).sum()))
    return cycles
