"""Parameters: the default run takes a sample of them, the long run the others."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest


def sampled(values: Iterable[Any], in_sample: Callable[[Any], bool]) -> list[Any]:
    """Return values for `parametrize`, those outside of the sample marked as long."""
    return [value if in_sample(value) else _long(value) for value in values]


def _long(value: Any) -> Any:
    return pytest.param(*(value if isinstance(value, tuple) else (value,)), marks=pytest.mark.long)
