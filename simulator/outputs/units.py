"""Energies in units that read well."""

from collections.abc import Iterable

_UNITS = (("kJ", 1e15), ("J", 1e12), ("mJ", 1e9), ("uJ", 1e6))  # in pJ, the largest first


def energy_unit(energies_pj: Iterable[float]) -> tuple[str, float]:
    """Return the unit in which the smallest of some energies is at least one, and its size in pJ."""
    least = min((abs(one) for one in energies_pj if one), default=0.0)
    return next(((unit, size) for unit, size in _UNITS if least >= size), ("pJ", 1.0))
