"""Rows of the tables of cuts, by name."""

from dataflows.integers import Integers
from dataflows.plans.cut_tables import Axes, Bounds, Cut, Folds, SpaceCut
from workloads.foundation.kernels import njit_inside


@njit_inside
def cut_at(table: Integers, i: int) -> Cut:
    """Return one cut."""
    return Cut(table[0, i], table[1, i], table[2, i], table[3, i], table[4, i], table[5, i], table[6, i], table[7, i])


@njit_inside
def space_at(table: Integers, i: int) -> SpaceCut:
    """Return what else is known of a cut of images and rows."""
    return SpaceCut(
        table[0, i], table[1, i], table[2, i], table[3, i], table[4, i], table[5, i], table[6, i], table[7, i]
    )


@njit_inside
def axes_of(mappings: Integers, m: int) -> Axes:
    """Return where the cuts of a mapping are."""
    t = mappings
    return Axes(t[m, 0], t[m, 1], t[m, 2], t[m, 3], t[m, 4], t[m, 5], t[m, 6], t[m, 7], t[m, 8])


@njit_inside
def bounds_of(mappings: Integers, m: int) -> Bounds:
    """Return what a mapping takes at least."""
    return Bounds(mappings[m, 9], mappings[m, 10])


@njit_inside
def folds_of(mappings: Integers, m: int) -> Folds:
    """Return how tiles run as folds under a mapping."""
    t = mappings
    return Folds(
        t[m, 11], t[m, 12], t[m, 13], t[m, 14], t[m, 15], t[m, 16], t[m, 17], t[m, 18], t[m, 19], t[m, 20], t[m, 21],
        t[m, 22], t[m, 23], t[m, 24], t[m, 25], t[m, 26], t[m, 27],
    )  # fmt: skip
