"""What a sweep came to: a row for each point, and the front of the best ones."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING, Any

from simulator.outputs.units import in_readable_unit
from simulator.sweep.objectives import Objectives, Row
from simulator.sweep.point import Point
from simulator.sweep.space import Space
from simulator.sweep.store import Kept, Store

if TYPE_CHECKING:
    import pandas

NOT_DONE = "not computed yet"


def rows_of(kept: Iterable[Kept]) -> Iterator[Row]:
    """Yield a row for each point: its settings, its totals, and both beside the baseline of the same machine."""
    for _, group in groupby(kept, key=lambda one: one.point.apart_from_design):
        of_machine = list(group)
        base = next((one.totals for one in of_machine if one.point.design == "baseline" and one.totals), None)
        for one in of_machine:
            yield {"point": one.number, **_settings(one.point), **_results(one, base)}


def _settings(point: Point) -> Row:
    run = {"batch_size": point.batch_size, "schedule": point.schedule}
    return {
        "trace": point.trace,
        **{name: value for name, value in run.items() if value is not None},
        **point.values,
        "design": point.design,
    }


def _results(one: Kept, base: Mapping[str, Any] | None) -> Row:
    totals = one.totals
    if totals is None:
        return {"reason": one.reason or NOT_DONE}
    beside = {} if base is None else {
        "speedup": base["cycles"] / totals["cycles"], "energy_reduction": 1 - totals["energy_pj"] / base["energy_pj"],
    }  # fmt: skip
    return {**totals, **beside, "reason": None}


@dataclass(frozen=True)
class SweepResults:
    """The rows of a sweep.

    Attributes
    ----------
    name : str
        What the sweep is called.
    rows : list of dict
        A row for each point: its settings by key, its results by name, and `reason`, a line, where it has none.
    stale : int
        Rows of the store that another version of the model computed.
    objectives : Objectives
        What is asked of a point.
    """

    name: str
    rows: list[Row]
    stale: int
    objectives: Objectives
    _points: dict[int, Point]

    @classmethod
    def read(cls, space: Space, name: str, sweep: str, store: Store) -> "SweepResults":
        """Return the results of a sweep that a store has."""
        kept = list(store.rows(sweep))
        points = {one.number: one.point for one in kept}
        return cls(name, list(rows_of(kept)), store.stale(), Objectives(space), points)

    @property
    def done(self) -> list[Row]:
        """The rows that have results."""
        return [row for row in self.rows if row["reason"] is None]

    @property
    def failed(self) -> list[Row]:
        """The rows that have none."""
        return [row for row in self.rows if row["reason"] is not None]

    @cached_property
    def front(self) -> list[Row]:
        """The rows that no other row beats: as good in every objective, and better in one."""
        values = [self.objectives.values(row) for row in self.done]
        return [self.done[index] for index in front_of(values)]

    @property
    def keys(self) -> list[str]:
        """The settings in which points differ."""
        names = dict.fromkeys(key for row in self.rows for key in row)
        after = [*names].index("design") if "design" in names else 0
        return [name for name in list(names)[1 : after + 1] if len({str(row.get(name)) for row in self.rows}) > 1]

    def point(self, row: Row) -> Point:
        """Return what was simulated for a row."""
        return self._points[row["point"]]

    def table(self) -> list[Row]:
        """Return the rows with the same columns each; `on_front` says which ones no other row beats."""
        columns = dict.fromkeys(key for row in self.rows for key in row)
        best = {id(row) for row in self.front}
        return [{**{name: row.get(name) for name in columns}, "on_front": id(row) in best} for row in self.rows]

    def to_dataframe(self) -> "pandas.DataFrame":
        """Return a row for each point, and which are on the front.

        Raises
        ------
        ImportError
            If pandas is not installed; `table` gives the same rows without it.
        """
        try:
            import pandas
        except ImportError:
            problem = "to_dataframe() takes pandas: pip install pandas; table() gives the same rows without it"
            raise ImportError(problem) from None
        return pandas.DataFrame(self.table())

    def __repr__(self) -> str:
        """Return a line."""
        return f"{self.name}: {len(self.done):,} of {len(self.rows):,} points, {len(self.front):,} on the front"

    def _repr_html_(self) -> str:
        """Return the front as a notebook shows it."""
        columns, rows = self.front_shown()
        head = "".join(f"<th>{escape(name)}</th>" for name in columns)
        body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
        return (
            f"<table><caption>{escape(repr(self))}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )

    def front_shown(self) -> tuple[list[str], list[list[str]]]:
        """Return the front as people read it, columns and rows; a column of energies has one unit that reads well."""
        names = [*self.keys, *self.objectives.directions]
        columns = list(zip(*map(self.front_cells, self.front), strict=True))
        read = [in_readable_unit(name, cells) for name, cells in zip(names, columns, strict=False)]
        names[: len(read)], columns = [name for name, _ in read], [tuple(cells) for _, cells in read]
        return names, [[shown(cell) for cell in row] for row in zip(*columns, strict=True)]

    def front_cells(self, row: Row) -> list[Any]:
        """Return a row's settings that differ, and what it reaches."""
        return [*(row.get(key) for key in self.keys), *self.objectives.reached(row)]


def front_of(values: Sequence[Sequence[float]]) -> list[int]:
    """Return the places of the entries that no other entry beats, where less is better in each place.

    Equal entries are all on the front.
    """
    order = sorted(range(len(values)), key=lambda index: tuple(values[index]))
    front: list[int] = []
    for index in order:  # whoever beats an entry comes before it
        one = values[index]
        if not any(_beats(values[other], one) for other in front):
            front.append(index)
    return sorted(front)


def _beats(one: Sequence[float], other: Sequence[float]) -> bool:
    return all(a <= b for a, b in zip(one, other, strict=True)) and tuple(one) != tuple(other)


def shown(cell: Any) -> str:
    """Return a cell as people read it."""
    if isinstance(cell, bool) or cell is None or isinstance(cell, str):
        return "-" if cell is None else str(cell)
    return f"{cell:,}" if isinstance(cell, int) else f"{cell:,.0f}" if 1e5 <= abs(cell) < 1e15 else f"{cell:.6g}"
