"""Importers of other tools' machines, one file each with an object `IMPORTER`; found by a file's suffix."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from shlex import quote
from typing import Any

from workloads.foundation.errors import InputError
from workloads.foundation.registry import registry


@dataclass(frozen=True)
class ImportedMachine:
    """A machine as another tool describes it.

    Attributes
    ----------
    settings : mapping of str to any
        Keys of an accelerator's spec that differ from the shipped ones, nested as in a file.
    notes : tuple of str
        For each key of the file what it became, or why it has no meaning here; then what the tool's rule needs beside.
    """

    settings: Mapping[str, Any]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class MachineImporter:
    """One format: its name, how names of its files end, what it is, and the function that reads a file."""

    name: str
    suffixes: tuple[str, ...]
    description: str
    read: Callable[[Path], ImportedMachine]


@cache
def machine_importers() -> dict[str, MachineImporter]:
    """Return every importer by name."""
    return registry(__name__, "IMPORTER", "machine_importers", MachineImporter)


def machine_importer(path: Path) -> MachineImporter | None:
    """Return the importer of files whose names end as this one; None for a spec of our own."""
    name = path.name.lower()
    return next((one for one in machine_importers().values() if name.endswith(one.suffixes)), None)


def check_no_machine(file: Path) -> None:
    """Refuse another tool's machine where a workload is asked for.

    Raises
    ------
    InputError
        With what takes it.
    """
    importer = machine_importer(file)
    if importer is not None:
        remedy = f"give it to --config, or write a spec of it: adagp-sim show {quote(str(file))}"
        raise InputError(str(file), "", f"is a machine ({importer.description}), and no workload", remedy)
