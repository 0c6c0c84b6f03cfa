"""Cut a chain of layers into stages whose largest is as small as possible."""

from collections.abc import Sequence

import numpy as np

from workloads.foundation.errors import InputError


def balanced_cuts(costs: Sequence[int], parts: int) -> tuple[int, ...]:
    """Return the first layer of each part, and at the end the number of layers.

    An exact dynamic programme over all contiguous cuts with at least one layer a part. The least largest cost of k
    parts of the first j layers is the minimum over i of the larger of that of k - 1 parts of i layers and the rest.

    Raises
    ------
    InputError
        If there are fewer layers than parts.
    """
    layers = len(costs)
    if layers < parts:
        raise InputError("--devices", "", f"{parts} stages need as many layers, and there are {layers}",
                         "give fewer devices")  # fmt: skip
    until = np.concatenate([[0], np.cumsum(np.array(costs, dtype=np.int64))])
    best = until.copy()  # of one part
    choices = []
    for part in range(2, parts + 1):
        after = np.full(layers + 1, np.iinfo(np.int64).max)
        choice = np.zeros(layers + 1, dtype=np.int64)
        for end in range(part, layers + 1):
            begins = np.arange(part - 1, end)
            largest = np.maximum(best[begins], until[end] - until[begins])
            at = int(largest.argmin())
            after[end], choice[end] = largest[at], begins[at]
        best = after
        choices.append(choice)
    cuts = [layers]
    for choice in reversed(choices):
        cuts.append(int(choice[cuts[-1]]))
    return (0, *reversed(cuts)) if parts > 1 else (0, layers)
