"""Numba's start in a process that is ours alone."""

import sys


def start_numba() -> None:
    """Load Numba's parts without SciPy, which it takes for products of matrices of floats, where SciPy is installed.

    No kernel has such products, and SciPy's linear algebra takes a fifth of a second. Numba asks once, as it loads its
    functions of arrays, whether SciPy is there. Only a command does so: in a user's session his own kernels may
    multiply matrices.
    """
    if "scipy" in sys.modules:
        return
    sys.modules["scipy"] = None  # type: ignore[assignment]  # an import of it fails
    try:
        import numba.np.arraymath  # noqa: F401
    finally:
        del sys.modules["scipy"]
