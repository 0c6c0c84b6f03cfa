"""Arrays of numbers inside kernels.

Numba compiles `numpy.zeros` and its kin once for each place that calls them, which takes a tenth of a second each. It
compiles these once for all kernels, if no length is a literal, for which it would compile them again.
"""

import numpy as np

from dataflows.integers import Integers
from workloads.foundation.kernels import njit_inside


@njit_inside
def zeros(count: np.int64) -> Integers:
    """Return so many zeros."""
    return np.zeros(count, np.int64)


@njit_inside
def zero_rows(rows: np.int64, columns: np.int64) -> Integers:
    """Return a table of zeros, [rows, columns]."""
    return np.zeros((rows, columns), np.int64)
