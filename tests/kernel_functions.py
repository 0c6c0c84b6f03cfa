"""Functions that kernels alone call, called by a test."""

from collections.abc import Callable
from typing import Any

from numba import njit


def called_by_a_kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that compiled code calls, as Python can call it: with the kernels' integers of 64 bits."""

    @njit(error_model="numpy")
    def kernel(*arguments):
        return function(*arguments)

    return kernel
