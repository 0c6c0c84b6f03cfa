"""What a comparison is, what it says of each thing that was measured, and where comparisons are found by name.

A new comparison is one new file in `simulator/validation/comparisons/` with an object `COMPARISON`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from statistics import fmean, median
from typing import Any

from workloads.foundation.errors import InputError, nearest, spelt
from workloads.foundation.headway import headway
from workloads.foundation.registry import registry

WITHIN = 0.10  # an error that is larger needs its cause
UNEXPLAINED = "unexplained"


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that was measured, beside what is simulated.

    Attributes
    ----------
    what : str
        The layer, product or stream.
    measured, simulated : float
        Both in the unit of the comparison; `measured` is above 0.
    series : str
        What it belongs to; a picture has a colour for each.
    cause : str
        Why an error beyond 10 % is there, as an experiment found it; empty if none did.
    """

    what: str
    measured: float
    simulated: float
    series: str = ""
    cause: str = ""

    @property
    def error(self) -> float:
        """Simulated over measured, less one."""
        return self.simulated / self.measured - 1

    @property
    def shown_cause(self) -> str:
        """The cause of an error beyond 10 %, or that there is none; empty within."""
        return "" if abs(self.error) <= WITHIN else self.cause or UNEXPLAINED


@dataclass(frozen=True, slots=True)
class Range:
    """A parameter that nobody published: its key in the machine, and values that it may have."""

    key: str
    values: tuple[Any, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Case:
    """What a comparison is asked for: settings over its machine, and a file with rows of the user's."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    data: Path | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """A comparison with something that was measured elsewhere.

    Attributes
    ----------
    name, title, unit, source : str
        What `validate` calls it; its heading; what is compared; where the measured values come from.
    text : str
        What is compared, and how, in Markdown.
    make : callable
        Gives the rows of a case.
    machine : str
        The shipped machine; empty if several, or none.
    takes_data : bool
        Whether it reads further rows from a file.
    ranges : sequence of Range
        What nobody published.
    missing : callable
        Says what is not installed that it needs; empty if all is there.
    rank : int
        Its place among all.
    """

    name: str
    title: str
    unit: str
    source: str
    text: str
    make: Callable[[Case], Sequence[Row]]
    machine: str = ""
    takes_data: bool = False
    ranges: Sequence[Range] = ()
    missing: Callable[[], str] = str
    rank: int = 0


@dataclass(frozen=True, slots=True)
class RangeEffect:
    """The error with one value of a parameter that nobody published."""

    key: str
    value: Any
    mean_absolute_error: float
    why: str


@dataclass(frozen=True, slots=True)
class Validation:
    """A comparison with its rows."""

    comparison: Comparison
    rows: tuple[Row, ...]
    effects: tuple[RangeEffect, ...] = ()

    def __repr__(self) -> str:
        """Return the errors in one line, as a notebook shows them."""
        mean, middle = 100 * self.mean_absolute_error, 100 * self.median_absolute_error
        return (
            f"{self.comparison.title}: {len(self.rows)} rows, mean absolute error {mean:.2f} %, median {middle:.2f} %"
        )

    @property
    def mean_absolute_error(self) -> float:
        """Mean of the errors' sizes, as a fraction."""
        return fmean(abs(row.error) for row in self.rows)

    @property
    def median_absolute_error(self) -> float:
        """Median of the errors' sizes."""
        return median(abs(row.error) for row in self.rows)

    @property
    def worst(self) -> list[Row]:
        """The five rows with the largest errors."""
        return sorted(self.rows, key=lambda row: -abs(row.error))[:5]

    def data(self) -> dict[str, Any]:
        """Return it as plain data; errors are fractions."""
        return {
            "name": self.comparison.name, "title": self.comparison.title, "unit": self.comparison.unit,
            "source": self.comparison.source, "machine": self.comparison.machine,
            "rows": [_row_data(row) for row in self.rows],
            "mean_absolute_error": self.mean_absolute_error, "median_absolute_error": self.median_absolute_error,
            "worst": [_row_data(row) for row in self.worst],
            "ranges": [
                {"key": one.key, "value": one.value, "mean_absolute_error": one.mean_absolute_error, "why": one.why}
                for one in self.effects
            ],
        }  # fmt: skip


def _row_data(row: Row) -> dict[str, Any]:
    return {
        "what": row.what, "series": row.series, "measured": row.measured, "simulated": row.simulated,
        "error": row.error, "cause": row.shown_cause,
    }  # fmt: skip


@cache
def comparisons() -> dict[str, Comparison]:
    """Return every comparison by name."""
    return registry("simulator.validation.comparisons", "COMPARISON", "comparisons", Comparison)


def find_comparison(name: str) -> Comparison:
    """Return the comparison of a name.

    Raises
    ------
    InputError
        If there is none.
    """
    name = spelt(name, comparisons())
    if name not in comparisons():
        raise InputError(f"comparison {name}", "", "no such comparison", nearest(name, comparisons()))
    return comparisons()[name]


def validated(comparison: Comparison, data: Path | None = None, ranges: bool = False) -> Validation:
    """Run a comparison; with `ranges` also once for each value of what nobody published.

    Raises
    ------
    InputError
        If something that it needs is not installed, or the file of rows is none.
    """
    lacks = comparison.missing()
    if lacks:
        raise InputError(f"comparison {comparison.name}", "", f"needs {lacks}", "install it, or leave it out")
    if data is not None and not comparison.takes_data:
        takers = ", ".join(one.name for one in comparisons().values() if one.takes_data)
        raise InputError("--data", "", f"{comparison.name} reads no rows", f"only these do: {takers}")
    values = [(one, value) for one in comparison.ranges for value in one.values] if ranges else []
    with headway(1 + len(values)) as case_done:

        def rows(settings: Mapping[str, Any]) -> tuple[Row, ...]:
            made = tuple(comparison.make(Case(settings, data)))
            case_done()
            return made

        published = rows({})
        effects = tuple(
            RangeEffect(one.key, value, Validation(comparison, rows({one.key: value})).mean_absolute_error, one.why)
            for one, value in values
        )
    return Validation(comparison, published, effects)
