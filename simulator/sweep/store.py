"""Results of points in SQLite: one row a point, kept as soon as it is there, shared by sweeps and by runs at once."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from simulator.jobs.outcome import Done, Lost, Outcome
from simulator.sweep.point import TOTALS, Point
from workloads.foundation.errors import InputError

STORE_NAME = "results.sqlite"
_BUSY_SECONDS = 60.0
_TABLES = f"""
CREATE TABLE IF NOT EXISTS results (
    key TEXT PRIMARY KEY, model TEXT NOT NULL, {", ".join(TOTALS)}, reason TEXT, again INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS points (
    sweep TEXT NOT NULL, number INTEGER NOT NULL, key TEXT NOT NULL, point TEXT NOT NULL, PRIMARY KEY (sweep, number)
) WITHOUT ROWID;
"""


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
        """Return those of some keys that need no computation any more."""
        query = f"SELECT key FROM results WHERE NOT again AND key IN ({','.join('?' * len(keys))})"
        return {row[0] for row in self._database.execute(query, keys)}

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
        marks = ",".join("?" * (len(TOTALS) + 4))
        with self._database:
            self._database.executemany(
                f"INSERT INTO results VALUES ({marks}) ON CONFLICT (key) DO UPDATE SET "
                f"{', '.join(f'{name} = excluded.{name}' for name in (*TOTALS, 'reason', 'again'))} WHERE again",
                rows,
            )

    def rows(self, sweep: str, first: int = 0) -> Iterator[Kept]:
        """Yield the points of a sweep from a number on, in their order."""
        query = f"""SELECT number, points.key, point, model, {", ".join(TOTALS)}, reason
            FROM points LEFT JOIN results ON results.key = points.key WHERE sweep = ? AND number >= ? ORDER BY number"""
        for number, key, point, model, *rest in self._database.execute(query, (sweep, first)):
            *found, reason = rest
            totals = None if found[0] is None else dict(zip(TOTALS, found, strict=True))
            yield Kept(number, key, Point(**json.loads(point)), model, totals, reason)

    def counts(self, sweep: str) -> dict[str, int]:
        """Return how many points of a sweep are `done`, `failed` and `missing`, and how many rows are `stale`."""
        query = f"""SELECT COUNT(*), COUNT({TOTALS[0]}), COUNT(reason)
            FROM points LEFT JOIN results ON results.key = points.key WHERE sweep = ?"""
        total, done, failed = self._database.execute(query, (sweep,)).fetchone()
        stale = self._database.execute("SELECT COUNT(*) FROM results WHERE model != ?", (self.model,)).fetchone()[0]
        return {"done": done, "failed": failed, "missing": total - done - failed, "stale": stale}


def _columns(outcome: Outcome[tuple[int | float, ...]]) -> tuple[Any, ...]:
    """Return the columns of an outcome: totals, reason, and whether another try may succeed."""
    if isinstance(outcome, Done):
        return (*outcome.result, None, 0)
    return (*(None,) * len(TOTALS), outcome.reason, int(isinstance(outcome, Lost)))


@contextmanager
def open_store(path: Path, model: str, create: bool = True) -> Iterator[Store]:
    """Open a store.

    Raises
    ------
    InputError
        If it is not there, cannot be written, or is none.
    """
    if not create and not path.exists():
        raise InputError(str(path), "", "no such store", "run adagp-sim sweep first")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(path, timeout=_BUSY_SECONDS)
        try:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = NORMAL")
            with database:
                database.executescript(_TABLES)
            yield Store(database, model)
        finally:
            database.close()
    except OSError as error:
        raise InputError(str(path), "", f"cannot be written: {error.strerror}", "give another folder") from None
    except sqlite3.DatabaseError as error:
        remedy = "make room and run the same command again; what is kept stays" if "full" in str(error) else \
                 "remove it, or give another --out or --store"  # fmt: skip
        raise InputError(str(path), "", f"cannot be used: {error}", remedy) from None
