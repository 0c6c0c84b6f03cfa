"""How functions are compiled that only kernels call."""

from collections.abc import Callable
from typing import Any

from numba import njit


def njit_inside(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function for kernels alone: a call from Python crashes, and a test finds any.

    Numba writes code by which Python calls a function, and C. Where nobody does, it takes a sixth of the compilation.
    No kernel divides by zero, so that Python's check of it is left out, which takes a tenth.
    """
    compiled: Callable[..., Any] = njit(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)(function)
    return compiled
