"""Strict, frozen pydantic models, and their errors as one line with file, key and remedy."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, Self, TypeVar, get_args, get_origin

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)

from workloads.foundation.errors import InputError, nearest

_LARGEST = 10**40  # of a whole number: products of several can still be made into a fraction


class NullIsValue:
    """Marks a key whose null says something, where the null of other keys says that a part is not there."""


class StrictModel(BaseModel):
    """Base of everything read from a file: immutable, no unknown keys, no silent conversion, finite numbers."""

    # A model's validator is built when it is first asked, since no command asks all of them.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False, defer_build=True)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with other values, which are not checked; pydantic's own takes a misspelt key in silence.

        Raises
        ------
        InputError
            If there is no such key.
        """
        for key in update or ():
            if key not in type(self).model_fields:
                raise InputError("model_copy()", key, "unknown key", nearest(key, type(self).model_fields))
        copy = super().model_copy(update=update, deep=deep)
        for name in copy.__dict__.keys() - type(self).model_fields.keys():
            del copy.__dict__[name]  # what a property remembers is of the other values
        return copy

    @model_validator(mode="before")
    @classmethod
    def _whole_numbers(cls, data: Any) -> Any:
        """Take ``256e9`` and ``2.0`` for whole numbers where a whole number is asked for; refuse endless ones."""
        if not isinstance(data, dict):
            return data
        whole = _whole_fields(cls)
        return {key: _whole(value, key) if key in whole else value for key, value in data.items()}


class SparseModel(StrictModel):
    """A model that is written without the keys that were not given."""

    @model_serializer(mode="wrap")
    def _without_none(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields = type(self).model_fields
        return {
            key: value for key, value in handler(self).items()
            if value is not None or NullIsValue in fields[key].metadata
        }  # fmt: skip


@cache
def _whole_fields(model: type[BaseModel]) -> frozenset[str]:
    """Return the fields of a model that hold whole numbers, or lists or mappings of them, and no others."""
    found = set()
    for name, field in model.model_fields.items():
        types = _types_in(field.annotation)
        if int in types and float not in types:
            found.add(name)
    return frozenset(found)


def _types_in(annotation: Any) -> set[Any]:
    if get_origin(annotation) is Literal:
        return {type(value) for value in get_args(annotation)}
    inner = [found for part in get_args(annotation) for found in _types_in(part)]
    return {annotation, *inner} if isinstance(annotation, type) else set(inner)


def _whole(value: Any, key: str) -> Any:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and abs(value) > _LARGEST:
        raise InputError("", key, f"is {_short(value)}", "give a smaller number")
    if isinstance(value, list | tuple):
        return type(value)(_whole(item, key) for item in value)
    if isinstance(value, Mapping):
        return {name: _whole(item, key) for name, item in value.items()}
    return value


@dataclass(frozen=True, slots=True)
class Choice:
    """A field that is one of several models: the key that tells which, and the models by its value."""

    tag: str
    kinds: dict[str, type[BaseModel]]


@cache
def choices_of(model: type[BaseModel]) -> dict[str, Choice]:
    """Return the fields of a model that are unions of models that a key distinguishes, by name."""
    found = {}
    for name, field in model.model_fields.items():
        tag = next((tag for tag in _discriminators(field.annotation, field) if isinstance(tag, str)), None)
        if tag is not None:
            models = models_in(field.annotation)
            found[name] = Choice(
                tag, {kind: one for one in models for kind in get_args(one.model_fields[tag].annotation)}
            )
    return found


def _discriminators(annotation: Any, *metadata: Any) -> list[Any]:
    """Return what pydantic's fields in an annotation name as the key that tells a union's models apart."""
    inner = get_args(annotation)
    if get_origin(annotation) is Annotated:
        return _discriminators(inner[0], *metadata, *inner[1:])
    own = [getattr(one, "discriminator", None) for one in metadata]
    return own + [tag for part in inner for tag in _discriminators(part)]


def _only(version: int) -> BeforeValidator:
    def check(value: Any) -> Any:
        if value is True or value != version:  # `true` equals 1 in Python
            problem = f"is {value!r}, and this program reads version {version}"
            raise InputError("", "", problem, f"write version: {version}")
        return value

    return BeforeValidator(check)


VersionOne = Annotated[int, _only(1)]
VersionTwo = Annotated[int, _only(2)]
ModelT = TypeVar("ModelT", bound=BaseModel)

# Pydantic's error type -> what the user should do. `{...}` are filled from the error's context.
_REMEDIES = {
    "missing": "add it",
    "int_type": "give a whole number",
    "int_parsing_size": "give a smaller number",
    "int_from_float": "give a whole number",
    "float_type": "give a number",
    "string_type": "give a text",
    "string_too_short": "give a text",
    "string_pattern_mismatch": "give a text of the form {pattern}",
    "bool_type": "give true or false",
    "tuple_type": "give a list",
    "model_type": "give a mapping of keys",
    "model_attributes_type": "give a mapping of keys",
    "dict_type": "give a mapping of keys",
    "greater_than": "give a value above {gt}",
    "greater_than_equal": "give a value of at least {ge}",
    "less_than_equal": "give a value of at most {le}",
    "less_than": "give a value below {lt}",
    "too_short": "give at least {min_length} entries",
    "too_long": "give at most {max_length} entries",
    "finite_number": "give a finite number",
    "union_tag_not_found": "add it",
}
_MOST_CHARACTERS = 60  # of a value in an error


def key_path(location: tuple[int | str, ...], data: Any, missing: bool) -> tuple[str, Any]:
    """Return a pydantic location as ``layers[3].K`` and the value found there.

    Locations name the branch of a union as if it were a key; a part that is not in the data is such a
    name, unless it is the last part and the key is missing.
    """
    text, value = "", data
    for position, part in enumerate(location):
        if isinstance(part, int) and isinstance(value, list | tuple):
            text += f"[{part}]"
            value = value[part] if part < len(value) else None
        elif isinstance(value, dict) and part in value:
            text += f".{part}" if text else str(part)
            value = value[part]
        elif missing and position == len(location) - 1:
            text += f".{part}" if text else str(part)
            value = None
    return text, value


def validate(model: type[ModelT], data: Any, where: str) -> ModelT:
    """Build `model` from plain data.

    Raises
    ------
    InputError
        For the first thing that is wrong, naming `where` and the key.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        found = error.errors(include_url=False)
        raise _input_error(model, data, where, [dict(one) for one in found]) from None


def _input_error(model: type[BaseModel], data: Any, where: str, errors: list[dict[str, Any]]) -> InputError:
    first = errors[0]
    kind, context = first["type"], first.get("ctx", {})
    key, value = _located(first, data)
    cause = context.get("error")
    if isinstance(cause, InputError):  # raised by one of our own validators, its key relative to the model
        return InputError(where, ".".join(filter(None, [key, cause.key])), cause.problem, cause.remedy)
    if kind == "extra_forbidden":
        name = str(first["loc"][-1])
        elsewhere = [path for path in _paths(model) if path.rpartition(".")[2] == name]
        if elsewhere:
            return InputError(where, key, "unknown key", f"did you mean {' or '.join(elsewhere[:3])}?")
        return InputError(where, key, "unknown key", nearest(name, _known_keys(model, first["loc"][:-1])))
    if kind == "invalid_key":
        return InputError(where, key, "a key here is no text", "put it in quotes")
    missing = kind in ("missing", "union_tag_not_found")
    problem = "missing" if missing else f"is {_short(value)}"
    # A union complains once a branch; any of the remedies will do.
    remedies = [_remedy(one, value) for one in errors if _located(one, data)[0] == key]
    return InputError(where, key, problem, " or ".join(dict.fromkeys(remedies)))


def _located(error: dict[str, Any], data: Any) -> tuple[str, Any]:
    """Return the key that an error is about and the value found there."""
    kind = error["type"]
    key, value = key_path(error["loc"], data, kind == "missing")
    if kind.startswith("union_tag"):  # the error is about the union; the user's about its tag
        tag = str(error["ctx"]["discriminator"]).strip("'")
        return ".".join(filter(None, [key, tag])), value.get(tag) if isinstance(value, dict) else value
    return key, value


def _remedy(error: dict[str, Any], value: Any) -> str:
    kind, context = error["type"], error.get("ctx", {})
    choices = context.get("expected" if kind == "literal_error" else "expected_tags")
    if choices is not None:
        texts = re.findall(r"'([^']*)'", choices)
        if texts:
            return nearest(str(value), texts)
        return f"give {choices}"
    return _REMEDIES.get(kind, error["msg"][0].lower() + error["msg"][1:]).format(**context)


def _short(value: Any) -> str:
    """Return the first characters of a value; what follows them is not written, however much it is."""
    if value is None:
        return "empty"
    text = ""
    for piece in _pieces(value):
        text += piece
        if len(text) > _MOST_CHARACTERS:
            return f"{text[: _MOST_CHARACTERS - 3]}..."
    return text


def _pieces(value: Any) -> Iterator[str]:
    """Give the text of a value piece by piece; what YAML wrote as a list is one again."""
    if isinstance(value, list | tuple):
        yield "["
        for index, item in enumerate(value):
            yield ", " if index else ""
            yield from _pieces(item)
        yield "]"
    elif isinstance(value, dict):
        yield "{"
        for index, (key, item) in enumerate(value.items()):
            yield f"{', ' if index else ''}{key!r}: "
            yield from _pieces(item)
        yield "}"
    else:
        yield repr(value[: _MOST_CHARACTERS + 1]) if isinstance(value, str) else repr(value)


def _known_keys(model: Any, location: tuple[int | str, ...]) -> list[str]:
    """Return the keys that the model at `location` below `model` accepts."""
    candidates = [model]
    for part in location:
        reached = []
        for candidate in candidates:
            if isinstance(part, str) and part in getattr(candidate, "model_fields", {}):
                reached += models_in(candidate.model_fields[part].annotation)
            else:  # a list index or a union's tag: stay where we are
                tagged = [candidate for candidate in candidates if part in _tags_of(candidate)]
                reached = tagged or candidates
        candidates = reached
    return sorted({name for candidate in candidates for name in getattr(candidate, "model_fields", {})})


def _paths(model: type[BaseModel], above: str = "") -> list[str]:
    """Return the dotted keys of a model and of the parts that it holds once; not of what its lists hold."""
    found: dict[str, None] = {}
    for name, field in model.model_fields.items():
        key = f"{above}{name}"
        found[key] = None
        if not {get_origin(one) for one in _members(field.annotation)} & {tuple, list, dict}:
            found |= dict.fromkeys(path for inner in models_in(field.annotation) for path in _paths(inner, f"{key}."))
    return list(found)


def _members(annotation: Any) -> list[Any]:
    """Return an annotation, and what it is a choice or an ornament of."""
    inner = () if get_origin(annotation) in (tuple, list, dict) else get_args(annotation)
    return [annotation, *(member for one in inner for member in _members(one))]


def _tags_of(model: Any) -> tuple[Any, ...]:
    for name in ("kind", "model"):
        field = getattr(model, "model_fields", {}).get(name)
        if field is not None:
            return get_args(field.annotation)
    return ()


def models_in(annotation: Any) -> list[Any]:
    """Return the models in an annotation, unions of several among them."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in getattr(annotation, "__args__", ()) for model in models_in(part)]
