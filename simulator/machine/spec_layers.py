"""The layers of settings that a spec is built of: shipped files, the user's file, options."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dataflows.dataflow import dataflow_names
from simulator.machine.importers import machine_importer
from simulator.machine.settings import Layer
from simulator.machine.version_one import is_version_one, key_as_now, upgraded
from workloads.foundation.errors import InputError, nearest, spelt
from workloads.foundation.shipped import is_there, resolve, shipped_as, shipped_names
from workloads.foundation.strict_yaml import parse_yaml, read_yaml
from workloads.foundation.validation import StrictModel, VersionOne, validate

FOLDER = "configs/accelerators"
Overrides = Sequence[str] | Mapping[str, Any]
"""Settings over a spec: ``["array.rows=32"]``, as ``--set`` takes them, or ``{"array.rows": 32}``."""


class KindValues(StrictModel):
    """By kind of a part: values of keys that a file may leave out."""

    version: VersionOne
    kinds: dict[str, dict[str, Any]]


def load_kind_values(name_or_path: str) -> KindValues:
    """Read what the kinds of a part take for keys that no file gives; the shipped file has the part's name."""
    path = resolve(name_or_path, "configs/kinds", "part with kinds")
    return validate(KindValues, read_yaml(path), str(path))


def part_defaults() -> dict[str, dict[str, dict[str, Any]]]:
    """Return by part and kind the values of keys that no file gives."""
    return {part: load_kind_values(part).kinds for part in shipped_names("configs/kinds")}


def file_layers(config: str | Path | None) -> list[Layer]:
    """Return the layers of an accelerator's file, given by a shipped name or a path; none for None."""
    return [] if config is None else _chain(resolve(str(config), FOLDER, "accelerator"))


def dataflow_layers(dataflow: str | None) -> list[Layer]:
    """Return what ``--dataflow`` gives.

    Raises
    ------
    InputError
        If no array has this dataflow.
    """
    if dataflow is None:
        return []
    dataflow = spelt(dataflow, dataflow_names())
    if dataflow not in dataflow_names():
        raise InputError("--dataflow", "", f"unknown dataflow {dataflow!r}", nearest(dataflow, dataflow_names()))
    return [Layer("--dataflow", {"dataflow": dataflow})]


def _chain(path: Path, above: tuple[Path, ...] = ()) -> list[Layer]:
    """Return the layers of a file: what it extends, and what that extends, before it."""
    place = Path(os.path.realpath(path))  # one file has many names
    if place in above:
        raise InputError(str(path), "extends", "extends itself", "break the circle")
    importer = machine_importer(path)
    if importer is not None:
        return [Layer(str(path), importer.read(path).settings, path=path)]
    data = read_yaml(path)
    if not isinstance(data, dict):
        raise InputError(str(path), "", "not a mapping of keys", "see configs/accelerators/baseline.yaml")
    base = data.pop("extends", None)
    where, old = shipped_as(path), is_version_one(data)
    values = upgraded(data) if old else data
    layer = Layer(where, values, shipped=where != str(path), path=path, other_kinds=old)
    if base is None:
        return [layer]
    if not isinstance(base, str):
        raise InputError(str(path), "extends", f"is {base!r}", "give the name or path of an accelerator")
    try:
        found = path.parent / base
        if not is_there(found):
            found = resolve(base, FOLDER, "accelerator")
    except InputError as error:
        raise InputError(str(path), "extends", f"{base!r} is {error.problem}", error.remedy) from None
    return [*_chain(found, (*above, place)), layer]


def override_layer(overrides: Overrides) -> Layer:
    """Return all overrides as one layer.

    Raises
    ------
    InputError
        If one is not ``key=value``, or a key is given two values.
    """
    if isinstance(overrides, str):
        raise InputError("overrides", "", f"is the text {overrides!r}", 'give a mapping, such as {"array.rows": 32}')
    if isinstance(overrides, Mapping):
        return value_layer(overrides, "overrides")
    gathered: dict[str, Any] = {}
    for override in overrides:
        key, separator, text = override.partition("=")
        if not separator or not key:
            raise InputError("--set", override, "not key=value", "write for example --set array.rows=32")
        _gather(gathered, _nested(key, parse_yaml(text, f"--set {key}")), "", "--set")
    return Layer("--set", gathered)


def value_layer(values: Mapping[str, Any], where: str) -> Layer:
    """Return values by dotted key as one layer.

    Raises
    ------
    InputError
        If a key is given two values.
    """
    gathered: dict[str, Any] = {}
    for key, value in values.items():
        _gather(gathered, _nested(key, value), "", where)
    return Layer(where, gathered)


def _nested(key: str, value: Any) -> dict[str, Any]:
    *outer, last = key_as_now(key).split(".")
    nested = {last: value}
    for part in reversed(outer):
        nested = {part: nested}
    return nested


def _gather(gathered: dict[str, Any], more: Mapping[str, Any], path: str, place: str) -> None:
    for key, value in more.items():
        here = f"{path}.{key}" if path else str(key)
        old = gathered.get(key)
        if isinstance(value, Mapping) and isinstance(old, dict):
            _gather(old, value, here, place)
        elif key in gathered and (old != value or type(old) is not type(value)):
            raise InputError(place, here, f"is given twice, as {old!r} and {value!r}", "keep one of the two")
        else:
            gathered[key] = value
