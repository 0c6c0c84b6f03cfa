"""A store of this program in SQLite: opened by one rule, and never in the place of somebody else's database."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from workloads.foundation.atomic import make_folder
from workloads.foundation.errors import InputError
from workloads.foundation.reading import note_read, was_read

_BUSY_SECONDS = 60.0


@contextmanager
def open_database(
    path: Path, kind: int, tables: Sequence[str], option: str, create: bool = True
) -> Iterator[sqlite3.Connection]:
    """Open a store, and make it where there is none.

    Parameters
    ----------
    path : Path
        Its file; the folder is made.
    kind : int
        What tells stores of this kind from other databases, SQLite's ``application_id``.
    tables : sequence of str
        Statements that make its tables.
    option : str
        Options that name its place, for remedies.
    create : bool
        Whether to make it where there is none.

    Raises
    ------
    InputError
        If it is not there, is not of this kind, is read by this command as something else, or cannot be used.
    """
    other = f"give another {option}"
    if path.exists() and not path.is_file():
        raise InputError(str(path), "", "is no regular file", other)
    if not create and not path.exists():
        raise InputError(str(path), "", "no such store", "run the command that makes it first")
    if was_read(path):
        raise InputError(str(path), "", "is read by this command, and would be overwritten", other)
    place = make_folder(path.parent, str(path)) / path.name
    try:
        database = sqlite3.connect(place, timeout=_BUSY_SECONDS)
        try:
            if _is_new(database, kind, path, other):
                with database:
                    database.execute("BEGIN IMMEDIATE")
                    for statement in (f"PRAGMA application_id = {kind}", *tables):
                        database.execute(statement)
            note_read(place)
            yield database
        finally:
            database.close()
    except sqlite3.DatabaseError as error:
        raise _as_input_error(error, path, other) from None


def checksum(*values: Any) -> bytes:
    """Return what tells that a row is whole."""
    return sha256(repr(values).encode()).digest()


def _is_new(database: sqlite3.Connection, kind: int, path: Path, other: str) -> bool:
    """Return whether a database is empty, and so nobody's; refuse somebody else's before anything is written."""
    with database:
        database.execute("BEGIN")  # one look, while another run may make the store
        found = database.execute("PRAGMA application_id").fetchone()[0]
        empty = database.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0] == 0
    if found != kind and not (found == 0 and empty):
        raise InputError(str(path), "", "is a database of another program or version", other)
    return empty


def _as_input_error(error: sqlite3.DatabaseError, path: Path, other: str) -> InputError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the rest tells more of the same
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return InputError(str(path), "", "another run writes there", f"wait for its end, or {other}")
    if code == sqlite3.SQLITE_FULL:
        return InputError(str(path), "", f"cannot be written: {error}",
                          "make room and run the same command again; what is kept stays")  # fmt: skip
    if code == sqlite3.SQLITE_NOTADB:
        return InputError(str(path), "", "is no store", other)
    if code == sqlite3.SQLITE_CORRUPT:
        return InputError(str(path), "", f"is damaged: {error}", f"remove it and run the command again, or {other}")
    return InputError(str(path), "", f"cannot be used: {error}", other)
