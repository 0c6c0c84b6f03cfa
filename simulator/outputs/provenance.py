"""provenance.json: what made these files."""

import platform
import shlex
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from simulator.jobs.model_version import published_model_version
from workloads.foundation.extensions import extension_packages
from workloads.foundation.reading import digest_of

_TELLING = ("-q", "--quiet", "-v", "--verbose")
_PACKAGES = ("adagp-sim", "numpy", "numba", "simpy", "pydantic", "PyYAML", "matplotlib")


def provenance(inputs: dict[str, Path], arguments: Sequence[str], outputs: Path) -> dict[str, Any]:
    """Return the record: versions, command, and SHA-256 of what was read and written.

    The command is given without ``--out``, which changes where files lie and nothing in them; `time` is the
    only entry that differs between two equal runs.
    """
    return {
        "version": program_version(),
        "model": published_model_version(),
        "command": shlex.join(["adagp-sim", *without_out(arguments)]),
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "inputs": {name: digest_of(path) for name, path in sorted(inputs.items())},
        "outputs": {path.name: digest_of(path) for path in sorted(outputs.iterdir())},
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in _PACKAGES[1:]} | extension_packages(),
    }


def without_out(arguments: Sequence[str]) -> list[str]:
    """Return a command line without ``--out`` and ``--quiet`` or ``--verbose``, which change nothing in a result."""
    kept, skip = [], False
    for argument in arguments:
        if skip:
            skip = False
        elif argument == "--out":
            skip = True
        elif not argument.startswith("--out=") and argument not in _TELLING:
            kept.append(argument)
    return kept


def program_version() -> str:
    """Return the version of this program."""
    return _version("adagp-sim")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
