"""The layers of settings that a spec is built of: shipped files, the user's file, options."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dataflows.dataflow import dataflow_names
from simulator.machine.importers import machine_importer
from simulator.machine.settings import Layer
from simulator.machine.version_one import is_version_one, key_as_now, upgraded
from workloads.foundation.errors import InputError, nearest, spelt
from workloads.foundation.kinds import check_kind
from workloads.foundation.overlay import chain
from workloads.foundation.shipped import resolve, seen_from, shipped_as, shipped_names
from workloads.foundation.strict_yaml import parse_yaml, read_yaml
from workloads.foundation.validation import StrictModel, VersionOne, validate

FOLDER = "configs/accelerators"
FILES = {"energy_table": "configs/energy", "dram.part": "configs/dram"}
"""Keys of a spec that name other files, and where shipped ones of that kind are."""
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
    return (
        []
        if config is None
        else [_layer(*one) for one in chain(resolve(str(config), FOLDER, "accelerator"), FOLDER, "accelerator", _read)]
    )


def dataflow_layers(dataflow: str | None) -> list[Layer]:
    """Return what ``--dataflow`` gives.

    Raises
    ------
    InputError
        If no array has this dataflow.
    """
    if dataflow is None:
        return []
    if not isinstance(dataflow, str):
        raise InputError("--dataflow", "", f"is {dataflow!r}", "give one name; call once for each dataflow")
    dataflow = spelt(dataflow, dataflow_names())
    if dataflow not in dataflow_names():
        raise InputError("--dataflow", "", f"unknown dataflow {dataflow!r}", nearest(dataflow, dataflow_names()))
    return [Layer("--dataflow", {"dataflow": dataflow})]


def _read(path: Path) -> Any:
    """Read the settings of a file: a spec of our own, or another tool's machine."""
    importer = machine_importer(path)
    if importer is not None:
        return dict(importer.read(path).settings)
    data = read_yaml(path)
    check_kind(data, str(path), FOLDER, "machine")
    return data


def _layer(path: Path, data: dict[str, Any]) -> Layer:
    """Return what a file says as a layer; other files that it names are looked up from its folder."""
    where, old = shipped_as(path), is_version_one(data)
    values = upgraded(data) if old else data
    for key, folder in FILES.items():
        values = _seen_from(values, key, folder, path.parent)
    if isinstance(values.get("mapping"), str):
        values = values | {"mapping": str(path.parent / values["mapping"])}
    return Layer(where, values, shipped=where != str(path), path=path, other_kinds=old)


def _seen_from(values: dict[str, Any], key: str, folder: str, home: Path) -> dict[str, Any]:
    """Return settings with the file that a dotted key names as seen from the current folder."""
    name, _, inner = key.partition(".")
    value = values.get(name)
    if inner and isinstance(value, dict):
        return values | {name: _seen_from(value, inner, folder, home)}
    return values | {name: seen_from(value, folder, home)} if not inner and isinstance(value, str) else values


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
        If a key is given two values, or is no text.
    """
    gathered: dict[str, Any] = {}
    for key, value in values.items():
        if not isinstance(key, str):
            raise InputError(where, "", f"a key is {key!r}", "give dotted keys, such as array.rows")
        _gather(gathered, _nested(key, _as_read(value)), "", where)
    return Layer(where, gathered)


def _as_read(value: Any) -> Any:
    """Return a value as a file has it, where lists are tuples."""
    if isinstance(value, list | tuple):
        return tuple(_as_read(one) for one in value)
    return {key: _as_read(one) for key, one in value.items()} if isinstance(value, Mapping) else value


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
