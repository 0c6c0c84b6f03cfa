"""Results of jobs on disk, each kept as soon as it is there, so that a run that was stopped can resume."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from simulator.jobs.database import open_database
from simulator.reproduce.jobs.job import Job, Plain, job_key
from simulator.reproduce.sources import Sources

STORE_NAME = "jobs.sqlite"
_KIND = int.from_bytes(b"AGPj")
_TABLES = ("CREATE TABLE IF NOT EXISTS kept (job TEXT PRIMARY KEY, sources TEXT, result BLOB, checksum BLOB)",)


class Store:
    """Results by job; one is used as long as what it depends on is the same (`simulator.reproduce.sources`).

    A row has a checksum: one that was damaged or changed counts as missing, and is made again.
    """

    def __init__(self, database: sqlite3.Connection, sources: Sources) -> None:
        self._database, self.sources = database, sources

    def find(self, job: Job) -> Plain | None:
        """Return a job's result, or None."""
        asked = (job_key(job), self.sources.digest(job))
        query = "SELECT result, checksum FROM kept WHERE job = ? AND sources = ?"
        row = self._database.execute(query, asked).fetchone()
        return None if row is None or row[1] != _checksum(*asked, row[0]) else json.loads(row[0])

    def keep(self, results: Iterable[tuple[Job, Plain]]) -> None:
        """Keep results, all of them or none, each in the place of an older one."""
        found = [(job_key(job), self.sources.digest(job), json.dumps(one).encode()) for job, one in results]
        rows = [(*row, _checksum(*row)) for row in found]
        with self._database:
            self._database.executemany("INSERT OR REPLACE INTO kept VALUES (?, ?, ?, ?)", rows)


def _checksum(job: str, sources: str, result: object) -> bytes | None:
    """Return what tells a row that is whole; None for one whose result is of another kind."""
    return sha256(f"{job}\n{sources}\n".encode() + result).digest() if isinstance(result, bytes) else None


@contextmanager
def open_store(folder: Path) -> Iterator[Store]:
    """Open the store of an output folder.

    Raises
    ------
    InputError
        If the folder cannot be written, another run writes there, or the file is no store.
    """
    with open_database(folder / STORE_NAME, _KIND, _TABLES, "--out") as database:
        yield Store(database, Sources())
