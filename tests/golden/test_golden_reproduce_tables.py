"""Tables of the report that are quickly made, against reviewed copies.

After a deliberate change: ``python tests/golden/test_golden_reproduce_tables.py`` writes the copies anew; review the
diff and note it in CHANGELOG.md under "numbers changed".
"""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent / "reproduce"
KEYS = {"fig16": (), "table2": (), "table3": (pytest.mark.long,)}


def tables(key: str) -> dict[str, str]:
    """Return the CSV files of an exhibit by name."""
    from simulator.reproduce.exhibit import exhibit_makers

    maker = exhibit_makers()[key]
    return _texts(maker.make({job: job.compute() for job in dict.fromkeys(maker.jobs())}).tables)


def printed() -> dict[str, str]:
    """Return the CSV files of tables 4 and 5 that need no simulation."""
    from simulator.reproduce.exhibits import asic, fpga

    return _texts((*fpga.printed_tables(), *asic.printed_tables()))


def _texts(found: "tuple[object, ...]") -> dict[str, str]:
    import tempfile

    from simulator.reproduce.exhibit import Table
    from simulator.reproduce.folder import write_table

    with tempfile.TemporaryDirectory() as folder:
        for table in found:
            assert isinstance(table, Table)
            write_table(table, Path(folder))
        return {path.name: path.read_text(encoding="utf-8") for path in sorted(Path(folder).iterdir())}


def _compare(found: dict[str, str]) -> None:
    for name, text in found.items():
        expected = (HERE / name).read_text(encoding="utf-8")
        if text != expected:
            pairs = zip(text.splitlines(), expected.splitlines(), strict=False)
            first = next((pair for pair in pairs if pair[0] != pair[1]), ("a line more or less", ""))
            pytest.fail(f"{name} changed; first difference:\n  now      {first[0]}\n  reviewed {first[1]}")


@pytest.mark.parametrize("key", [pytest.param(key, marks=marks) for key, marks in KEYS.items()])
def test_tables_are_the_reviewed_ones(key: str) -> None:
    _compare(tables(key))


def test_printed_tables_are_the_reviewed_ones() -> None:
    _compare(printed())


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    HERE.mkdir(exist_ok=True)
    files = {**printed()}
    for one in KEYS:
        files |= tables(one)
    for file, content in files.items():
        (HERE / file).write_text(content, encoding="utf-8")
