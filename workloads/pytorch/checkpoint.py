"""Checkpoints of a training run: written whole or not at all, and read only by the run they belong to."""

import pickle
from pathlib import Path
from typing import Any

import torch

from workloads.foundation.atomic import atomic_file
from workloads.foundation.errors import InputError

CHECKPOINT_VERSION = 2


def save_checkpoint(path: Path, run: dict[str, Any], state: dict[str, Any]) -> None:
    """Write a checkpoint beside its place and move it there, so that a kill leaves the old one or the new one.

    Parameters
    ----------
    path : Path
        Its place; the folder is made.
    run : dict
        What the run is: only an equal one may resume here.
    state : dict
        All that changes while it runs: tensors and plain values.

    Raises
    ------
    InputError
        If the place cannot be written.
    """
    with atomic_file(path, binary=True) as file:
        torch.save({"version": CHECKPOINT_VERSION, "run": run, "state": state}, file)


def load_checkpoint(path: Path, run: dict[str, Any]) -> dict[str, Any] | None:
    """Return the state of a run's last checkpoint; None where there is no file.

    It holds tensors and plain values only, so reading a stranger's file runs none of its code.

    Raises
    ------
    InputError
        If the file is no checkpoint, or one of another run.
    """
    if not path.exists():
        return None
    again = "delete it to start anew, or give another file"
    if not path.is_file():  # a pipe would be waited for
        raise InputError(str(path), "", "is no checkpoint", "give another file")
    try:
        found = torch.load(path, weights_only=True)
    except (OSError, EOFError, RuntimeError, ValueError, pickle.UnpicklingError):
        raise InputError(str(path), "", "is no checkpoint", again) from None
    if not isinstance(found, dict) or found.get("version") != CHECKPOINT_VERSION:
        raise InputError(str(path), "", f"is no checkpoint of version {CHECKPOINT_VERSION}", again)
    theirs = found["run"]
    for key in run:
        if theirs.get(key) != run[key]:
            raise InputError(str(path), key, "differs from this run's", again)
    return found["state"]
