"""The tables of an exhibit as `adagp-sim reproduce` writes them, held against reviewed copies in `reproduce/`."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from simulator.reproduce.exhibit import Table, exhibit_makers
from simulator.reproduce.folder import write_table

GOLDEN = Path(__file__).parent / "reproduce"


def tables(key: str) -> Iterator[Table]:
    """Give an exhibit's tables, and what it holds against the paper as one more."""
    maker = exhibit_makers()[key]
    exhibit = maker.make({job: job.compute() for job in maker.jobs()})
    rows = tuple((one.what, one.paper, one.ours) for one in exhibit.comparisons)
    yield Table(f"{key}-comparisons", "Beside the paper", ("number", "paper", "here"), rows)
    yield from exhibit.tables


def check_tables(key: str, folder: Path) -> None:
    """Write an exhibit's tables into a folder and hold them against the copies, to the letter."""
    names = set()
    for table in tables(key):
        write_table(table, folder)
        name = f"{table.name}.csv"
        names.add(name)
        found, expected = ((place / name).read_text(encoding="utf-8") for place in (folder, GOLDEN))
        assert found == expected
    assert names == {path.name for path in GOLDEN.glob(f"{key}-*.csv")}


def write_tables(keys: Sequence[str]) -> None:
    """Write the copies anew."""
    GOLDEN.mkdir(exist_ok=True)
    for key in keys:
        for table in tables(key):
            write_table(table, GOLDEN)
