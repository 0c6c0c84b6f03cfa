"""The paper's claims, each judged once: the words are in `configs/reproduce/claims.yaml`, the numbers in exhibits."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from simulator.reproduce.exhibit import EXPLAIN_BEYOND, Comparison
from simulator.reproduce.made import Report, comparisons_by_exhibit
from simulator.reproduce.paper import targets
from workloads.foundation.shipped import shipped_folder
from workloads.foundation.strict_yaml import read_yaml

ClaimVerdict = Literal["agrees", "agrees by counting", "differs", "unexplained", "unknown", "not tested"]
MEANINGS: dict[ClaimVerdict, str] = {
    "agrees": f"every number is simulated, and within {EXPLAIN_BEYOND:.0%} of the paper's",
    "agrees by counting": "the numbers follow from the paper's rules by counting steps",
    "differs": "some are further away, with a reason that an experiment found",
    "unexplained": "some are further away, without a reason",
    "unknown": "nothing here to compare with, or another network's alone",
    "not tested": "our numbers start from the paper's own table",
}


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim of the paper, and its numbers in a report.

    Attributes
    ----------
    claim, where : str
        What is claimed, and the section, figure or table.
    rows : tuple of (str, Comparison)
        Its numbers, each with the key of its exhibit.
    why : str
        What is to be said where it does not agree.
    tested : tuple of str
        Keys of the hypotheses (`simulator.reproduce.hypotheses`) that `why` rests on.
    experiment : str
        Key of the exhibit with an experiment of its own for `why`, or nothing.
    """

    claim: str
    where: str
    rows: tuple[tuple[str, Comparison], ...]
    why: str = ""
    tested: tuple[str, ...] = ()
    experiment: str = ""

    @property
    def verdict(self) -> ClaimVerdict:
        """What a reader makes of the claim: the worst of its numbers counts."""
        kinds = {one.kind for _, one in self.rows}
        found = {one.verdict for _, one in self.rows}
        if kinds == {"own table"}:
            return "not tested"
        if kinds == {"elsewhere"}:
            return "unknown"
        for verdict in ("unexplained", "differs", "unknown"):
            if verdict in found:
                return "unexplained" if "unexplained" in self.why else verdict
        return "agrees by counting" if kinds == {"identity"} else "agrees"

    @property
    def reason(self) -> str:
        """What is said where it does not agree, with the hypotheses behind it; nothing where it agrees."""
        if self.verdict == "agrees":
            return ""
        behind = [*self.tested, *([self.experiment] if self.experiment else [])]
        return f"{self.why} (reasons: {'; '.join(behind)})" if behind else self.why

    @property
    def worst(self) -> float | None:
        """The largest relative difference of its numbers; None where none of them can be compared."""
        found = [one.difference for _, one in self.rows if one.difference is not None and one.kind != "elsewhere"]
        return max(found, key=abs, default=None)


@cache
def _written() -> tuple[dict[str, object], ...]:
    return tuple(read_yaml(shipped_folder("configs/reproduce") / "claims.yaml"))


def claims(report: Report) -> list[Claim]:
    """Return the claims whose exhibits were all made."""
    compared = comparisons_by_exhibit(report)
    return list(_claims(compared))


def _claims(compared: dict[str, dict[str, Comparison]]) -> Iterator[Claim]:
    for entry in _written():
        rows = entry["rows"]
        assert isinstance(rows, dict)
        if all(key in compared for key in rows):
            found = tuple(
                (key, one) for key, begins in rows.items() for what, one in compared[key].items()
                if one.kind != "reading" and what.startswith(_several(begins))
            )  # fmt: skip
            why = str(entry.get("why", "")).format_map({"paper": targets(), **compared})
            tested = entry.get("tested", ())
            assert isinstance(tested, Sequence)
            experiment = str(entry.get("experiment", ""))
            yield Claim(str(entry["claim"]), str(entry["where"]), found, why, tuple(map(str, tested)), experiment)


def _several(begins: str | Sequence[str]) -> tuple[str, ...]:
    return (begins,) if isinstance(begins, str) else tuple(begins)


def counted(found: Sequence[Claim]) -> dict[ClaimVerdict, int]:
    """Return how many claims have each verdict."""
    number = Counter(one.verdict for one in found)
    return {verdict: number[verdict] for verdict in MEANINGS if number[verdict]}


@dataclass(frozen=True, slots=True)
class ConstantErrors:
    """How far the simulator and a constant are from the paper's numbers that both have, as mean and worst share."""

    numbers: int
    ours_mean: float
    ours_worst: float
    constant_mean: float
    constant_worst: float


def with_constants(report: Report) -> list[tuple[str, Comparison]]:
    """Return the numbers that a constant gives too, each with the name of its exhibit."""
    return [
        (made.name, one) for made in report.values() for one in made.exhibit.comparisons
        if one.constant is not None and one.ours is not None
    ]  # fmt: skip


def constant_errors(rows: Sequence[Comparison]) -> ConstantErrors:
    """Return the errors of numbers that have a constant."""
    ours = [abs(one.difference) for one in rows if one.difference is not None]
    constant = [abs(one.constant_difference) for one in rows if one.constant_difference is not None]
    return ConstantErrors(len(rows), sum(ours) / len(ours), max(ours), sum(constant) / len(constant), max(constant))
