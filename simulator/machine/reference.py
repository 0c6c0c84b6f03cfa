"""Every key of a spec with its meaning, its default and where the default comes from; and a JSON Schema for editors."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import yaml
from annotated_types import Ge, Gt, Le
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from dataflows.dataflow import PORTS
from simulator.machine.spec import Accelerator
from simulator.machine.spec_layers import FOLDER
from workloads.foundation.field_docs import documented_schema, field_docs
from workloads.foundation.shipped import shipped_names
from workloads.foundation.validation import choices_of

_COMMENT = re.compile(r"\s#\s*(.*)$")
_UNITS = {
    "_hz": "Hz", "_bits": "bit", "_bytes": "byte", "_ns": "ns", "_words": "word", "_percent": "%",
    "_words_per_cycle": "word a cycle", "_bytes_per_second": "byte a second", "_port_bytes": "byte a cycle",
}  # fmt: skip
_WORDS: dict[Any, str] = {
    int: "a whole number", float: "a number", str: "a text", bool: "`true` or `false`", NoneType: "`null`",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SpecKey:
    """One key of a spec.

    Attributes
    ----------
    key : str
        Dotted, such as ``array.rows``.
    only_of : str
        The kinds of its part that have it, such as ``kind broadcast``; empty where all have it.
    values : str
        What it takes.
    unit : str
        Of a number; empty for a count.
    meaning : str
        What it is.
    defaults : dict of str to str
        By shipped machine, the value that its file gives.
    sources : dict of str to str
        By shipped machine, where that value comes from.
    """

    key: str
    only_of: str
    values: str
    unit: str
    meaning: str
    defaults: dict[str, str]
    sources: dict[str, str]


def spec_keys() -> list[SpecKey]:
    """Return every key of a spec, in the order of the spec."""
    shipped = {name: _given(path) for name, path in shipped_names(FOLDER).items()}
    for part, path in shipped_names("configs/kinds").items():
        for key, value in _given(path).items():
            if key.startswith("kinds."):
                _, kind, name = key.split(".", 2)
                shipped.setdefault(f"{part} of kind {kind}", {})[f"{part}.{name}"] = value
    kinds: dict[str, list[str]] = {}
    fields: dict[str, FieldInfo] = {}
    meanings: dict[str, str] = {}
    for key, only_of, field, meaning in _fields(Accelerator, "", ""):
        fields.setdefault(key, field)
        meanings.setdefault(key, meaning)
        kinds.setdefault(key, []).append(only_of)
    return [_described(key, field, meanings[key], kinds[key], shipped) for key, field in fields.items()]


def _described(
    key: str, field: FieldInfo, meaning: str, kinds: Sequence[str],
    shipped: Mapping[str, Mapping[str, tuple[str, str]]],
) -> SpecKey:  # fmt: skip
    given = {name: values[key] for name, values in shipped.items() if key in values}
    if not given and not field.is_required() and field.default is not None:
        given = {"left out": (str(field.default), "")}
    unit = max(((len(end), unit) for end, unit in _UNITS.items() if key.endswith(end)), default=(0, ""))[1]
    choice = choices_of(Accelerator).get(key.partition(".")[0])
    everywhere = choice is None or len(kinds) == len(choice.kinds)
    is_tag = choice is not None and key.endswith(f".{choice.tag}")
    return SpecKey(
        key=key,
        only_of="" if everywhere else " or ".join(kinds),
        values=" or ".join(f"`{kind}`" for kind in choice.kinds) if choice is not None and is_tag else _values(field),
        unit="pJ" if key.startswith("energy.") else unit,
        meaning="Kind of this part." if is_tag else " ".join(meaning.split()),
        defaults={name: value for name, (value, _) in given.items()},
        sources={name: why for name, (_, why) in given.items() if why},
    )


def spec_schema() -> dict[str, Any]:
    """Return a JSON Schema of a machine's file, which need only hold the keys that differ, for editors."""
    schema = documented_schema(Accelerator)
    for part in (schema, *schema["$defs"].values()):
        part.pop("required", None)
        for name, one in part.get("properties", {}).items():
            if name in PORTS:  # as wide as a side
                given = {key: one.pop(key) for key in ("type", "exclusiveMinimum", "minimum", "maximum") if key in one}
                one["anyOf"] = [given, {"enum": ["rows", "columns", None]}]
    for one in schema["properties"].values():
        _take_any_kind(one)
    schema["properties"]["extends"] = {"type": "string", "description": "The file or shipped machine to build on."}
    schema["title"] = "Machine of adagp-sim"
    return schema


def _take_any_kind(part: dict[str, Any]) -> None:
    """Let a part leave out its kind: what it says may then be of several kinds."""
    if "oneOf" in part:
        part["anyOf"] = part.pop("oneOf")
        part.pop("discriminator", None)
    for inner in part.get("anyOf", ()):
        _take_any_kind(inner)


def _fields(model: type[BaseModel], above: str, only_of: str) -> Iterator[tuple[str, str, FieldInfo, str]]:
    """Yield key, kinds that have it, field and meaning; a part's own line comes before its keys."""
    choices, meanings = choices_of(model), field_docs(model)
    for name, field in model.model_fields.items():
        key = f"{above}{name}"
        if name in choices:
            for kind, one in choices[name].kinds.items():
                yield from _fields(one, f"{key}.", f"{choices[name].tag} {kind}")
            continue
        inner = [one for one in _types(field.annotation) if isinstance(one, type) and issubclass(one, BaseModel)]
        if inner:
            yield from _fields(inner[0], f"{key}.", only_of)
        else:
            yield key, only_of, field, meanings.get(name, "")


def _types(annotation: Any) -> list[Any]:
    """Return the members of a union, without what is written around them."""
    if get_origin(annotation) is Annotated:
        return _types(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return [one for member in get_args(annotation) for one in _types(member)]
    return [annotation]


def _limits(annotation: Any) -> list[Any]:
    """Return what is written around the members of a union."""
    own: list[Any] = []
    if get_origin(annotation) is Annotated:
        inner, *around = get_args(annotation)
        own = [limit for one in around for limit in (one.metadata if isinstance(one, FieldInfo) else [one])]
        return own + _limits(inner)
    return [one for member in get_args(annotation) for one in _limits(member)]


def _values(field: FieldInfo) -> str:
    """Return in words what a field takes."""
    words = []
    for one in _types(field.annotation):
        if get_origin(one) is Literal:
            words += [f"`{value}`" for value in get_args(one)]
        elif get_origin(one) is tuple:
            words.append("a list of " + ", ".join(f"`{value}`" for value in get_args(get_args(one)[0])))
        else:
            words.append(_WORDS[one])
    limits = [*field.metadata, *_limits(field.annotation)]
    bounds = [f"above {one.gt:,}" for one in limits if isinstance(one, Gt)]
    bounds += [f"from {one.ge:,}" for one in limits if isinstance(one, Ge)]
    bounds += [f"to {one.le:,}" for one in limits if isinstance(one, Le)]
    return " or ".join(words) + ("" if not bounds else ", " + " ".join(bounds))


def _given(path: Path) -> dict[str, tuple[str, str]]:
    """Return by dotted key the value that a file gives, and its comment."""
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()

    def walk(node: yaml.Node, above: str) -> Iterator[tuple[str, tuple[str, str]]]:
        assert isinstance(node, yaml.MappingNode)
        for key, value in node.value:
            here = f"{above}{key.value}"
            comment = _COMMENT.search(lines[key.start_mark.line])
            if isinstance(value, yaml.MappingNode):
                yield from walk(value, f"{here}.")
            else:
                given = text[value.start_mark.index : value.end_mark.index]
                yield here, (given, comment[1] if comment else "")

    whole = yaml.compose(text, Loader=yaml.SafeLoader)
    return {} if whole is None else dict(walk(whole, ""))
