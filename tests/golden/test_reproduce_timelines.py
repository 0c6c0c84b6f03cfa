"""Every number of figures 7 to 12, reviewed by hand when it changes.

Make them again with ``python tests/golden/test_reproduce_timelines.py`` and say in CHANGELOG.md what changed. Each
table of an exhibit is a file of its own in ``tests/golden/reproduce/``, just as `adagp-sim reproduce` writes it.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator.reproduce.exhibit import Table, exhibit_makers
from simulator.reproduce.folder import write_table

GOLDEN = Path(__file__).parent / "reproduce"
KEYS = ("fig7", "fig8", "fig9", "fig10", "fig11", "fig12")


def tables(key: str) -> Iterator[Table]:
    """Give an exhibit's tables, and what it holds against the paper as one more."""
    maker = exhibit_makers()[key]
    exhibit = maker.make({job: job.compute() for job in maker.jobs()})
    rows = tuple((one.what, one.paper, one.ours) for one in exhibit.comparisons)
    yield Table(f"{key}-comparisons", "Beside the paper", ("number", "paper", "here"), rows)
    yield from exhibit.tables


@pytest.mark.parametrize("key", KEYS)
def test_numbers_are_the_reviewed_ones(key: str, tmp_path: Path) -> None:
    names = set()
    for table in tables(key):
        write_table(table, tmp_path)
        name = f"{table.name}.csv"
        names.add(name)
        found, expected = ((folder / name).read_text(encoding="utf-8") for folder in (tmp_path, GOLDEN))
        assert found == expected
    assert names == {path.name for path in GOLDEN.glob(f"{key}-*.csv")}


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for wanted in KEYS:
        for made in tables(wanted):
            write_table(made, GOLDEN)
