"""Files that give only what differs: `extends` names a shipped file, or a path that is seen from the file's folder."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from workloads.foundation.errors import InputError
from workloads.foundation.shipped import resolve
from workloads.foundation.strict_yaml import read_yaml


def chain(
    path: Path, folder: str, what: str, read: Callable[[Path], Any] = read_yaml, above: tuple[Path, ...] = ()
) -> list[tuple[Path, dict[str, Any]]]:
    """Return a file and what it says, and before it what it extends, and what that extends.

    Parameters
    ----------
    path : Path
        The file.
    folder : str
        Where shipped files of its kind are, such as ``configs/energy``.
    what : str
        What such a file is called in errors, such as ``energy table``.
    read : callable
        Reads a file.
    above : tuple of Path
        The files that extend this one.

    Raises
    ------
    InputError
        If a file cannot be read, holds no mapping, or extends itself or what is not there.
    """
    place = Path(os.path.realpath(path))  # one file has many names
    if place in above:
        raise InputError(str(path), "extends", "extends itself", "break the circle")
    data = read(path)
    if not isinstance(data, dict):
        raise InputError(
            str(path), "", "not a mapping of keys", "write KEY: VALUE, as adagp-sim show prints a shipped one"
        )
    base = data.pop("extends", None)
    if base is None:
        return [(path, data)]
    if not isinstance(base, str):
        raise InputError(str(path), "extends", f"is {base!r}", f"give a name or a path: what {what} it builds on")
    try:
        found = resolve(base, folder, what, path.parent)
    except InputError as error:
        raise InputError(str(path), "extends", f"{base!r} is {error.problem}", error.remedy) from None
    return [*chain(found, folder, what, read, (*above, place)), (path, data)]


def laid_over(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return a mapping with the values of another one laid over it, key by key."""
    laid = dict(base)
    for key, value in over.items():
        under = laid.get(key)
        both = isinstance(under, Mapping) and isinstance(value, Mapping)
        laid[key] = laid_over(under, value) if both else value  # type: ignore[arg-type]
    return laid


def missing_keys(model: type[BaseModel], data: Any, above: str = "") -> list[str]:
    """Return every key that a model needs and data lacks, with the keys of the models within it."""
    if not isinstance(data, Mapping):
        return []
    found = []
    for name, field in model.model_fields.items():
        if name not in data:
            found += [f"{above}{name}"] if field.is_required() else []
        elif isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found += missing_keys(field.annotation, data[name], f"{above}{name}.")
        elif get_origin(field.annotation) is dict and isinstance(data[name], Mapping):
            inner = get_args(field.annotation)[1]
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                found += [
                    key
                    for one, value in data[name].items()
                    for key in missing_keys(inner, value, f"{above}{name}.{one}.")
                ]
    return found
