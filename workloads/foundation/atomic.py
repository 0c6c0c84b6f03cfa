"""Write a file or a folder of files whole or not at all.

New contents are written beside their place and moved there when they are complete, so that a kill or a full disk
leaves the old file or the new one. A link is followed. What is no regular file (a device, a pipe) is written through.
A new file has the mode that the user's umask gives; a file that is replaced keeps its own.

What is written lies under a hidden name and is locked while its process lives. A kill leaves it there, and the next
call that writes beside it removes it (docs/decisions/0051-leftovers-are-locked.md).
"""

import fcntl
import os
import shutil
import signal
import stat
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from workloads.foundation.errors import InputError
from workloads.foundation.reading import was_read

_REMEDY = "give another place"
_HIDDEN = ".adagp-sim-"
_YOUNG_SECONDS = 10.0  # what is younger may wait for its lock


@contextmanager
def atomic_file(path: Path, binary: bool = False) -> Iterator[IO[Any]]:
    """Give an open file to write; what it holds at the end takes `path`'s place. Missing folders are made.

    Raises
    ------
    InputError
        If the place cannot be written, or this command has read the file. Nothing has changed then, as on any other
        error.
    """
    mode, encoding = ("wb", None) if binary else ("w", "utf-8")
    newline = None if binary else ""  # lines end as they are written, on every system
    if _written_through(path):
        with _as_input_error(str(path), ""), path.open(mode, encoding=encoding, newline=newline) as file:
            yield file
        return
    target = _output_target(path)
    missing = _missing_folders(target.parent)
    try:
        with _as_input_error(str(path), ""):
            target.parent.mkdir(parents=True, exist_ok=True)
            _remove_leftovers(target.parent)
            handle, name = tempfile.mkstemp(prefix=_HIDDEN, dir=target.parent)
            staged = Path(name)
            try:
                with os.fdopen(handle, mode, encoding=encoding, newline=newline) as file:
                    _lock(file.fileno())
                    yield file
                    file.flush()
                    os.fsync(file.fileno())
                    staged.chmod(stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o666 & ~_umask())
                    staged.replace(target)
            except BaseException:
                staged.unlink(missing_ok=True)
                raise
    except BaseException:
        _remove_empty(missing)
        raise


def check_writable(path: Path) -> None:
    """Make sure that a file can be written, before the hours whose result it is to hold; nothing is left behind.

    Raises
    ------
    InputError
        If it cannot, or if this command has read the file: an output takes no input's place.
    """
    if _written_through(path):
        return
    target = _output_target(path)
    missing = _missing_folders(target.parent)
    try:
        with _as_input_error(str(path), ""):
            target.parent.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=target.parent).close()
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
        If the folder cannot be written, or this command has read a file that would be replaced, before anything else
        is done.
    """
    if str(folder) == ".":
        raise InputError(where, "", "names no folder of its own", "give a folder's name")
    target = _resolved(folder)
    missing = _missing_folders(target)
    try:
        with _as_input_error(where, str(folder)):
            _check_folder(folder, target, names, where)
            target.parent.mkdir(parents=True, exist_ok=True)
            for home in (target, target.parent):
                _remove_leftovers(home)
            stage = Path(tempfile.mkdtemp(prefix=_HIDDEN, dir=target if target.exists() else target.parent))
            lock = os.open(stage, os.O_RDONLY | os.O_CLOEXEC)
            try:
                _lock(lock)
                yield stage
                if target.exists():
                    _replace(stage, target, names)
                else:
                    stage.chmod(0o777 & ~_umask())
                    stage.rename(target)
            except BaseException:
                shutil.rmtree(stage, ignore_errors=True)
                raise
            finally:
                os.close(lock)
    except BaseException:
        _remove_empty(missing)
        raise


def make_folder(folder: Path, where: str) -> Path:
    """Make a folder and its parents, and return where it is; ``NEW/../y`` makes no NEW.

    Raises
    ------
    InputError
        If it cannot be made.
    """
    with _as_input_error(where, str(folder)):
        found = _resolved(folder)
        found.mkdir(parents=True, exist_ok=True)
    return found


def _check_folder(folder: Path, target: Path, names: Sequence[str], where: str) -> None:
    for parent in (target, *target.parents):
        if parent.exists() and not parent.is_dir():
            raise InputError(where, str(folder), f"{parent} is a file", "give a folder")
    for name in names:
        if (target / name).is_dir() and not name.endswith("/"):
            raise InputError(where, str(folder / name), "is a folder, and a file goes there", "give another folder")
        if was_read(target / name):
            problem = "is read by this command, and would be overwritten"
            raise InputError(where, str(folder / name), problem, "give another folder")


def _replace(stage: Path, folder: Path, names: Sequence[str]) -> None:
    unknown = {path.name for path in stage.iterdir()} - {name.rstrip("/") for name in names}
    assert not unknown, f"written but not among the names: {unknown}"
    with _undisturbed():
        for name in names:
            old, new = folder / name, stage / name
            if old.is_dir() and not old.is_symlink():
                shutil.rmtree(old)
            elif not new.is_file():
                old.unlink(missing_ok=True)
            if new.exists():
                new.replace(old)
        stage.rmdir()


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Let signals that end the process wait until the end."""
    came: list[int] = []
    before: dict[int, Any] = {}
    with suppress(ValueError):  # not in the main thread, where no signal ends what runs
        for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            before[one] = signal.signal(one, lambda number, _: came.append(number))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for number in came:
            signal.raise_signal(number)


def _remove_leftovers(folder: Path) -> None:
    """Remove what killed processes left in a folder: hidden entries of ours that no process has locked."""
    with suppress(OSError):
        for entry in folder.glob(f"{_HIDDEN}*"):
            with suppress(OSError):
                if time.time() - entry.lstat().st_mtime < _YOUNG_SECONDS or entry.is_symlink():
                    continue
                handle = os.open(entry, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    if entry.is_dir():
                        shutil.rmtree(entry, ignore_errors=True)
                    else:
                        entry.unlink()
                finally:
                    os.close(handle)


def _lock(handle: int) -> None:
    """Lock a file or folder until its process ends; on a file system without locks it stays without."""
    with suppress(OSError):
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def _as_input_error(where: str, key: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(where, key, f"cannot be written: {error.strerror}", _REMEDY) from None


def _resolved(path: Path) -> Path:
    """Return where a path leads: through its links, and without ``..``."""
    if "\0" in str(path):
        raise InputError(str(path), "", "is no path", "give a path without a zero byte")
    return Path(os.path.realpath(path))


def _file_target(path: Path) -> Path:
    target = _resolved(path)
    if stat.S_ISDIR(_mode(target)):
        raise InputError(str(path), "", "is a folder, and a file goes there", _REMEDY)
    return target


def _output_target(path: Path) -> Path:
    """Return the file that an output replaces; no output takes an input's place."""
    target = _file_target(path)
    if was_read(target):
        raise InputError(str(path), "", "is read by this command, and would be overwritten", _REMEDY)
    return target


def _written_through(path: Path) -> bool:
    """Return whether a path is a device, a pipe, or a stream of a process such as ``/dev/stdout``."""
    system = any(folder in path.absolute().parents for folder in (Path("/dev"), Path("/proc")))
    mode = _mode(path)
    return bool(mode) and not stat.S_ISDIR(mode) and (system or not stat.S_ISREG(mode))


def _mode(path: Path) -> int:
    """Return what lies at a path, through links; 0 for nothing."""
    try:
        return path.stat().st_mode
    except (OSError, ValueError):
        return 0


def _missing_folders(folder: Path) -> list[Path]:
    return [parent for parent in (folder, *folder.parents) if not os.path.lexists(parent)]


def _remove_empty(folders: Sequence[Path]) -> None:
    for folder in folders:
        with suppress(OSError):  # one that is not there, or that holds something
            folder.rmdir()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
