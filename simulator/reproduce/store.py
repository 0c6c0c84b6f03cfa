"""Results of jobs on disk, each kept as soon as it is there, so that a broken-off run goes on where it stopped."""

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import simulator
from simulator.reproduce.job import Job, Plain, job_key
from workloads.foundation.errors import InputError
from workloads.foundation.shipped import shipped_folder

STORE_NAME = "jobs.sqlite"
# Pictures and words may change without a job's result changing with them.
_NO_RESULT_IN = ("simulator/cli", "simulator/outputs", "simulator/reproduce/exhibits", "workloads/pytorch")


class Store:
    """Results by job; those that other code or other shipped files made are not used."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def find(self, job: Job) -> Plain | None:
        """Return a job's result, or None."""
        row = self._database.execute("SELECT result FROM jobs WHERE job = ?", (job_key(job),)).fetchone()
        return None if row is None else json.loads(row[0])

    def keep(self, results: Iterable[tuple[Job, Plain]]) -> None:
        """Keep results, all of them or none."""
        with self._database:
            self._database.executemany(
                "INSERT OR REPLACE INTO jobs VALUES (?, ?)",
                [(job_key(job), json.dumps(found)) for job, found in results],
            )


@contextmanager
def open_store(folder: Path) -> Iterator[Store]:
    """Open the store of an output folder, and empty it if it was made by another state of the project.

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
                database.execute("CREATE TABLE IF NOT EXISTS project (digest TEXT)")
                database.execute("CREATE TABLE IF NOT EXISTS jobs (job TEXT PRIMARY KEY, result TEXT)")
                digest = project_digest()
                if database.execute("SELECT digest FROM project").fetchall() != [(digest,)]:
                    database.execute("DELETE FROM jobs")
                    database.execute("DELETE FROM project")
                    database.execute("INSERT INTO project VALUES (?)", (digest,))
            yield Store(database)
        finally:
            database.close()
    except sqlite3.DatabaseError as error:
        raise InputError(str(path), "", f"cannot be used: {error}", "remove it, or give another --out") from None
    except OSError as error:
        raise InputError("--out", str(folder), f"cannot be written: {error.strerror}", "give another folder") from None


def project_digest() -> str:
    """Return a digest of all code and shipped files that results depend on."""
    root = Path(simulator.__file__).resolve().parent.parent
    files = [path for package in ("workloads", "dataflows", "simulator") for path in (root / package).rglob("*.py")]
    files = [path for path in files if not path.relative_to(root).as_posix().startswith(_NO_RESULT_IN)]
    for name in ("configs", "traces"):
        files += [path for path in shipped_folder(name).rglob("*") if path.is_file() and path.suffix != ".py"]
    total = hashlib.sha256()
    for path in sorted(files):
        total.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()
