"""Write a file or a folder of files whole or not at all.

New contents are written beside their place and moved there when they are complete, so that a kill or a full disk
leaves the old file or the new one. A link is followed. What is no regular file (a device, a pipe) is written through.
A new file has the mode that the user's umask gives; a file that is replaced keeps its own.
"""

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from workloads.foundation.errors import InputError

_REMEDY = "give another place"


@contextmanager
def atomic_file(path: Path, binary: bool = False) -> Iterator[IO[Any]]:
    """Give an open file to write; what it holds at the end takes `path`'s place. Missing folders are made.

    Raises
    ------
    InputError
        If the place cannot be written. Nothing has changed then, as on any other error.
    """
    mode, encoding = ("wb", None) if binary else ("w", "utf-8")
    newline = None if binary else ""  # lines end as they are written, on every system
    missing = _missing_folders(path.parent)
    try:
        if _written_through(path):
            with path.open(mode, encoding=encoding, newline=newline) as file:
                yield file
            return
        target = path.resolve()
        if target.is_dir():
            raise InputError(str(path), "", "is a folder, and a file goes there", _REMEDY)
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{target.name[:100]}.", dir=target.parent)
        staged = Path(name)
        try:
            with os.fdopen(handle, mode, encoding=encoding, newline=newline) as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            staged.chmod(stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o666 & ~_umask())
            staged.replace(target)
        except BaseException:
            staged.unlink(missing_ok=True)
            raise
    except BaseException as error:
        _remove_empty(missing)
        if isinstance(error, OSError):
            raise InputError(str(path), "", f"cannot be written: {error.strerror}", _REMEDY) from None
        raise


def check_writable(path: Path) -> None:
    """Make sure that a file can be written, before the hours whose result it is to hold; nothing is left behind.

    Raises
    ------
    InputError
        If it cannot.
    """
    if _written_through(path):
        return
    target = path.resolve()
    if target.is_dir():
        raise InputError(str(path), "", "is a folder, and a file goes there", _REMEDY)
    missing = _missing_folders(target.parent)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=target.parent).close()
    except OSError as error:
        raise InputError(str(path), "", f"cannot be written: {error.strerror}", _REMEDY) from None
    finally:
        _remove_empty(missing)


@contextmanager
def atomic_folder(folder: Path, names: Sequence[str], where: str = "--out") -> Iterator[Path]:
    """Give a hidden folder to write into; what is there at the end replaces `folder`'s entries of these names.

    On any error nothing of `folder` has changed and the hidden one is gone. Other entries of `folder` are left alone.

    Parameters
    ----------
    folder : Path
        The folder; it and its parents are made.
    names : sequence of str
        What may be written, and what an earlier call may have left; a folder's name ends in ``/``. They are moved in
        this order.
    where : str
        The option that names the folder, for errors.

    Raises
    ------
    InputError
        If the folder cannot be written, before anything else is done.
    """
    if str(folder) == ".":
        raise InputError(where, "", "names no folder of its own", "give a folder's name")
    missing = _missing_folders(folder)
    try:
        for parent in (folder, *folder.parents):
            if parent.exists() and not parent.is_dir():
                raise InputError(where, str(folder), f"{parent} is a file", "give a folder")
        for name in names:
            if (folder / name).is_dir() and not name.endswith("/"):
                raise InputError(where, str(folder / name), "is a folder, and a file goes there", "give another folder")
        folder.parent.mkdir(parents=True, exist_ok=True)
        home = folder if folder.exists() else folder.parent
        stage = Path(tempfile.mkdtemp(prefix=".adagp-sim-", dir=home))
    except OSError as error:
        _remove_empty(missing)
        raise InputError(where, str(folder), f"cannot be written: {error.strerror}", "give another folder") from None
    try:
        yield stage
        if folder.exists():
            _replace(stage, folder, names)
        else:
            stage.chmod(0o777 & ~_umask())
            stage.rename(folder)
    except BaseException as error:
        shutil.rmtree(stage, ignore_errors=True)
        _remove_empty(missing)
        if isinstance(error, OSError):
            problem = f"cannot be written: {error.strerror}"
            raise InputError(where, str(folder), problem, "give another folder") from None
        raise


def _replace(stage: Path, folder: Path, names: Sequence[str]) -> None:
    unknown = {path.name for path in stage.iterdir()} - {name.rstrip("/") for name in names}
    assert not unknown, f"written but not among the names: {unknown}"
    for name in names:
        old, new = folder / name, stage / name
        if old.is_dir() and not old.is_symlink():
            shutil.rmtree(old)
        elif not new.is_file():
            old.unlink(missing_ok=True)
        if new.exists():
            new.replace(old)
    stage.rmdir()


def _written_through(path: Path) -> bool:
    """Return whether a path is a device, a pipe, or a stream of a process such as ``/dev/stdout``."""
    system = any(folder in path.absolute().parents for folder in (Path("/dev"), Path("/proc")))
    return path.exists() and not path.is_dir() and (system or not path.is_file())


def _missing_folders(folder: Path) -> list[Path]:
    with suppress(OSError):
        return [parent for parent in (folder, *folder.parents) if not parent.exists()]
    return []


def _remove_empty(folders: Sequence[Path]) -> None:
    for folder in folders:
        with suppress(OSError):  # one that is not there, or that holds something
            folder.rmdir()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
