"""A ladder of checks for each kind of part, one file each in `simulator/testing/ladders`; a package climbs them all."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cache

from workloads.foundation.errors import InputError, nearest
from workloads.foundation.extensions import PREFIX, extension_packages, extensions_of
from workloads.foundation.registry import parts


@dataclass(frozen=True)
class Ladder:
    """The checks of one kind of part, found as `LADDER`.

    Attributes
    ----------
    group : str
        The kind, as entry points call it: ``designs`` for ``adagp_sim.designs``.
    judges : str
        What is checked, in a line.
    names : callable
        Returns the names of all parts of this kind, those of extension packages among them.
    check : callable
        Checks the part of a name. It raises AssertionError where a check fails, and InputError where the project
        itself refuses the part.
    """

    group: str
    judges: str
    names: Callable[[], Collection[str]]
    check: Callable[[str], None]


def hold(condition: object, problem: str) -> None:
    """Raise AssertionError with a problem unless a condition holds, with ``python -O`` too."""
    if not condition:
        raise AssertionError(problem)


@cache
def ladders() -> dict[str, Ladder]:
    """Return every ladder by its kind of part."""
    found: list[Ladder] = [ladder for _, ladder in parts("simulator.testing.ladders", "LADDER")]
    return {ladder.group: ladder for ladder in found}


def check_extension(package: str) -> list[str]:
    """Check every part that an installed extension package gives, as the project checks its own.

    Parameters
    ----------
    package : str
        The package's name, as ``pip list`` shows it.

    Returns
    -------
    list of str
        For each part a line: its kind, its name, and what was checked.

    Raises
    ------
    AssertionError
        If a part fails a check; it names the part.
    InputError
        If the package gives no part, or one that is refused.
    """
    points = extensions_of(package)
    if not points:
        known = extension_packages()
        remedy = nearest(package, known) if known else "install it here: python -m pip install FOLDER"
        raise InputError(f"extension package {package}", "", "gives no part, or is not installed", remedy)
    for point in points:
        if point.group not in ladders():
            kinds = [f"{PREFIX}{group}" for group in ladders()]
            raise point.refused(f"{PREFIX}{point.group} is no kind of part", nearest(f"{PREFIX}{point.group}", kinds))
    lines = []
    for point in points:
        ladder = ladders()[point.group]
        hold(
            point.name in ladder.names(), f"{package}: {point.group}: {point.name}: is not among the parts of its kind"
        )
        try:
            ladder.check(point.name)
        except AssertionError as error:
            raise AssertionError(f"{package}: {point.group}: {point.name}: {error}") from error
        lines.append(f"{point.group}: {point.name}: {ladder.judges}")
    return lines
