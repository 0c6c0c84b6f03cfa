"""Build a spec from its layers: the design's shipped file, the user's file over it, then single keys."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dataflows.dataflow import dataflow_names
from simulator.machine.kinds import kinds_first, may_have, names_kind, staying
from simulator.machine.spec import Accelerator
from simulator.machine.version_one import key_as_now, named_as_now, older, upgraded
from simulator.phases.design import designs, find_design
from workloads.foundation.errors import InputError, nearest
from workloads.foundation.shipped import resolve
from workloads.foundation.strict_yaml import parse_yaml, read_yaml
from workloads.foundation.validation import validate

FOLDER = "configs/accelerators"
DEFAULT_DESIGN = "max"


def load_accelerator(
    config: str | Path | None = None,
    design: str | None = None,
    dataflow: str | None = None,
    overrides: Sequence[str] = (),
) -> Accelerator:
    """Return the spec of one design.

    Parameters
    ----------
    config : str or Path, optional
        A shipped accelerator's name or a YAML file. A file need only hold the keys that differ from
        the shipped file of its design.
    design : str, optional
        The design; else the config's, else `max`. Where it is not the config's own, parts that it
        lacks (`second_array`, `predictor_sram`) are left out.
    dataflow : str, optional
        The dataflow; else the config's.
    overrides : sequence of str
        ``key=value`` with a dotted key, such as ``array.rows=32``; applied last.

    Raises
    ------
    InputError
        With the file, key and remedy of whatever is wrong.
    """
    path = None if config is None else resolve(str(config), FOLDER, "accelerator")
    own = {} if path is None else _read(path)
    where = "the shipped config" if path is None else str(path)
    own_design = own.get("design")
    name = design or (own_design if own_design is not None else DEFAULT_DESIGN)
    if not isinstance(name, str):
        raise InputError(where, "design", f"is {name!r}", "give the name of a design")
    rules = find_design(name, where if design is None else "--design", "design" if design is None else "")
    data = _merge(_read(resolve(name, FOLDER, "accelerator")), own)
    data["design"] = name
    if name != own_design:
        for part in ("predictor_sram", "second_array"):
            if part not in rules.components:
                data.pop(part, None)
    if dataflow is not None:
        data["dataflow"] = dataflow
        if dataflow not in dataflow_names():
            raise InputError("--dataflow", "", f"unknown dataflow {dataflow!r}", nearest(dataflow, dataflow_names()))
    for override in _in_order(overrides):
        _override(data, override, rules.components)
    data = upgraded(data)
    where = where if not overrides else f"{where} with --set"
    spec = validate(Accelerator, data, where)
    try:
        resolve(spec.energy_table, "configs/energy", "energy table")
    except InputError as error:
        raise InputError(where, "energy_table", f"{spec.energy_table!r} is {error.problem}", error.remedy) from None
    return spec


def load_designs(
    config: str | Path | None = None, dataflow: str | None = None, overrides: Sequence[str] = ()
) -> list[Accelerator]:
    """Return the spec of every design on the same machine; keys of parts that a design lacks pass it by."""
    everything = _everything(config)
    for override in _in_order(overrides):  # a key that no design knows is an error once, not four times a skip
        _override(everything, override, frozenset({"predictor_sram", "second_array"}))
    specs = []
    for name, design in designs().items():
        lacking = {"predictor_sram", "second_array"} - set(design.components)
        own = [override for override in overrides if override.partition(".")[0] not in lacking]
        specs.append(load_accelerator(config, name, dataflow, own))
    return specs


def _everything(config: str | Path | None) -> dict[str, Any]:
    path = None if config is None else resolve(str(config), FOLDER, "accelerator")
    return _merge(_read(resolve(DEFAULT_DESIGN, FOLDER, "accelerator")), {} if path is None else _read(path))


def _read(path: Path, chain: tuple[Path, ...] = ()) -> dict[str, Any]:
    if path in chain:
        raise InputError(str(path), "extends", "extends itself", "break the circle")
    read = read_yaml(path)
    if not isinstance(read, dict):
        raise InputError(str(path), "", "not a mapping of keys", "see configs/accelerators/baseline.yaml")
    data = named_as_now(read)
    base = data.pop("extends", None)
    if base is None:
        return data
    if not isinstance(base, str):
        raise InputError(str(path), "extends", f"is {base!r}", "give the name or path of an accelerator")
    beside = path.parent / base
    try:
        found = beside if beside.is_file() else resolve(base, FOLDER, "accelerator")
    except InputError as error:
        raise InputError(str(path), "extends", f"{base!r} is {error.problem}", error.remedy) from None
    return _merge(_read(found, (*chain, path)), data)


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        if isinstance(value, Mapping) and isinstance(old, Mapping):
            merged[key] = _merge(staying(key, old, value), value)
        else:
            merged[key] = older(value, old) if key == "version" else value
    return merged


def _in_order(overrides: Sequence[str]) -> list[str]:
    return kinds_first([key_as_now(override) for override in overrides])


def _override(data: dict[str, Any], override: str, components: frozenset[str]) -> None:
    key, separator, text = override.partition("=")
    if not separator or not key:
        raise InputError("--set", override, "not key=value", "write for example --set array.rows=32")
    target: Any = data
    *parents, last = key.split(".")
    for position, part in enumerate(parents):
        if not isinstance(target, dict) or not isinstance(target.get(part), dict):
            _unknown(parents[:position], target, part)
        target[part] = dict(target[part])
        target = target[part]
    optional = (not parents and last in components) or (len(parents) == 1 and may_have(parents[0], target, last))
    if not isinstance(target, dict) or (last not in target and not optional):
        _unknown(parents, target, last)
    value = parse_yaml(text, f"--set {key}")
    if names_kind(key):
        data[parents[0]] = target = staying(parents[0], target, {last: value})
    target[last] = value


def _unknown(parents: Sequence[str], target: Any, part: str) -> None:
    key = ".".join((*parents, part))
    known = [".".join((*parents, name)) for name in target] if isinstance(target, dict) else []
    raise InputError("--set", key, "unknown key", nearest(key, known) if known else "give a key that exists")
