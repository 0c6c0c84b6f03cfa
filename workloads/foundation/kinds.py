"""The kinds of files that users give, known by a name or by a key, and where each belongs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workloads.foundation.errors import InputError


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file.

    Attributes
    ----------
    folder : str
        Where the shipped ones lie.
    title : str
        What one is called, with its article.
    keys : tuple of str
        Keys at its top that no other kind has.
    belongs : str
        What takes it; braces are the place of its name.
    """

    folder: str
    title: str
    keys: tuple[str, ...]
    belongs: str

    def key_in(self, data: Any) -> str:
        """Return the key of a file's data that is of this kind; empty if there is none."""
        given = data if isinstance(data, Mapping) else {}
        return next((key for key in self.keys if key in given), "")


KINDS = (
    Kind("traces", "a trace", ("layers",), "adagp-sim trace inspect {} shows it; simulate and compare run it"),
    Kind(
        "configs/accelerators", "a machine", ("array", "dataflow", "design", "frequency_hz", "precision"),
        "--config takes it; adagp-sim show {} prints it",
    ),
    Kind("configs/schedules", "a schedule", ("stages",), "--schedule takes it; adagp-sim show {} prints it"),
    Kind("configs/energy", "an energy table", ("actions",), "--set energy_table={} takes it"),
    Kind("configs/dram", "a DRAM part", ("timing_cycles",), "--set dram.model=commands --set dram.part={} takes it"),
    Kind("configs/sweeps", "a sweep", ("grid", "list", "sample", "search", "objectives"),
         "adagp-sim sweep {} --out DIR runs it"),
    Kind("configs/kinds", "a file of values of kinds", ("kinds",), "adagp-sim show {} prints it"),
)  # fmt: skip


def kind_of(data: Any) -> Kind | None:
    """Return the kind of a file's data; None if nothing tells it."""
    return next((kind for kind in KINDS if kind.key_in(data)), None)


def misplaced(kind: Kind, name: str, wanted: str, key: str = "") -> InputError:
    """Return the error of something that is given in the place of another kind.

    Parameters
    ----------
    kind : Kind
        What it is.
    name : str
        Its name or path.
    wanted : str
        What is asked for, such as ``trace``.
    key : str
        The key of a file that tells its kind.
    """
    found_by = f" (it has the key {key})" if key else ""
    return InputError(name, "", f"{kind.title}{found_by}, and no {wanted}", kind.belongs.format(name))


def check_kind(data: Any, path: str, folder: str, wanted: str) -> None:
    """Refuse a file that holds another kind than that of a folder.

    Raises
    ------
    InputError
        With what the file is, and what takes it.
    """
    kind = kind_of(data)
    if kind is not None and kind.folder != folder:
        raise misplaced(kind, path, wanted, kind.key_in(data))
