"""What an exhibit is: a figure, a table or a study of the report, and where exhibits are found by name.

A new exhibit is one new file in `simulator/reproduce/exhibits/` with a tuple `EXHIBITS`; its words are a page
(`simulator.reproduce.page`). One that differs from another by constants alone is one more entry in that one's page.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from simulator.outputs.charts.chart import Chart
from simulator.reproduce.jobs.job import Findings, Job
from workloads.foundation.errors import InputError, nearest
from workloads.foundation.registry import parts

Cell = str | int | float | None
Verdict = Literal["agrees", "differs", "unexplained", "unknown"]
# What sort of a number the paper's has here beside it: how much it says when both agree.
Kind = Literal["prediction", "identity", "reading", "own table", "elsewhere"]
KINDS: dict[Kind, str] = {
    "prediction": "simulated here, without a number of the paper",
    "identity": "follows from the paper's rules by counting steps",
    "reading": "the same number of the paper again, under another counting rule or assumption",
    "own table": "starts from the paper's own table",
    "elsewhere": "measured on another network and data set than the paper's",
}
EXPLAIN_BEYOND = 0.02  # a difference that is larger needs its reason


@dataclass(frozen=True, slots=True)
class Comparison:
    """A number of the paper beside ours.

    Attributes
    ----------
    what : str
        What it is, with its unit.
    paper, ours : float
        The two; `ours` is None where there is nothing of ours to compare with it (an accuracy on data not at hand).
    reason : str
        Why they differ, as an experiment found it; needed where the difference exceeds 2 %.
    digits : int
        Digits behind the point.
    kind : str
        What sort of a number ours is (`KINDS`).
    constant : float, optional
        What a constant gives instead: the schedule, a backward of two forwards, and a predictor that is free.
    """

    what: str
    paper: float
    ours: float | None
    reason: str = ""
    digits: int = 3
    kind: Kind = "prediction"
    constant: float | None = None

    @property
    def difference(self) -> float | None:
        """Ours over the paper's, less one; None without ours, or where the paper's is zero."""
        return None if self.ours is None or self.paper == 0 else self.ours / self.paper - 1

    @property
    def constant_difference(self) -> float | None:
        """The constant over the paper's, less one; None where there is none."""
        return None if self.constant is None or self.paper == 0 else self.constant / self.paper - 1

    @property
    def verdict(self) -> Verdict:
        """What a reader makes of it: *differs* is with a reason that an experiment found."""
        if self.ours is None:
            return "unknown"
        if not self.needs_reason and (self.difference is not None or self.ours == self.paper):
            return "agrees"
        return "unexplained" if "unexplained" in self.reason or not self.reason else "differs"

    @property
    def needs_reason(self) -> bool:
        """Whether the difference is beyond what goes without one."""
        return self.difference is not None and abs(self.difference) > EXPLAIN_BEYOND


@dataclass(frozen=True, slots=True)
class Table:
    """Numbers, written as `NAME.csv` with all digits and, if `shown`, printed in the report with some."""

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    shown: bool = True
    digits: int = 3


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart, in the page and as `NAME.png`; `text` says what is to be seen, and how it is counted."""

    name: str
    text: str
    chart: Chart


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A figure, a table or a study as it came out; its text is Markdown."""

    text: str = ""
    comparisons: tuple[Comparison, ...] = ()
    pictures: tuple[Picture, ...] = ()
    tables: tuple[Table, ...] = ()


class ExhibitMaker:
    """How an exhibit is made.

    Attributes
    ----------
    key, title : str
        What `--only` calls it, such as ``fig17``; its heading.
    rank : int
        Its place in the report; the lowest comes first.
    requires : sequence of Job
        What must be simulated for it, where that is always the same.
    """

    key: str
    title: str
    rank: int
    requires: Sequence[Job] = ()

    def jobs(self) -> Sequence[Job]:
        """Return what must be simulated for it."""
        return self.requires

    def make(self, found: Findings) -> Exhibit:
        """Return it from the results of its jobs."""
        raise NotImplementedError


@cache
def exhibit_makers() -> dict[str, ExhibitMaker]:
    """Return every exhibit by key, in the order of the report."""
    found: Iterable[ExhibitMaker] = (
        one for _, exhibits in parts("simulator.reproduce.exhibits", "EXHIBITS") for one in exhibits
    )
    return {one.key: one for one in sorted(found, key=lambda one: one.rank)}


def chosen_makers(only: str | None) -> list[ExhibitMaker]:
    """Return the exhibits that a list such as ``fig17,table2`` names, in the order of the report; all without one.

    Raises
    ------
    InputError
        If there is none of a name.
    """
    known = exhibit_makers()
    names = list(known) if only is None else [name.strip() for name in only.split(",")]
    for name in names:
        if name not in known:
            raise InputError("--only", "", f"unknown exhibit {name!r}", nearest(name, known))
    return [maker for key, maker in known.items() if key in names]
