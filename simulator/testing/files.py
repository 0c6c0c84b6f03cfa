"""Importers of files: what is no file of the format is refused in one line, and never with another error."""

from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from simulator.testing.ladder import hold
from workloads.foundation.errors import InputError

_RANDOM = Random(0)
_DAMAGED = (b"", b"\n", b"\0", b"\xff\xfe", b"name, 1, 2\n" * 3, b"[section]\nkey = value\n", b"{", b"1e999 -3 nan\n",
            *(_RANDOM.randbytes(size) for size in (1, 20, 300)))  # fmt: skip


def check_importer(suffixes: Sequence[str], read: Callable[[Path], Any], of: Callable[[Path], Any], own: Any) -> None:
    """Check what an importer does with damaged files, and that files of its endings are its own.

    Parameters
    ----------
    suffixes : sequence of str
        The endings of its files.
    read : callable
        Reads a file.
    of : callable
        Returns the importer of a file by the file's name.
    own : object
        The importer.
    """
    hold(suffixes, "no file's name ends as its files do")
    for suffix in suffixes:
        hold(suffix == suffix.lower() and suffix.startswith("."), f"the ending {suffix!r} is none in small letters")
        found = of(Path(f"file{suffix}"))
        hold(found is own, f"files that end in {suffix} are read by {getattr(found, 'name', found)}")
        check_damaged(suffix, read)


def check_damaged(suffix: str, read: Callable[[Path], Any]) -> None:
    """Check that a damaged file is read, or refused in a line that names it."""
    with TemporaryDirectory() as folder:
        for number, data in enumerate(_DAMAGED):
            path = Path(folder) / f"damaged{number}{suffix}"
            path.write_bytes(data)
            try:
                read(path)
            except InputError as error:
                hold(str(path) in str(error), f"the error does not name the file: {error}")
            except Exception as error:
                raise AssertionError(f"{data[:20]!r} as a file ends in {type(error).__name__}: {error}") from error
