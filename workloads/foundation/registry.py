"""Find the parts of a package by name: one file a part, each with the same attribute. Nothing has to be registered."""

from collections.abc import Callable, Collection, Hashable
from importlib import import_module
from operator import attrgetter
from pkgutil import iter_modules
from typing import Any, TypeVar

from workloads.foundation.errors import InputError

KeyT = TypeVar("KeyT", bound=Hashable)


def parts(package: str, attribute: str, beside: Collection[str] = ()) -> list[tuple[str, Any]]:
    """Return (module, attribute) of every module of a package, by the modules' names.

    Parameters
    ----------
    package : str
        Its dotted name, such as ``simulator.designs``.
    attribute : str
        What each module holds, such as ``DESIGN``.
    beside : collection of str
        Modules of the package that hold no part.

    Raises
    ------
    InputError
        If a module lacks the attribute.
    """
    names = [found.name for found in iter_modules(import_module(package).__path__) if found.name not in beside]
    found = []
    for name in names:
        module = import_module(f"{package}.{name}")
        if not hasattr(module, attribute):
            remedy = f"define it, as the other files of {package} do"
            raise InputError(str(module.__file__), attribute, "is not in this file", remedy)
        found.append((module.__name__, getattr(module, attribute)))
    return found


def registry(
    package: str,
    attribute: str,
    key: Callable[[Any], KeyT] = attrgetter("name"),
    beside: Collection[str] = (),
) -> dict[KeyT, Any]:
    """Return the parts of a package by their key, in the order of their `rank` where they have one.

    Parameters
    ----------
    package, attribute, beside
        As for `parts`.
    key : callable
        Gives the key of a part; its `name` if nothing is given.

    Raises
    ------
    InputError
        If a module lacks the attribute, or two parts have one key.
    """
    modules: dict[KeyT, str] = {}
    found: dict[KeyT, Any] = {}
    for module, part in sorted(parts(package, attribute, beside), key=lambda one: getattr(one[1], "rank", 0)):
        name = key(part)
        if name in found:
            raise InputError(module, attribute, f"{name!r} is also in {modules[name]}", "give it another name")
        modules[name], found[name] = module, part
    return found
