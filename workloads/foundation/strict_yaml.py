"""Read and write YAML without its surprises.

PyYAML takes ``1e-12`` for a string, ``no`` for false, and the last of two equal keys without a word. This loader reads
numbers and booleans as YAML 1.2 does, refuses duplicate keys, and gives sequences as tuples, so that what was read can
be frozen. It knows the seven kinds of values that YAML 1.2's core has and no others. It subclasses the C loader: 700
layers take 0.17 s instead of 1.2 s. The writer puts quotes wherever this loader, or YAML 1.1, would read a text as
something else.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from workloads.foundation.errors import InputError
from workloads.foundation.reading import read_text

MOST_YAML_BYTES = 1 << 24  # of a document's text: 16 MiB, a trace of some 60,000 layers
MOST_VALUES = 2_000_000  # of a document, each as often as aliases repeat it
_MOST_REMEMBERED = 1 << 17  # characters of a document that is remembered: all but long traces
_MOST_DIGITS = 1000  # of a number
_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
# By kind of a plain scalar: how it looks, and what it begins with.
_PLAIN = (
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("null", r"^(?:~|null|Null|NULL|)$", "~nN"),
    ("int", r"^[-+]?[0-9][0-9_]*$", "-+0123456789"),
    ("float", r"^[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?$", "-+.0123456789"),
    ("float", r"^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$", "-+."),
)


class _DuplicateKeyError(yaml.YAMLError):
    def __init__(self, key: object, line: int) -> None:
        super().__init__(f"key {key!r} is given twice (line {line})")
        self.key = key


class _StrictLoader(_Base):  # type: ignore[misc]
    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
    yaml_constructors: dict[str | None, Callable[[Any, Any], Any]] = {}

    def construct_document(self, node: yaml.Node) -> Any:
        _check_size(node, {})
        return super().construct_document(node)

    def construct_yaml_map(self, node: yaml.Node) -> dict[Any, Any]:
        _check_kind(node, yaml.MappingNode, "a mapping")
        mapping: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            _check_kind(key_node, yaml.ScalarNode, "a plain word as key")
            key = self.construct_object(key_node)
            if key in mapping:
                raise _DuplicateKeyError(key, key_node.start_mark.line + 1)
            mapping[key] = self.construct_object(value_node, deep=True)
        return mapping

    def construct_yaml_seq(self, node: yaml.Node) -> tuple[Any, ...]:
        _check_kind(node, yaml.SequenceNode, "a list")
        return tuple(self.construct_object(child, deep=True) for child in node.value)

    def construct_yaml_str(self, node: yaml.Node) -> str:
        _check_kind(node, yaml.ScalarNode, "a text")
        return str(node.value)

    def construct_yaml_plain(self, node: yaml.Node) -> bool | int | float | None:
        kind = node.tag.removeprefix(_TAG)
        _check_kind(node, yaml.ScalarNode, f"one of kind {kind}")
        text = node.value
        if not any(re.fullmatch(pattern, text) for known, pattern, _ in _PLAIN if known == kind):
            raise _error(node, f"{text[:40]!r} is no {kind}")
        if len(text) > _MOST_DIGITS:
            raise _error(node, f"a number of more than {_MOST_DIGITS} characters")
        return _VALUES[kind](text.lower().replace("_", ""))

    def refuse_yaml_tag(self, node: yaml.Node) -> None:
        raise _error(node, f"the tag {node.tag[:40]!r} is not known")


_VALUES: dict[str, Callable[[str], bool | int | float | None]] = {
    "bool": lambda text: text == "true",
    "null": lambda _: None,
    "int": int,  # PyYAML's own reads 010 as octal; YAML 1.2 and everybody's eye read ten
    "float": lambda text: float(text.replace(".inf", "inf").replace(".nan", "nan")),
}
for _kind in _VALUES:
    _StrictLoader.add_constructor(_TAG + _kind, _StrictLoader.construct_yaml_plain)
for _kind, _constructor in (
    ("map", _StrictLoader.construct_yaml_map), ("seq", _StrictLoader.construct_yaml_seq),
    ("str", _StrictLoader.construct_yaml_str),
):  # fmt: skip
    _StrictLoader.add_constructor(_TAG + _kind, _constructor)
_StrictLoader.add_constructor(None, _StrictLoader.refuse_yaml_tag)


class _StrictDumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """Quotes what either loader would take for something other than a text."""

    def represent_yaml_str(self, text: str) -> Any:
        # In quotes with escapes a text stays in one line, and no kind of line break becomes another one.
        return self.represent_scalar(f"{_TAG}str", text, None if text.isprintable() else '"')

    def ignore_aliases(self, data: Any) -> bool:
        return True


_StrictDumper.add_representer(str, _StrictDumper.represent_yaml_str)
for _kind, _pattern, _first in _PLAIN:
    for _class in (_StrictLoader, _StrictDumper):
        _firsts = [*_first, ""] if _kind == "null" else list(_first)
        _class.add_implicit_resolver(_TAG + _kind, re.compile(_pattern), _firsts)


_KINDS = {yaml.ScalarNode: "plain word", yaml.SequenceNode: "list", yaml.MappingNode: "mapping"}


def _error(node: yaml.Node, problem: str) -> yaml.MarkedYAMLError:
    return yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


def _check_kind(node: yaml.Node, kind: type[yaml.Node], wanted: str) -> None:
    if not isinstance(node, kind):
        raise _error(node, f"expected {wanted}, but found a {_KINDS[type(node)]}")


def _check_size(node: yaml.Node, sizes: dict[int, int]) -> int:
    """Return how many values a node has, each as often as aliases repeat it; refuse too many, and one in itself."""
    known = sizes.get(id(node))
    if known is not None:
        if not known:
            raise _error(node, "an alias to something that contains it")
        return known
    if isinstance(node, yaml.ScalarNode):
        return 1
    sizes[id(node)] = 0
    children = node.value if isinstance(node, yaml.SequenceNode) else [one for pair in node.value for one in pair]
    size = 1 + sum(_check_size(child, sizes) for child in children)
    if size > MOST_VALUES:
        raise _error(node, f"more than {MOST_VALUES:,} values, counted as often as aliases repeat them")
    sizes[id(node)] = size
    return size


def parse_yaml(text: str, where: str) -> Any:
    """Parse one YAML document; `where` names it in errors.

    Raises
    ------
    InputError
        If the text is no YAML, is too large, or a mapping holds a key twice.
    """
    try:
        return yaml.load(text, Loader=_StrictLoader)
    except _DuplicateKeyError as error:
        raise InputError(where, str(error.key), str(error), "keep one of the two") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise InputError(where, place, f"not valid YAML: {error.problem}", "correct the syntax there") from None
    except RecursionError:
        raise InputError(where, "", "not valid YAML: nested too deeply", "write it flatter") from None
    except (yaml.YAMLError, ValueError) as error:
        raise InputError(where, "", f"not valid YAML: {error}", "save it as plain text YAML") from None


def read_yaml(path: Path) -> Any:
    """Read one YAML file (or a gzipped one) strictly; see `parse_yaml` and `read_text`.

    A short text is parsed once. The caller may change what it gets: the mappings are its own.
    """
    text = read_text(path, MOST_YAML_BYTES)
    return _own(_parsed(text, str(path))) if len(text) <= _MOST_REMEMBERED else parse_yaml(text, str(path))


@lru_cache(maxsize=64)
def _parsed(text: str, where: str) -> Any:
    return parse_yaml(text, where)


def _own(value: Any) -> Any:
    """Return a value with mappings that nothing else holds; all other values cannot be changed."""
    if isinstance(value, dict):
        return {key: _own(one) for key, one in value.items()}
    return tuple(map(_own, value)) if isinstance(value, tuple) else value


def yaml_text(data: Any, flow: bool | None = False, width: int = 10**9) -> str:
    """Return data as YAML text, which `parse_yaml` reads back as equal data (lists as tuples).

    Parameters
    ----------
    data : object
        Dicts, lists, texts, numbers, booleans and None.
    flow : bool, optional
        Whether collections are written in brackets; None: the innermost ones.
    width : int
        Where lines break, in columns.
    """
    text: str = yaml.dump(
        data, Dumper=_StrictDumper, sort_keys=False, default_flow_style=flow, width=width, allow_unicode=True
    )
    return text
