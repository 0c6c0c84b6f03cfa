"""The paper's claims: every number of the report belongs to one, and is judged as its kind allows.

``PYTHONPATH=.:tests python tests/golden/test_claims.py`` writes them into docs/reproduce.md again.
"""

import csv
from pathlib import Path

import pytest

from simulator.reproduce.claims import MEANINGS, Claim, claims, constant_errors, counted
from simulator.reproduce.exhibit import Comparison, Exhibit, exhibit_makers
from simulator.reproduce.made import MadeExhibit
from simulator.reproduce.report_markdown import claims_markdown

TABLES = Path(__file__).parent / "reproduce"
DOCS = Path(__file__).parents[2] / "docs" / "reproduce.md"
BEGIN, END = "<!-- claims -->", "<!-- end of claims -->"


def reviewed() -> dict[str, MadeExhibit]:
    """Return every exhibit of the report with what it compares, from the reviewed tables.

    An exhibit without such a table is a failure of `test_every_exhibit_has_reviewed_tables`, and of no test here.
    """
    found = {}
    for maker in exhibit_makers().values():
        path = TABLES / f"{maker.key}-comparisons.csv"
        if not path.is_file():
            continue
        with path.open(newline="", encoding="utf-8") as file:
            rows = [
                Comparison(
                    row["number"], float(row["paper"]), float(row["here"]) if row["here"] else None, kind=row["kind"],
                    constant=float(row["constant"]) if row["constant"] else None,
                    reason={"differs": "known", "unexplained": "unexplained"}.get(row["verdict"], ""),
                )
                for row in csv.DictReader(file)
            ]  # fmt: skip
        exhibit = Exhibit(comparisons=tuple(rows))
        found[maker.key] = MadeExhibit(maker.key, maker.title, "", "", "", "", exhibit)
    return found


REPORT = reviewed()
CLAIMS = claims(REPORT)
NUMBERS = [(key, one) for key, made in REPORT.items() for one in made.exhibit.comparisons]


def test_every_number_belongs_to_one_claim() -> None:
    used = [(key, one.what) for claim in CLAIMS for key, one in claim.rows]
    assert len(used) == len(set(used))
    assert set(used) == {(key, one.what) for key, one in NUMBERS if one.kind != "reading"}


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda one: one.claim[:40])
def test_a_claim_that_does_not_agree_says_why(claim: Claim) -> None:
    assert bool(claim.why) == (claim.verdict not in ("agrees", "agrees by counting", "not tested"))
    assert claim.verdict in MEANINGS
    assert claim.rows


def test_verdicts_by_hand() -> None:
    """What docs/reproduce.md says of each."""
    verdicts = {claim.claim.split(",")[0]: claim.verdict for claim in CLAIMS}
    assert verdicts["MAX trains 1.46 to 1.48 times as fast as the baseline"] == "agrees"
    assert verdicts["The largest speedup is 1.48 to 1.58"] == "unexplained"
    assert verdicts["Accuracies are similar to backpropagation's"] == "unknown"
    assert verdicts["A batch takes 12 steps"] == "agrees by counting"
    assert sum(counted(CLAIMS).values()) == len(CLAIMS) == 15


def test_a_constant_is_nearly_as_near() -> None:
    """The null model by hand: 1 / (1 - 2/3 of the share of Phase GP) of 90 epochs, the same for every network."""
    averages = {
        (key, one.what): one for key, one in NUMBERS if key in ("fig17", "fig18", "fig19") and "average" in one.what
    }  # fmt: skip
    # 391 batches of an epoch: ten epochs of Warm Up, four each of 4:1, 3:1 and 2:1, 68 of 1:1. A share begins with GP.
    predicted = 4 * (4 * 78 + 1) + 4 * (3 * 97 + 3) + 4 * (2 * 130 + 1) + 68 * 196
    share = predicted / (90 * 391)
    assert averages["fig17", "average speedup of MAX, CIFAR10"].constant == pytest.approx(1 / (1 - 2 / 3 * share))
    errors = constant_errors(list(averages.values()))
    assert errors.numbers == 9
    assert errors.ours_mean < errors.constant_mean < 0.01


def test_errors_by_hand() -> None:
    rows = [Comparison("a", 2.0, 2.2, constant=1.9), Comparison("b", 4.0, 4.0, constant=5.0)]
    errors = constant_errors(rows)
    assert (errors.ours_mean, errors.ours_worst) == pytest.approx((0.05, 0.1))
    assert (errors.constant_mean, errors.constant_worst) == pytest.approx((0.15, 0.25))


@pytest.mark.parametrize(
    ("rows", "why", "verdict"),
    [
        ([Comparison("a", 1.0, 1.01), Comparison("b", 1.0, 1.0)], "", "agrees"),
        ([Comparison("a", 1.0, 1.0, kind="identity")], "", "agrees by counting"),
        ([Comparison("a", 1.0, 1.5, "slow memory"), Comparison("b", 1.0, 1.0)], "slow memory", "differs"),
        ([Comparison("a", 1.0, 1.5, "slow memory")], "slow memory; the rest is unexplained", "unexplained"),
        ([Comparison("a", 1.0, 1.5)], "", "unexplained"),
        ([Comparison("a", 1.0, None), Comparison("b", 1.0, 1.0)], "", "unknown"),
        ([Comparison("a", 1.0, 9.0, "digits", kind="elsewhere")], "", "unknown"),
        ([Comparison("a", 1.0, 1.5, kind="own table")], "", "not tested"),
    ],
)
def test_the_worst_number_counts(rows: list[Comparison], why: str, verdict: str) -> None:
    assert Claim("", "", tuple(("fig17", one) for one in rows), why).verdict == verdict


def block() -> str:
    """Return the claims as docs/reproduce.md has them."""
    return f"{BEGIN}\n" + "\n\n".join(claims_markdown(CLAIMS)) + f"\n{END}"


def test_the_page_has_the_claims_of_the_report() -> None:
    assert block() in DOCS.read_text(encoding="utf-8"), "write the claims again (docstring of this file)"


if __name__ == "__main__":
    before, _, rest = DOCS.read_text(encoding="utf-8").partition(BEGIN)
    DOCS.write_text(f"{before}{block()}{rest.partition(END)[2]}", encoding="utf-8")
