"""Files that are no trace, by the endings of their names, and how each becomes one."""

from collections.abc import Mapping
from pathlib import Path
from shlex import quote

from workloads.foundation.errors import InputError

_OF_TRACES = (".yaml", ".yml")
_WEIGHTS = "a file of weights"
_OF_PYTHON: Mapping[str, str] = {
    ".py": "Python code", ".ipynb": "a notebook", ".pt": _WEIGHTS, ".pth": _WEIGHTS, ".safetensors": _WEIGHTS,
}  # fmt: skip


def check_ending(path: Path) -> None:
    """Refuse a file of a kind that a command makes a trace of.

    Raises
    ------
    InputError
        With that command.
    """
    if path.name.lower().removesuffix(".gz").endswith(_OF_TRACES):
        return
    from workloads.importers import importers

    if path.suffix.lower() in _OF_PYTHON:
        module = path.stem if path.suffix.lower() == ".py" else "MODULE"
        command = f"adagp-sim trace export --model {module}:CALLABLE --input 1x3x224x224"
        problem = f"{_OF_PYTHON[path.suffix.lower()]}, and no trace"
        raise InputError(str(path), "", problem, f"{command} records a model, and writes a trace")
    for importer in importers().values():
        if path.name.lower().removesuffix(".gz").endswith(importer.suffixes):
            remedy = f"adagp-sim trace import {quote(str(path))} makes a trace of it"
            raise InputError(str(path), "", f"a file of the format {importer.name}, and no trace", remedy)
