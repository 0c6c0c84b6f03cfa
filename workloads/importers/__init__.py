"""Importers of other tools' workloads, one file each with an object `IMPORTER`; found by name or by a file's ending."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Protocol

from workloads.foundation.errors import InputError, nearest
from workloads.foundation.registry import registry
from workloads.layers import Layer


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
    batch_size : int
        Samples of a batch, where the file says so.
    """

    inputs: dict[str, tuple[int, ...]]
    layers: tuple[Layer, ...]
    notes: tuple[str, ...]
    batch_size: int = 1


@dataclass(frozen=True)
class InputOptions:
    """What a user says of a network's inputs.

    Attributes
    ----------
    shapes : mapping
        Shapes of inputs by name, the batch included.
    batch_axes : mapping
        Which dimension of an input is the batch, None if it has none; of all inputs under the empty name.
    """

    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    batch_axes: Mapping[str, int | None] = field(default_factory=dict)


NO_OPTIONS = InputOptions()


class Reader(Protocol):
    """Reads a file."""

    def __call__(self, path: Path, options: InputOptions = NO_OPTIONS) -> Imported:
        """Return the network that a file describes."""


@dataclass(frozen=True)
class Importer:
    """One format.

    Attributes
    ----------
    name : str
        What ``--format`` calls it.
    suffixes : tuple of str
        How names of its files end, in small letters.
    description : str
        What it reads, in a line.
    read : Reader
        Reads a file.
    has_inputs : bool
        Whether its files name their inputs, so that `InputOptions` mean something.
    """

    name: str
    suffixes: tuple[str, ...]
    description: str
    read: Reader
    has_inputs: bool = False


@cache
def importers() -> dict[str, Importer]:
    """Return every importer by name."""
    return registry(__name__, "IMPORTER", "trace_importers", Importer)


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


def importer_of(path: Path) -> Importer:
    """Return the importer of files whose names end as this one; a last ``.gz`` does not count.

    Raises
    ------
    InputError
        If there is none, with the endings that are known.
    """
    name = path.name.lower().removesuffix(".gz")
    for importer in importers().values():
        if name.endswith(importer.suffixes):
            return importer
    known = ", ".join(f"{' or '.join(one.suffixes)} ({one.name})" for one in importers().values())
    problem = (
        f"no format has files that end in {Path(name).suffix!r}" if Path(name).suffix else "its name has no ending"
    )
    raise InputError(str(path), "", problem, f"save it as {known}, or add --format")


def listed(names: Sequence[str], separator: str = ", ") -> str:
    """Return the first three names, the long ones cut, and how many follow."""
    shown = [name if len(name) <= 60 else f"{name[:57]}..." for name in names[:3]]
    return separator.join(shown) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
