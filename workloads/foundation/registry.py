"""Find the parts of a kind by name: one file a part in one of the project's packages, and parts of extension packages.

Each file has its part under the same attribute. Nothing has to be registered.
"""

from collections.abc import Callable, Collection, Iterable
from importlib import import_module
from operator import attrgetter
from pkgutil import iter_modules
from typing import Any

from workloads.foundation.errors import InputError
from workloads.foundation.extensions import check_clashes, extensions

Key = Callable[[Any], str]


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
    group: str,
    form: type,
    key: Key = attrgetter("name"),
    beside: Collection[str] = (),
) -> dict[str, Any]:
    """Return the parts of a kind by name, in the order of their `rank` where they have one.

    Parameters
    ----------
    package, attribute, beside
        Where the project's own are; as for `parts`.
    group, form, key
        As for `with_extensions`.

    Raises
    ------
    InputError
        If a module lacks the attribute, two parts have one name, or an extension package is broken.
    """
    return with_extensions(((attribute, *one) for one in parts(package, attribute, beside)), group, form, key)


def with_extensions(
    own: Iterable[tuple[str, str, Any]], group: str, form: type, key: Key = attrgetter("name")
) -> dict[str, Any]:
    """Return the project's own parts and those of extension packages by name, in the order of their `rank`.

    Parameters
    ----------
    own : iterable of (attribute, module, part)
        The project's own parts.
    group : str
        The kind, as an extension package's entry points call it: ``designs`` for ``adagp_sim.designs``.
    form : type
        What parts of this kind are: a protocol, their class, or what classes among them derive from.
    key : callable
        Gives the name of a part; its `name` if nothing is given.

    Raises
    ------
    InputError
        If two parts have one name, or an extension package is broken.
    """
    modules: dict[str, str] = {}
    found: dict[str, Any] = {}
    for attribute, module, part in own:
        name = key(part)
        if name in found:
            raise InputError(module, attribute, f"{name!r} is also in {modules[name]}", "give it another name")
        modules[name], found[name] = module, part
    check_clashes(group, modules)
    found |= {one.name: one.load(form, key) for one in extensions(group)}
    return dict(sorted(found.items(), key=lambda one: getattr(one[1], "rank", 0)))
