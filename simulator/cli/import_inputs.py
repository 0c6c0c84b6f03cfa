"""Read the options that say what the inputs of an imported network are."""

from collections.abc import Sequence

from workloads.foundation.errors import InputError
from workloads.importers import Importer, InputOptions

_ALL = ""


def input_options(importer: Importer, shapes: Sequence[str], batch_axes: Sequence[str]) -> InputOptions:
    """Return what ``--shape NAME=1x3x224x224`` and ``--batch-axis [NAME=]AXIS`` say.

    Raises
    ------
    InputError
        If one is not of that form, or files of this format have no inputs.
    """
    for option, given in (("--shape", shapes), ("--batch-axis", batch_axes)):
        if given and not importer.has_inputs:
            raise InputError(option, "", f"{importer.name} files do not name their inputs", "leave it out")
    return InputOptions(dict(map(_shape, shapes)), dict(map(_batch_axis, batch_axes)))


def _shape(text: str) -> tuple[str, tuple[int, ...]]:
    name, _, sizes = text.rpartition("=")
    parts = sizes.lower().split("x")
    if not name or not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise InputError("--shape", "", f"is {text!r}", "give an input and its sizes, as in image=1x3x224x224")
    return name, tuple(int(part) for part in parts)


def _batch_axis(text: str) -> tuple[str, int | None]:
    name, _, axis = text.rpartition("=")
    if axis == "none":
        return name or _ALL, None
    if not axis.removeprefix("-").isdecimal():
        raise InputError("--batch-axis", "", f"is {text!r}", "give a dimension from 0, or none, as in 1 or tokens=1")
    return name or _ALL, int(axis)
