"""The tables of an exhibit as `adagp-sim reproduce` writes them, compared with reviewed copies in `reproduce/`."""

from collections.abc import Iterator
from pathlib import Path

from simulator.reproduce.exhibit import ExhibitMaker, Table
from simulator.reproduce.folder import write_table
from simulator.reproduce.jobs.job import Findings

GOLDEN = Path(__file__).parent / "reproduce"


def tables(maker: ExhibitMaker, found: Findings) -> Iterator[Table]:
    """Give an exhibit's tables, and what it compares with the paper as one more."""
    exhibit = maker.make(found)
    rows = tuple((one.what, one.paper, one.ours, one.kind, one.constant, one.verdict) for one in exhibit.comparisons)
    yield Table(
        f"{maker.key}-comparisons", "Beside the paper", ("number", "paper", "here", "kind", "constant", "verdict"), rows
    )
    yield from exhibit.tables


def check_tables(maker: ExhibitMaker, found: Findings, folder: Path) -> None:
    """Write an exhibit's tables into a folder and compare them with the copies, to the letter."""
    names = set()
    for table in tables(maker, found):
        write_table(table, folder)
        name = f"{table.name}.csv"
        names.add(name)
        now, reviewed = ((place / name).read_text(encoding="utf-8") for place in (folder, GOLDEN))
        changed = [pair for pair in zip(now.splitlines(), reviewed.splitlines(), strict=False) if pair[0] != pair[1]]
        assert now == reviewed, f"{name}: {changed[:2]}"
    assert names == {path.name for path in GOLDEN.glob(f"{maker.key}-*.csv")}
