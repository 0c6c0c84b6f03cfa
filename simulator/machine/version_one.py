"""Accelerator specs of version 1, read as version 2.

In version 1 an array's kind was called `interconnect`, and every array had the keys of all kinds.
"""

from collections.abc import Mapping
from typing import Any

from simulator.machine.array_spec import ARRAYS


def is_version_one(data: Mapping[str, Any]) -> bool:
    """Whether a file's data is of version 1: it says so, or it says nothing and has that version's name of a kind."""
    version = data.get("version")
    if version is None:
        return any("interconnect" in data[key] for key in ARRAYS if isinstance(data.get(key), Mapping))
    return version == 1 and version is not True


def upgraded(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return data of version 1 with the names of version 2."""
    spec = dict(data)
    if "version" in data:
        spec["version"] = 2
    for key in ARRAYS:
        array = data.get(key)
        if isinstance(array, Mapping):
            spec[key] = {"kind" if name == "interconnect" else name: value for name, value in array.items()}
    return spec


def key_as_now(key: str) -> str:
    """Return a dotted key with its name of version 2."""
    section, _, name = key.partition(".")
    return f"{section}.kind" if section in ARRAYS and name == "interconnect" else key
