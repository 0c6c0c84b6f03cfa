"""Build a spec from its settings: the shipped file of its design, the user's file over it, then options."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from dataflows.dataflow import dataflow_names
from simulator.machine.settings import Layer, Settings
from simulator.machine.spec import Accelerator
from simulator.machine.version_one import is_version_one, key_as_now, upgraded
from simulator.phases.design import Component, designs, find_design
from workloads.foundation.errors import InputError, nearest
from workloads.foundation.shipped import resolve, shipped_as, shipped_names
from workloads.foundation.strict_yaml import parse_yaml, read_yaml
from workloads.foundation.validation import StrictModel, VersionOne, validate

FOLDER = "configs/accelerators"
DEFAULT_DESIGN = "max"
_COMPONENTS: frozenset[Component] = frozenset(get_args(Component))


class KindValues(StrictModel):
    """By kind of a part: values of keys that a file may leave out."""

    version: VersionOne
    kinds: dict[str, dict[str, Any]]


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
        The design; else the config's, else `max`. Parts that it lacks (`second_array`, `predictor_sram`) and that the
        config has are left out.
    dataflow : str, optional
        The dataflow; else the config's.
    overrides : sequence of str
        ``key=value`` with a dotted key, such as ``array.rows=32``, in any order; they win over all else.

    Raises
    ------
    InputError
        With the place, key and remedy of whatever is wrong.
    """
    own, given = _own_layers(config), _overrides(overrides)
    options = [] if design is None else [Layer("--design", {"design": design})]
    return _spec(own, [*options, *_dataflow_layer(dataflow), given])


def load_designs(
    config: str | Path | None = None, dataflow: str | None = None, overrides: Sequence[str] = ()
) -> list[Accelerator]:
    """Return the spec of every design on the same machine; settings of parts that a design lacks pass it by."""
    own, given = _own_layers(config), _overrides(overrides)
    if "design" in given.values:
        raise InputError("--set", "design", "all designs are compared", "leave it out, or simulate one design")
    options = [*_dataflow_layer(dataflow), given]
    # The design comes last, so that it drops what it lacks, whoever gave it.
    return [_spec(own, [*options, Layer(f"design {name}", {"design": name}, shipped=True)]) for name in designs()]


def setting_source(
    key: str, config: str | Path | None = None, dataflow: str | None = None, overrides: Sequence[str] = ()
) -> str:
    """Return where a key's value comes from, for errors that show only when the spec runs: a file or an option."""
    own = _own_layers(config)
    name = next((layer.values["design"] for layer in reversed(own) if "design" in layer.values), DEFAULT_DESIGN)
    shipped = _chain(resolve(name, FOLDER, "accelerator"))
    return Settings([*shipped, *own, *_dataflow_layer(dataflow), _overrides(overrides)]).source(key)


def spec_files(config: str | Path | None, specs: Sequence[Accelerator]) -> list[Path]:
    """Return the files that specs were read from: accelerators, values of kinds, DRAM parts and energy tables."""
    files = [*shipped_names(FOLDER).values(), *shipped_names("configs/kinds").values()]
    files += [layer.path for layer in _own_layers(config) if layer.path is not None]
    for spec in specs:
        files.append(resolve(spec.energy_table, "configs/energy", "energy table"))
        files += [resolve(part, "configs/dram", "DRAM part") for part in spec.dram.parts]
    return files


def _spec(own: Sequence[Layer], options: Sequence[Layer]) -> Accelerator:
    named = [layer for layer in (*own, *options) if layer.values.get("design") is not None]
    name, where = (named[-1].values["design"], named[-1].where) if named else (DEFAULT_DESIGN, "")
    if not isinstance(name, str):
        raise InputError(where, "design", f"is {name!r}", "give the name of a design")
    rules = find_design(name, where, "" if where == "--design" else "design")
    settings = Settings([*_chain(resolve(name, FOLDER, "accelerator")), *own, *options])
    settings.values["design"] = name  # where a config says null
    settings.drop(_COMPONENTS - rules.components, "design")
    spec = settings.build(Accelerator, {part: load_kind_values(part).kinds for part in shipped_names("configs/kinds")})
    try:
        resolve(spec.energy_table, "configs/energy", "energy table")
    except InputError as error:
        problem = f"{spec.energy_table!r} is {error.problem}"
        raise InputError(settings.source("energy_table"), "energy_table", problem, error.remedy) from None
    return spec


def _own_layers(config: str | Path | None) -> list[Layer]:
    return [] if config is None else _chain(resolve(str(config), FOLDER, "accelerator"))


def _dataflow_layer(dataflow: str | None) -> list[Layer]:
    if dataflow is None:
        return []
    if dataflow not in dataflow_names():
        raise InputError("--dataflow", "", f"unknown dataflow {dataflow!r}", nearest(dataflow, dataflow_names()))
    return [Layer("--dataflow", {"dataflow": dataflow})]


def load_kind_values(name_or_path: str) -> KindValues:
    """Read what the kinds of a part take for keys that no file gives; the shipped file has the part's name."""
    path = resolve(name_or_path, "configs/kinds", "part with kinds")
    return validate(KindValues, read_yaml(path), str(path))


def _chain(path: Path, above: tuple[Path, ...] = ()) -> list[Layer]:
    """Return the layers of a file: what it extends, and what that extends, before it."""
    if path in above:
        raise InputError(str(path), "extends", "extends itself", "break the circle")
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
    beside = path.parent / base
    try:
        found = beside if beside.is_file() else resolve(base, FOLDER, "accelerator")
    except InputError as error:
        raise InputError(str(path), "extends", f"{base!r} is {error.problem}", error.remedy) from None
    return [*_chain(found, (*above, path)), layer]


def _overrides(overrides: Sequence[str]) -> Layer:
    """Return all that ``--set`` gives as one layer.

    Raises
    ------
    InputError
        If one is not ``key=value``, or a key is given two values.
    """
    gathered: dict[str, Any] = {}
    for override in overrides:
        key, separator, text = override.partition("=")
        if not separator or not key:
            raise InputError("--set", override, "not key=value", "write for example --set array.rows=32")
        value = parse_yaml(text, f"--set {key}")
        for part in reversed(key_as_now(key).split(".")):
            value = {part: value}
        _gather(gathered, value, "")
    return Layer("--set", gathered)


def _gather(gathered: dict[str, Any], more: Mapping[str, Any], path: str) -> None:
    for key, value in more.items():
        here = f"{path}.{key}" if path else str(key)
        old = gathered.get(key)
        if isinstance(value, Mapping) and isinstance(old, dict):
            _gather(old, value, here)
        elif key in gathered and (old != value or type(old) is not type(value)):
            raise InputError("--set", here, f"is given twice, as {old!r} and {value!r}", "keep one of the two")
        else:
            gathered[key] = value
