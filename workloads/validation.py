"""Strict, frozen pydantic models, and their errors as one line with file, key and mend."""

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from workloads.errors import InputError, nearest


class StrictModel(BaseModel):
    """Base of everything read from a file: immutable, no unknown keys, no silent conversion."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


ModelT = TypeVar("ModelT", bound=BaseModel)

# Pydantic's error type -> what the user should do. `{...}` are filled from the error's context.
_MENDS = {
    "missing": "add it",
    "int_type": "give a whole number",
    "int_from_float": "give a whole number",
    "float_type": "give a number",
    "string_type": "give a text",
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
    "too_long": "give {max_length} entries",
    "literal_error": "give one of {expected}",
    "union_tag_invalid": "give one of {expected_tags}",
    "union_tag_not_found": "add it",
    "finite_number": "give a finite number",
}


def key_path(location: tuple[int | str, ...], data: Any) -> tuple[str, Any]:
    """Return a pydantic location as ``layers[3].K`` and the value found there.

    Locations name the tag of a discriminated union as if it were a key; a part that is not
    in the data is such a tag, unless it is the last part (then it is a missing key).
    """
    text, value = "", data
    for position, part in enumerate(location):
        last = position == len(location) - 1
        if isinstance(part, int):
            text += f"[{part}]"
            value = value[part] if isinstance(value, list | tuple) and part < len(value) else None
        elif isinstance(value, dict) and part in value:
            text += f".{part}" if text else part
            value = value[part]
        elif last and isinstance(value, dict):
            text += f".{part}" if text else part
            value = None
    return text, value


def validate(model: type[ModelT], data: Any, where: str, prefix: str = "") -> ModelT:
    """Build `model` from plain data.

    Raises
    ------
    InputError
        For the first thing that is wrong, naming `where` and the key below `prefix`.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        context = first.get("ctx", {})
        cause = context.get("error")
        if isinstance(cause, InputError):  # raised by one of our own validators, key relative to the model
            key = ".".join(filter(None, [prefix, key_path(first["loc"], data)[0], cause.key]))
            raise InputError(where, key, cause.problem, cause.mend) from None
        key, value = key_path(first["loc"], data)
        kind = first["type"]
        if kind.startswith("union_tag"):
            tag = str(context.get("discriminator", "")).strip("'")
            key = f"{key}.{tag}" if key else tag
            value = value.get(tag) if isinstance(value, dict) else value
        key = ".".join(filter(None, [prefix, key]))
        if kind == "extra_forbidden":
            known = _known_keys(model, first["loc"][:-1])
            raise InputError(where, key, "unknown key", nearest(str(first["loc"][-1]), known)) from None
        mend = _MENDS.get(kind, "see docs/ for the form").format(**context)
        problem = (
            "missing" if kind in ("missing", "union_tag_not_found") else f"{_plain(first['msg'])}, is {_short(value)}"
        )
        raise InputError(where, key, problem, mend) from None


def _plain(message: str) -> str:
    return message[0].lower() + message[1:]


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _known_keys(model: Any, location: tuple[int | str, ...]) -> list[str]:
    """Return the keys that the model at `location` below `model` accepts."""
    candidates = [model]
    for part in location:
        reached = []
        for candidate in candidates:
            if isinstance(part, str) and part in getattr(candidate, "model_fields", {}):
                reached += _models_in(candidate.model_fields[part].annotation)
            else:  # a list index or a union's tag: stay where we are
                tagged = [c for c in candidates if _tag_of(c) == part]
                reached = tagged or candidates
        candidates = reached
    return sorted({name for candidate in candidates for name in getattr(candidate, "model_fields", {})})


def _tag_of(model: Any) -> Any:
    for name in ("kind", "model"):
        field = getattr(model, "model_fields", {}).get(name)
        if field is not None:
            return field.default
    return None


def _models_in(annotation: Any) -> list[Any]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in getattr(annotation, "__args__", ()) for model in _models_in(part)]
