"""The one reader of files that a user gives: up to a stated size, from pipes too, and it remembers what it read.

A pipe gives its bytes once. While one command runs, they are kept for whoever reads the pipe again, and the hash of
every file that was read is that of the bytes that were used.
"""

import gzip
import io
import os
import select
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from workloads.foundation.errors import InputError
from workloads.foundation.logs import LOG
from workloads.foundation.quantities import byte_text

MOST_BYTES = 1 << 26  # of a file, and of what it unpacks to: 64 MiB
_CHUNK = 1 << 20
_WAIT_SECONDS = 5  # for someone who writes into a pipe
_GZIP = b"\x1f\x8b"
_Place = tuple[int, int]  # device and number of a file


@dataclass(slots=True)
class _Run:
    """What one command has read: digests by path, where the files lie, and the bytes of pipes."""

    digests: dict[Path, str] = field(default_factory=dict)
    places: set[_Place] = field(default_factory=set)
    pipes: dict[_Place, bytes] = field(default_factory=dict)


_runs: list[_Run] = []


@contextmanager
def one_run() -> Iterator[None]:
    """Remember what is read from here to the end."""
    _runs.append(_Run())
    try:
        yield
    finally:
        _runs.pop()


def note_read(path: Path) -> None:
    """Remember a file that something else than this reader reads, such as a database."""
    if _runs:
        status = path.stat()
        _runs[-1].places.add((status.st_dev, status.st_ino))


def was_read(path: Path) -> bool:
    """Return whether this command has read the file that lies at a path, under whatever name."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return False
    place = status.st_dev, status.st_ino
    return stat.S_ISREG(status.st_mode) and any(place in run.places for run in _runs)


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file as this command read it, or as it is now where it did not."""
    for run in reversed(_runs):
        if path in run.digests:
            return run.digests[path]
    return sha256(path.read_bytes()).hexdigest()


def read_bytes(path: Path, most_bytes: int = MOST_BYTES) -> bytes:
    """Return the bytes of a file, or what a pipe gives until its end.

    Raises
    ------
    InputError
        If the file is missing, cannot be read, or is larger than `most_bytes`, or if nobody writes into the pipe.
    """
    if "\0" in str(path):
        raise InputError(str(path), "", "is no path", "give a path without a zero byte")
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
        try:
            status = os.fstat(descriptor)
            place, is_pipe = (status.st_dev, status.st_ino), stat.S_ISFIFO(status.st_mode)
            data = _runs[-1].pipes.get(place) if _runs and is_pipe else None
            if data is None:
                if status.st_size > most_bytes:
                    raise _too_large(path, most_bytes)
                data = _to_the_end(descriptor, path, most_bytes, is_pipe)
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        raise InputError(str(path), "", "no such file", "check the path") from None
    except OSError as error:
        raise InputError(str(path), "", f"cannot be read: {error.strerror}", "give a readable file") from None
    if not _runs or path not in _runs[-1].digests:
        LOG.debug("read %s, %s", path, byte_text(len(data)))
    if _runs:
        _runs[-1].digests[path] = sha256(data).hexdigest()
        _runs[-1].places.add(place)
        if is_pipe:
            _runs[-1].pipes[place] = data
    return data


def _to_the_end(descriptor: int, path: Path, most_bytes: int, is_pipe: bool) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        try:
            part = os.read(descriptor, _CHUNK)
        except BlockingIOError:  # who writes is there, and still silent
            _wait(descriptor, None)
            continue
        if part:
            parts.append(part)
            size += len(part)
            if size > most_bytes:
                raise _too_large(path, most_bytes)
        elif not is_pipe or parts:
            return b"".join(parts)
        elif not _wait(descriptor, _WAIT_SECONDS):
            raise InputError(
                str(path), "", "is a pipe into which nobody writes", "start the program that writes, or give a file"
            )
        elif _wait(descriptor, 0) == select.POLLHUP:  # someone came, wrote nothing and left
            return b""


def _wait(descriptor: int, seconds: float | None) -> int:
    """Wait until there is something to read, or whoever writes has left; return which, or 0 when the time is over."""
    poller = select.poll()
    poller.register(descriptor, select.POLLIN)
    found = poller.poll(None if seconds is None else seconds * 1000)
    return found[0][1] if found else 0


def _too_large(path: Path, most_bytes: int) -> InputError:
    return InputError(str(path), "", f"has more than {byte_text(most_bytes)}", "give a smaller file")


def read_text(path: Path, most_bytes: int = MOST_BYTES) -> str:
    """Return the text of a file, unpacked if its name ends in ``.gz`` or its bytes begin as a gzip file's do.

    Raises
    ------
    InputError
        As `read_bytes`, or if the file is not UTF-8 text.
    """
    data = read_bytes(path, most_bytes)
    try:
        if path.suffix == ".gz" or data.startswith(_GZIP):
            data = _unpacked(data, path, most_bytes)
        return data.decode()
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise InputError(str(path), "", "not a gzip file, or cut off", "pack it again or drop the .gz") from None
    except UnicodeDecodeError:
        raise InputError(str(path), "", "not UTF-8 text", "save it as UTF-8") from None


def _unpacked(data: bytes, path: Path, most_bytes: int) -> bytes:
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
        unpacked = file.read(most_bytes + 1)
    if len(unpacked) > most_bytes:
        raise InputError(str(path), "", f"unpacks to more than {byte_text(most_bytes)}", "give a smaller file")
    return unpacked
