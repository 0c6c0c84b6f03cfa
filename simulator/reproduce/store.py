"""Results of jobs on disk, each kept as soon as it is there, so that a broken-off run goes on where it stopped."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from simulator.reproduce.jobs.job import Job, Plain, job_key
from simulator.reproduce.sources import Sources
from workloads.foundation.errors import InputError

STORE_NAME = "jobs.sqlite"


class Store:
    """Results by job; one is used as long as what it depends on is the same (`simulator.reproduce.sources`)."""

    def __init__(self, database: sqlite3.Connection, sources: Sources) -> None:
        self._database, self._sources = database, sources

    def find(self, job: Job) -> Plain | None:
        """Return a job's result, or None."""
        asked = (job_key(job), self._sources.digest(job))
        row = self._database.execute("SELECT result FROM results WHERE job = ? AND sources = ?", asked).fetchone()
        return None if row is None else json.loads(row[0])

    def keep(self, results: Iterable[tuple[Job, Plain]]) -> None:
        """Keep results, all of them or none, each in the place of an older one."""
        rows = [(job_key(job), self._sources.digest(job), json.dumps(found)) for job, found in results]
        with self._database:
            self._database.executemany("INSERT OR REPLACE INTO results VALUES (?, ?, ?)", rows)


@contextmanager
def open_store(folder: Path) -> Iterator[Store]:
    """Open the store of an output folder.

    Raises
    ------
    InputError
        If the folder cannot be written, or the file is no store.
    """
    path = folder / STORE_NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(path)
        try:
            with database:
                database.execute("CREATE TABLE IF NOT EXISTS results (job TEXT PRIMARY KEY, sources TEXT, result TEXT)")
                for table in ("jobs", "project"):  # of the format before
                    database.execute(f"DROP TABLE IF EXISTS {table}")
            yield Store(database, Sources())
        finally:
            database.close()
    except sqlite3.DatabaseError as error:
        raise InputError(str(path), "", f"cannot be used: {error}", "remove it, or give another --out") from None
    except OSError as error:
        raise InputError("--out", str(folder), f"cannot be written: {error.strerror}", "give another folder") from None
