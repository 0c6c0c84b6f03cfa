"""Results of points in SQLite: one row a point, kept as soon as it is there, shared by sweeps and by runs at once."""

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from simulator.jobs.database import checksum, open_database
from simulator.jobs.outcome import Done, Lost, Outcome
from simulator.sweep.point import TOTALS, Point
from workloads.foundation.errors import InputError

STORE_NAME = "results.sqlite"
_TRIES, _TRY_SECONDS = 300, 0.1
_KIND = int.from_bytes(b"AGPs")
_COLUMNS = (*TOTALS, "reason", "again")
_TABLES = (
    f"""CREATE TABLE IF NOT EXISTS results (
        key TEXT PRIMARY KEY, model TEXT NOT NULL, {", ".join(_COLUMNS)}, checksum BLOB NOT NULL
    ) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS points (
        sweep TEXT NOT NULL, number INTEGER NOT NULL, key TEXT NOT NULL, point TEXT NOT NULL,
        PRIMARY KEY (sweep, number)
    ) WITHOUT ROWID""",
)


@dataclass(frozen=True, slots=True)
class Keyed:
    """A point with its key."""

    key: str
    point: Point


@dataclass(frozen=True, slots=True)
class Kept:
    """A point of a sweep as the store has it: `totals` by name, or the reason why there are none; neither yet."""

    number: int
    key: str
    point: Point
    model: str | None
    totals: dict[str, Any] | None
    reason: str | None


class Store:
    """The results of points.

    Parameters
    ----------
    database : sqlite3.Connection
    model : str
        The version of the model that computes results now.
    """

    def __init__(self, database: sqlite3.Connection, model: str) -> None:
        self._database, self.model = database, model

    def finished(self, keys: Sequence[str]) -> set[str]:
        """Return those of some keys that need no computation any more; forget rows that were damaged or changed."""
        query = f"""SELECT key, model, {", ".join(_COLUMNS)}, checksum FROM results
            WHERE key IN ({",".join("?" * len(keys))})"""
        whole: list[list[Any]] = []
        damaged: list[list[Any]] = []
        for *row, kept in self._database.execute(query, keys):
            (whole if kept == checksum(*row) else damaged).append(row)
        with self._database:
            self._database.executemany("DELETE FROM results WHERE key = ?", [(row[0],) for row in damaged])
        return {row[0] for row in whole if not row[-1]}

    def place(self, sweep: str, first: int, points: Sequence[Keyed]) -> None:
        """Write down the points of a sweep from a number on."""
        rows = [(sweep, first + index, one.key, json.dumps(asdict(one.point))) for index, one in enumerate(points)]
        with self._database:
            self._database.executemany("INSERT OR REPLACE INTO points VALUES (?, ?, ?, ?)", rows)

    def cut(self, sweep: str, count: int) -> None:
        """Forget points of a sweep behind its last one."""
        with self._database:
            self._database.execute("DELETE FROM points WHERE sweep = ? AND number >= ?", (sweep, count))

    def keep(self, found: Iterable[tuple[Keyed, Outcome[tuple[int | float, ...]]]]) -> None:
        """Keep what became of points, all of them or none; a result is never replaced by a failure."""
        rows = [(one.key, self.model, *_columns(outcome)) for one, outcome in found]
        columns = (*_COLUMNS, "checksum")
        with self._database:
            self._database.executemany(
                f"INSERT INTO results VALUES ({','.join('?' * (len(columns) + 2))}) ON CONFLICT (key) DO UPDATE SET "
                f"{', '.join(f'{name} = excluded.{name}' for name in ('model', *columns))} WHERE again",
                [(*row, checksum(*row)) for row in rows],
            )

    def rows(self, sweep: str, first: int = 0) -> Iterator[Kept]:
        """Yield the points of a sweep from a number on, in their order; a row that is not whole counts as missing.

        Raises
        ------
        InputError
            If a point's own text is damaged.
        """
        query = f"""SELECT number, point, points.key, model, {", ".join(_COLUMNS)}, checksum
            FROM points LEFT JOIN results ON results.key = points.key WHERE sweep = ? AND number >= ? ORDER BY number"""
        for number, point, key, *rest, kept in self._database.execute(query, (sweep, first)):
            model, *found, reason, _ = rest if kept == checksum(key, *rest) else (None,) * len(rest)
            totals = None if found[0] is None else dict(zip(TOTALS, found, strict=True))
            yield Kept(number, key, _point(point, number), model, totals, reason)

    def stale(self) -> int:
        """Return how many rows another version of the model computed."""
        query = "SELECT COUNT(*) FROM results WHERE model != ?"
        return int(self._database.execute(query, (self.model,)).fetchone()[0])


def _point(text: Any, number: int) -> Point:
    try:
        return Point(**json.loads(text))
    except (ValueError, TypeError):
        raise InputError("the store", f"point {number}", "is damaged", "run the sweep again") from None


def _columns(outcome: Outcome[tuple[int | float, ...]]) -> tuple[Any, ...]:
    """Return the columns of an outcome: totals, reason, and whether another try may succeed."""
    if isinstance(outcome, Done):
        return (*outcome.result, None, 0)
    return (*(None,) * len(TOTALS), outcome.reason, int(isinstance(outcome, Lost)))


def _share(database: sqlite3.Connection) -> None:
    """Let runs write at once. SQLite does not wait here for another run that does the same, so this does."""
    for _ in range(_TRIES):
        try:
            database.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            time.sleep(_TRY_SECONDS)
    database.execute("PRAGMA journal_mode = WAL")


@contextmanager
def open_store(path: Path, model: str, create: bool = True) -> Iterator[Store]:
    """Open a store.

    Raises
    ------
    InputError
        If it is not there, cannot be written, or is none.
    """
    with open_database(path, _KIND, _TABLES, "--out or --store", create) as database:
        _share(database)
        database.execute("PRAGMA synchronous = NORMAL")
        yield Store(database, model)
