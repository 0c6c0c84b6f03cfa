"""Parts that other installed packages give. They say so by entry points (docs/how-to/extension-package.md).

An entry point's group tells the kind of the part, such as ``adagp_sim.designs``. Its name is the part's name. Its value
is where the part is: an object, such as ``edge_parts.eager:DESIGN``, or for a YAML file the package in whose folder
``NAME.yaml`` lies. Nothing of a package is imported before a part of its kind is asked for.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from inspect import get_annotations
from pathlib import Path
from typing import Any

from workloads.foundation.errors import InputError

PREFIX = "adagp_sim."
_REMEDY = "correct the package, or uninstall it"
_ANY = (Exception, SystemExit)  # that a foreign module may end with while it is imported


@dataclass(frozen=True)
class Extension:
    """One part of an installed package.

    Attributes
    ----------
    package, version : str
        The package as ``pip list`` shows it.
    group : str
        The kind of its part, without `PREFIX`.
    point : EntryPoint
        What the package says of the part.
    """

    package: str
    version: str
    group: str
    point: EntryPoint

    @property
    def name(self) -> str:
        """The part's name."""
        return self.point.name

    def refused(self, problem: str, remedy: str = _REMEDY) -> InputError:
        """Return the error of this entry point; it names the package, the group and the part."""
        return InputError(f"extension package {self.package}", f"{PREFIX}{self.group}: {self.name}", problem, remedy)

    def load(self, form: type, key: Callable[[Any], Any]) -> Any:
        """Import the part, and hold it against what parts of its kind are.

        Parameters
        ----------
        form : type
            A protocol or the class of the parts; where the parts are classes, what they derive from.
        key : callable
            Gives the name of a part.

        Raises
        ------
        InputError
            If it cannot be imported, is of another form, or has another name than its entry point.
        """
        try:
            part = self.point.load()
        except _ANY as error:
            raise self.refused(f"{self.point.value} cannot be imported: {_with_type(error)}") from None
        try:
            lacks = _lacks(part, form)
            name = None if lacks else key(part)
        except _ANY as error:
            raise self.refused(f"{self.point.value} cannot be read: {_with_type(error)}") from None
        if lacks:
            raise self.refused(f"{self.point.value} {lacks}", f"see {form.__module__}.{form.__name__}")
        if name != self.name:
            raise self.refused(f"{self.point.value} has the name {name!r}", "give part and entry point one name")
        return part

    def file(self, suffixes: Collection[str]) -> Path:
        """Return the part's file. It has the part's name and lies in the folder that the entry point names.

        Raises
        ------
        InputError
            If there is none.
        """
        try:
            found = find_spec(self.point.value)
        except _ANY as error:
            raise self.refused(f"{self.point.value} cannot be imported: {_with_type(error)}") from None
        if found is None:
            raise self.refused(f"there is no package {self.point.value}")
        folders = found.submodule_search_locations or [str(Path(found.origin or "").parent)]
        for folder in map(Path, folders):
            for suffix in suffixes:
                if (folder / f"{self.name}{suffix}").is_file():
                    return folder / f"{self.name}{suffix}"
        files = " or ".join(f"{self.name}{suffix}" for suffix in suffixes)
        raise self.refused(f"{folders[0]} has no file {files}", "put it there, and into the package's data")


def extensions(group: str) -> tuple[Extension, ...]:
    """Return what installed packages give of a kind, such as ``designs``, by name; nothing is imported."""
    return _all_extensions().get(group, ())


def extensions_of(package: str) -> tuple[Extension, ...]:
    """Return all that an installed package gives, in upper or lower case, with any of ``-``, ``_`` and ``.``."""
    return tuple(one for found in _all_extensions().values() for one in found if _plain(one.package) == _plain(package))


def extension_packages() -> dict[str, str]:
    """Return the version of every installed package that gives a part, by its name."""
    return {one.package: one.version for found in _all_extensions().values() for one in found}


def given_by(group: str) -> dict[str, str]:
    """Return by the part's name which package gives it; the project's own parts are not among them."""
    return {one.name: f"{one.package} {one.version}" for one in extensions(group)}


def check_clashes(group: str, own: Mapping[str, str]) -> None:
    """Refuse an extension's part that has the name of another part; upper and lower case are one.

    Parameters
    ----------
    group : str
        The kind.
    own : mapping of str to str
        Where each of the project's own parts is, by name.

    Raises
    ------
    InputError
        For the first that clashes.
    """
    taken = {name.casefold(): where for name, where in own.items()}
    for one in extensions(group):
        name = one.name.casefold()
        if name in taken:
            raise one.refused(f"this name is also in {taken[name]}", "give it another name")
        taken[name] = f"extension package {one.package}"


@cache
def _all_extensions() -> dict[str, tuple[Extension, ...]]:
    found = {}
    points: Any = entry_points()
    for place in points.groups:
        if place.startswith(PREFIX):
            group = place.removeprefix(PREFIX)
            found[group] = [
                Extension(one.dist.name, one.dist.version, group, one) for one in points.select(group=place)
            ]
    return {group: tuple(sorted(each, key=lambda one: (one.name, one.package))) for group, each in found.items()}


def _plain(package: str) -> str:
    return package.casefold().replace("_", "-").replace(".", "-")


def _with_type(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _lacks(part: Any, form: type) -> str:
    """Return what a part lacks to be one of its kind; empty where it has all."""
    if getattr(form, "_is_protocol", False):
        wanted = [name for name in (*vars(form), *get_annotations(form)) if not name.startswith("_")]
        missing = [name for name in dict.fromkeys(wanted) if not hasattr(part, name)]
        return f"has no {', '.join(missing)}" if missing else ""
    if isinstance(part, form):
        return ""
    if not isinstance(part, type) or not issubclass(part, form):
        return f"is no {form.__name__}"
    unwritten: frozenset[str] = getattr(part, "__abstractmethods__", frozenset())
    return f"has no {', '.join(sorted(unwritten))}" if unwritten else ""
