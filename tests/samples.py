"""Parameters: the default run takes a sample of them, the long run the others."""

from collections.abc import Callable, Iterable
from typing import Any
from zlib import crc32

import pytest


def sampled(values: Iterable[Any], in_sample: Callable[[Any], bool]) -> list[Any]:
    """Return values for `parametrize`, those outside of the sample marked as long."""
    return [value if in_sample(value) else _long(value) for value in values]


def one_in(parts: int, name: str) -> bool:
    """Return whether a name is in the first of so many parts, by its checksum."""
    return crc32(name.encode()) % parts == 0


def _long(value: Any) -> Any:
    return pytest.param(*(value if isinstance(value, tuple) else (value,)), marks=pytest.mark.long)
