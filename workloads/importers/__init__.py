"""Importers of other tools' workloads, one file each with an object `IMPORTER`; found by its name."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from workloads.foundation.errors import InputError, nearest
from workloads.foundation.registry import registry
from workloads.layers import Connections, Layer


@dataclass(frozen=True)
class Imported:
    """A network as another tool describes it.

    Attributes
    ----------
    inputs : dict of str to shape
        The network's inputs, shapes of one sample.
    layers : tuple of Layer
        In the order of the forward pass.
    notes : tuple of str
        What the file did not say, and what was taken for it.
    connections : str
        Whether the file says how layers connect, or each was taken to read the one before (see `Trace.connections`).
    """

    inputs: dict[str, tuple[int, ...]]
    layers: tuple[Layer, ...]
    notes: tuple[str, ...]
    connections: Connections = "known"


@dataclass(frozen=True)
class Importer:
    """One format: its name for ``--format``, what it is, and the function that reads a file."""

    name: str
    description: str
    read: Callable[[Path], Imported]


@cache
def importers() -> dict[str, Importer]:
    """Return every importer by name."""
    return registry(__name__, "IMPORTER")


def find_importer(name: str) -> Importer:
    """Return an importer by name.

    Raises
    ------
    InputError
        If there is none, with the nearest known name.
    """
    known = importers()
    if name not in known:
        raise InputError("--format", "", f"unknown format {name!r}", nearest(name, known))
    return known[name]
