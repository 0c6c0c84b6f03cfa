"""Every number of the report, reviewed by hand when it changes.

Make them again with ``PYTHONPATH=. python tests/golden/test_report.py`` and say in CHANGELOG.md what changed. With
keys behind it (``... test_report.py fig3 table2``) it makes those exhibits alone, such as a new one. Each table of an
exhibit is a file in ``tests/golden/reproduce/``, just as `adagp-sim reproduce` writes it. Figure 15 and the
accuracies of table 1 are what the shipped trace holds, so training again does not change them by itself.
"""

import os
import re
import subprocess
import sys
from itertools import accumulate
from pathlib import Path
from statistics import fmean

import pytest
from exhibit_tables import GOLDEN, check_tables, tables

from simulator.reproduce.execute import missing_jobs
from simulator.reproduce.exhibit import ExhibitMaker, chosen_makers, exhibit_makers
from simulator.reproduce.folder import write_table
from simulator.reproduce.store import open_store

MOST = 500  # the weight of a second or two; the whole report has the others


def is_quick(maker: ExhibitMaker) -> bool:
    """Whether all jobs of an exhibit are quick; no trace is read for a job that is not needed to know it."""
    return all(weight <= MOST for weight in accumulate(job.weight for job in dict.fromkeys(maker.jobs())))


QUICK = [key for key, maker in exhibit_makers().items() if is_quick(maker)]


def reproduce(folder: Path, *only: str) -> None:
    """Make the whole report, or some of its exhibits, as a user does."""
    command = [sys.executable, "-m", "simulator.cli.main", "reproduce", "--out", str(folder)]
    command += ["--only", ",".join(only)] if only else []
    subprocess.run(command, check=True, capture_output=True, env=os.environ | {"MPLBACKEND": "Agg"})


@pytest.mark.parametrize("key", QUICK)
def test_numbers_of_quick_exhibits(key: str, tmp_path: Path) -> None:
    maker = exhibit_makers()[key]
    check_tables(maker, {job: job.compute() for job in dict.fromkeys(maker.jobs())}, tmp_path)


@pytest.mark.parametrize("key", exhibit_makers())
def test_every_exhibit_has_reviewed_tables(key: str) -> None:
    """The whole report, which holds each against them, is made only by `pytest -m long`."""
    assert (GOLDEN / f"{key}-comparisons.csv").is_file(), "make the reviewed tables again (docstring of this file)"


@pytest.mark.long
def test_the_whole_report(tmp_path: Path) -> None:
    folder = tmp_path / "report"
    reproduce(folder)
    html = (folder / "report.html").read_text(encoding="utf-8")
    assert html.count("<figure>") == len(list((folder / "figures").glob("*.png"))) + 1 > 20
    own = re.sub(r"<script.*?</script>", "", html, flags=re.DOTALL)  # Plotly's script names its home
    assert len(own) < len(html) / 2
    assert not re.search(r'(src|href)="https?:', own)
    averages = {}
    with open_store(folder) as store:
        for key, maker in exhibit_makers().items():
            found, missing = missing_jobs(maker.jobs(), store)
            assert missing == []
            check_tables(maker, found, tmp_path)
            comparisons = maker.make(found).comparisons
            without_reason = [one.what for one in comparisons if one.needs_reason and not one.reason]
            assert without_reason == [], key
            averages |= {(key, one.what): one.difference for one in comparisons if one.what.startswith("average")}
    written = {path.name for path in (folder / "tables").iterdir()}
    reviewed = {path.name for path in GOLDEN.iterdir() if not path.name.endswith("-comparisons.csv")}
    assert written == reviewed
    # the paper's averages of MAX: nine of figures 17 to 19 and three of figure 20
    speedups = [moved for (key, _), moved in averages.items() if key in ("fig17", "fig18", "fig19", "fig20")]
    assert len(speedups) == 12
    assert all(moved is not None and abs(moved) < 0.02 for moved in speedups)


def test_averages_are_those_of_the_rows() -> None:
    """The reviewed averages are the means of the reviewed rows, worked out anew."""
    import csv

    for key in ("fig17", "fig18", "fig19", "os"):
        with (GOLDEN / f"{key}-speedup.csv").open() as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == 13 * 3 * 4
        cycles = {(row["data set"], row["network"], row["design"]): int(row["cycles"]) for row in rows}
        with (GOLDEN / f"{key}-averages.csv").open() as file:
            for row in csv.DictReader(file):
                design = row["design"].removeprefix("ADA-GP-").lower()
                found = [
                    cycles[dataset, network, "baseline"] / cycles[dataset, network, design]
                    for dataset, network, name in cycles
                    if dataset == row["data set"] and name == design
                ]
                assert float(row["average"]) == pytest.approx(fmean(found), rel=1e-12)


def test_low_is_never_ahead_of_efficient() -> None:
    import csv

    exceptions = set()
    for key in ("fig17", "fig18", "fig19", "os"):
        with (GOLDEN / f"{key}-speedup.csv").open() as file:
            speedups = {
                (row["data set"], row["network"], row["design"]): float(row["speedup"]) for row in csv.DictReader(file)
            }
        for dataset, network, design in speedups:
            if design == "baseline":
                low, efficient, most = (speedups[dataset, network, one] for one in ("low", "efficient", "max"))
                assert low <= efficient
                if efficient > most:
                    exceptions.add((key, dataset, network))
    # MAX's second array takes a quarter of the banks: figure 18's text has the experiment
    assert exceptions == {("fig18", "ImageNet", network) for network in ("Inception-V4", "ResNet101", "ResNet152")}


if __name__ == "__main__":
    import tempfile

    asked = sys.argv[1:]
    GOLDEN.mkdir(exist_ok=True)
    for old in GOLDEN.glob("*.csv"):
        if not asked or old.stem.partition("-")[0] in asked:
            old.unlink()
    with tempfile.TemporaryDirectory() as place:
        reproduce(Path(place), *asked)
        with open_store(Path(place)) as kept:
            for made in chosen_makers(",".join(asked) or None):
                results, _ = missing_jobs(made.jobs(), kept)
                for table in tables(made, results):
                    write_table(table, GOLDEN)
