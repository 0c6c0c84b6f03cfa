"""Arguments of public functions checked by their annotations, so that one line says what is wrong."""

from collections.abc import Callable, Mapping, Sequence
from inspect import signature
from numbers import Integral, Real
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from workloads.foundation.errors import InputError, nearest

_EXPLAINED_BETTER = ("trace", "machine", "dataflow")  # where they are read; simulator.api.inputs
_WORDS = {NoneType: "None", str: "text", Path: "a path", int: "a whole number", float: "a number",
          bool: "True or False", Sequence: "a sequence", Mapping: "a mapping", Callable: "a function"}  # fmt: skip


def check_arguments(function: Callable[..., Any], given: tuple[Any, ...], named: Mapping[str, Any]) -> None:
    """Refuse an argument that is not what the function's signature says; annotations in quotes are not looked at.

    Raises
    ------
    InputError
        With the argument's name, also of one that the function has not.
    TypeError
        If an argument is missing, or there are too many, as Python has it.
    """
    signed = signature(function)
    for name in named:
        if name not in signed.parameters:
            raise InputError(f"{function.__name__}()", name, "no such argument", nearest(name, signed.parameters))
    for name, value in signed.bind(*given, **named).arguments.items():
        annotation = signed.parameters[name].annotation
        if not (name in _EXPLAINED_BETTER and get_args(annotation)) and not _fits(value, annotation):
            raise InputError(name, "", f"is {value!r}", _remedy(value, annotation))


def _fits(value: Any, annotation: Any) -> bool:
    """Return whether a value is of an annotated type; a sequence of names may be one name."""
    origin, inside = get_origin(annotation), get_args(annotation)
    if annotation is Any or isinstance(annotation, str):
        return True
    if origin is Literal:
        return value in inside
    if origin is tuple:
        return isinstance(value, tuple) and (Ellipsis in inside or len(value) == len(inside))
    if origin is Callable:
        return callable(value)
    if origin is Sequence:
        return isinstance(value, Sequence) and (isinstance(value, str) or all(_fits(one, inside[0]) for one in value))
    if origin is Mapping:
        return isinstance(value, Mapping) and all(_fits(key, inside[0]) for key in value)
    if inside:
        return any(_fits(value, one) for one in inside)
    if getattr(annotation, "_is_protocol", False):
        return all(hasattr(value, name) for name in annotation.__annotations__)
    if annotation in (int, float):
        return isinstance(value, Integral if annotation is int else Real) and not isinstance(value, bool)
    return value is None if annotation is None else isinstance(value, annotation)


def _remedy(value: Any, annotation: Any) -> str:
    """Return what to give: the nearest name of a few, or the types in words."""
    if get_origin(annotation) is Literal:
        return nearest(str(value), map(str, get_args(annotation)))
    union = get_args(annotation) if get_origin(annotation) not in _WORDS and get_args(annotation) else (annotation,)
    words = dict.fromkeys(_in_words(one) for one in union if one is not NoneType)
    return f"give {' or '.join(sorted(words, key=lambda one: ', each ' in one))}"


def _in_words(annotation: Any) -> str:
    """Return what an annotation of one type means, such as `a sequence, each a whole number`."""
    origin, inside = get_origin(annotation) or annotation, get_args(annotation)
    words = _WORDS.get(origin, getattr(origin, "__name__", str(origin)))
    if origin is not Sequence or not inside:
        return words
    each = [one for one in get_args(inside[0]) or (inside[0],) if one is not NoneType]
    return f"{words}, each {' or '.join(_in_words(one) for one in each)}"
