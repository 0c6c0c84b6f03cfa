"""Write a folder of files whole or not at all."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workloads.foundation.errors import InputError

# What an earlier run with other options may have left in the folder.
OUTPUT_NAMES = (
    "summary.json", "layers.csv", "config.resolved.yaml", "timeline.json", "comparison.png", "layers.png",
    "stages.csv", "operations.csv", "pipeline.png", "provenance.json",
)  # fmt: skip


@contextmanager
def staged_output(folder: Path) -> Iterator[Path]:
    """Give a hidden folder to write into; what is there at the end replaces `folder`'s outputs.

    On any error nothing of `folder` has changed and the hidden one is gone. Other files in
    `folder` are left alone.

    Raises
    ------
    InputError
        If the folder cannot be written, before anything else is done.
    """
    if str(folder) == ".":
        raise InputError("--out", "", "names no folder of its own", "give a folder's name")
    missing = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    try:
        for parent in (folder, *folder.parents):
            if parent.exists() and not parent.is_dir():
                raise InputError("--out", str(folder), f"{parent} is a file", "give a folder")
        for name in OUTPUT_NAMES:
            if (folder / name).is_dir():
                raise InputError(
                    "--out", str(folder / name), "is a folder, and a file goes there", "give another folder"
                )
        folder.parent.mkdir(parents=True, exist_ok=True)
        home = folder if folder.exists() else folder.parent
        stage = Path(tempfile.mkdtemp(prefix=".adagp-sim-", dir=home))
    except OSError as error:
        _remove_empty(missing)
        raise InputError("--out", str(folder), f"cannot be written: {error.strerror}", "give another folder") from None
    try:
        yield stage
        if folder.exists():
            _replace(stage, folder)
        else:
            stage.chmod(0o777 & ~_umask())
            stage.rename(folder)
    except BaseException as error:
        shutil.rmtree(stage, ignore_errors=True)
        _remove_empty(missing)
        if isinstance(error, OSError):
            raise InputError(
                "--out", str(folder), f"cannot be written: {error.strerror}", "give another folder"
            ) from None
        raise


def _replace(stage: Path, folder: Path) -> None:
    for name in OUTPUT_NAMES:
        if not (stage / name).exists():
            (folder / name).unlink(missing_ok=True)
    for path in sorted(stage.iterdir(), key=lambda path: OUTPUT_NAMES.index(path.name)):
        path.replace(folder / path.name)
    stage.rmdir()


def _remove_empty(folders: list[Path]) -> None:
    for folder in folders:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
