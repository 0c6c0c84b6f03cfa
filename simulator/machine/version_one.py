"""Accelerator specs of version 1, read as version 2.

In version 1 an array's kind was called `interconnect`, and every array had the keys of all kinds.
"""

from collections.abc import Mapping
from typing import Any

from dataflows.array import arrays
from simulator.machine.array_spec import ARRAYS, array_keys


def named_as_now(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a file's data with version 1's names as they are now; its version stays, until `upgraded`."""
    if data.get("version", 1) != 1:
        return dict(data)
    renamed = dict(data)
    for key in ARRAYS:
        array = data.get(key)
        if isinstance(array, Mapping) and "interconnect" in array and "kind" not in array:
            renamed[key] = {"kind" if name == "interconnect" else name: value for name, value in array.items()}
            renamed["version"] = 1
    return renamed


def key_as_now(setting: str) -> str:
    """Return a setting, ``key=value``, with version 1's name of its key as it is now."""
    key, separator, value = setting.partition("=")
    section, _, name = key.partition(".")
    return f"{section}.kind{separator}{value}" if section in ARRAYS and name == "interconnect" else setting


def older(version: Any, other: Any) -> Any:
    """Return the version of two layers laid over each other: 1 where either is, else that of the upper one."""
    return other if other == 1 and version == 2 else version


def upgraded(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a spec's data as version 2: of an array stay the keys that its kind has."""
    version = data.get("version")
    if version is True or version != 1:
        return dict(data)
    every = set().union(*map(array_keys, arrays()))
    spec = {**data, "version": 2}
    for key in ARRAYS:
        array = data.get(key)
        if isinstance(array, Mapping) and array_keys(array.get("kind")):
            foreign = every - array_keys(array["kind"])
            spec[key] = {name: value for name, value in array.items() if name not in foreign}
    return spec
