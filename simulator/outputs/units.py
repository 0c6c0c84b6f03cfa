"""Energies in units that read well."""

from collections.abc import Iterable, Sequence
from typing import Any

_UNITS = (("kJ", 1e15), ("J", 1e12), ("mJ", 1e9), ("uJ", 1e6), ("nJ", 1e3))  # in pJ, the largest first


def energy_unit(energies_pj: Iterable[float]) -> tuple[str, float]:
    """Return the unit in which the smallest of some energies is at least one, and its size in pJ."""
    least = min((abs(one) for one in energies_pj if one), default=0.0)
    return next(((unit, size) for unit, size in _UNITS if least >= size), ("pJ", 1.0))


def in_readable_unit(name: str, values: Sequence[Any]) -> tuple[str, list[Any]]:
    """Return a column's name and values; a column `..._pj` of energies has one unit that reads well, in its name."""
    if not (name.isidentifier() and name.endswith("_pj")):
        return name, list(values)
    unit, size = energy_unit(one for one in values if one is not None)
    return f"{name.removesuffix('_pj')}, {unit}", [None if one is None else one / size for one in values]
